use serde_json::{Map, Value};

use crate::probe::{Expected, Invariant, Judged, Probing, Refused, RefusedKind, Unknown, When};
use crate::statement::quoted;

type Row = Map<String, Value>;

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let Some(invariants) = &probing.outside().invariants else {
        return probing.not_asked();
    };
    for invariant in invariants {
        let title = &invariant.title;
        let told = match probing.try_query(Some(Invariant::BEFORE), &invariant.sql(), None) {
            Ok(rows) => judge(probing, invariant, &rows),
            Err(refused) if refused.kind == RefusedKind::Lost => return Ok(()),
            Err(refused) => Err(not_known(probing, title, &refused)),
        };
        match told {
            Ok(None) => {}
            Ok(Some(message)) => {
                let finding = probing
                    .finding(message)
                    .help("find out which statement broke it");
                probing.report(finding);
            }
            Err(unknown) => probing.unknown(unknown),
        }
    }
    Ok(())
}

/// What is wrong with the rows, if anything is.
fn judge(
    probing: &Probing<'_>,
    invariant: &Invariant,
    rows: &[Row],
) -> Result<Option<String>, Unknown> {
    let title = &invariant.title;
    let expected = match &invariant.expected {
        Expected::Nothing => {
            return Ok((!rows.is_empty())
                .then(|| format!("the query `{title}` finds a row, and must not find any")));
        }
        Expected::Value(expected) => expected.clone(),
        Expected::Same | Expected::NotLess if probing.when() == When::Pre => {
            // What it is now is what it will be compared with.
            return Ok(None);
        }
        Expected::Same | Expected::NotLess => {
            let before = probing.settings().stats.as_ref();
            let before = before.and_then(|snapshot| snapshot.invariants.get(title));
            before.cloned().ok_or_else(|| {
                Unknown::new(
                    format!("what the query `{title}` returned before is not known"),
                    "name the snapshot from before with --before, taken with `lockgate live snapshot --invariants`",
                )
            })?
        }
    };
    let Some(value) = Invariant::value(rows) else {
        return Err(Unknown::new(
            format!("the query `{title}` does not return one value"),
            "let it return one row with one column",
        ));
    };
    let number = |text: &str| text.parse::<f64>().ok();
    let same = value == expected
        || number(&value)
            .zip(number(&expected))
            .is_some_and(|(now, then)| now.total_cmp(&then).is_eq());
    let holds = match invariant.expected {
        Expected::NotLess => number(&value)
            .zip(number(&expected))
            .is_some_and(|(now, then)| now >= then),
        _ => same,
    };
    Ok((!holds).then(|| match invariant.expected {
        Expected::Value(_) => {
            format!("the query `{title}` returns {value}, and must return {expected}")
        }
        _ => format!("the query `{title}` returns {value}, and returned {expected} before"),
    }))
}

fn not_known(probing: &Probing<'_>, title: &str, refused: &Refused) -> Unknown {
    let head = format!("what the query `{title}` returns is not known");
    match refused.kind {
        RefusedKind::Privilege => Unknown::new(
            format!("{head}: {}", refused.message),
            format!(
                "GRANT SELECT on what it reads TO {}",
                quoted(&probing.server().user)
            ),
        ),
        RefusedKind::Slow => Unknown::new(
            format!("{head}: it takes longer than a probe may"),
            "ask for less, or by hand",
        ),
        RefusedKind::Locked => Unknown::new(
            format!("{head}: somebody keeps a table locked"),
            "ask again when the lock is gone",
        ),
        RefusedKind::Missing | RefusedKind::Lost | RefusedKind::Other => Unknown {
            reason: format!("{head}: {}", refused.message),
            help: None,
        },
    }
}
