//! See `rules/destructive-unapproved.md`.

use crate::approval::{Approval, Approvals, day_of, open_roles};
use crate::layout::Migration;
use crate::risk::{self, Loss};
use crate::rule::{Cx, Finding};
use crate::settings::Environment;
use crate::wording;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let roles = roles(cx);
    let (Some(approvals), Some(hash)) = (cx.settings().approvals.as_deref(), cx.digest()) else {
        return;
    };
    let losses: Vec<Loss> = cx.steps().iter().flat_map(risk::stakes).collect();
    let Some(first) = losses.first() else { return };
    let today = cx.settings().today.as_deref();
    let oldest = cx.duration_option("max_age") / DAY;
    let judged: Vec<(&Approval, Verdict)> = approvals
        .list
        .iter()
        .filter(|approval| approval.migration == name_of(migration) || approval.hash == hash)
        .map(|approval| {
            (
                approval,
                judge(approval, hash, today.and_then(day_of), oldest),
            )
        })
        .collect();
    let people: Vec<String> = judged
        .iter()
        .map(|(one, _)| one.by.to_lowercase())
        .collect();
    let signed: Vec<Vec<&str>> = roles
        .iter()
        .map(|role| {
            judged
                .iter()
                .zip(&people)
                .filter(|((approval, verdict), _)| {
                    *verdict == Verdict::Holds && approval.role == *role
                })
                .map(|(_, person)| person.as_str())
                .collect()
        })
        .collect();
    let open = open_roles(&signed);
    let Some(&missing) = open.first() else { return };
    let what = wording::all(losses.iter().map(|loss| loss.what.clone()).collect());
    let wanted = wording::names(open.iter().map(|role| &roles[*role]));
    let why = reason(&judged, &roles, &signed, &open, oldest);
    let mut finding = Finding::new(
        first.span,
        format!("the migration destroys {what}, and the approval of {wanted} is missing{why}"),
    )
    .help(entry(approvals, migration, hash, &roles[missing], today));
    for named in &cx.markers().approved_by {
        finding = finding.label(named.location, "a comment is not a sign-off");
    }
    cx.report(finding);
}

/// The roles that have to agree where the migration will run.
fn roles(cx: &Cx<'_>) -> Vec<String> {
    let mut roles = match cx.settings().environment {
        Environment::Local | Environment::Ci => Vec::new(),
        Environment::Dev => cx.list_option("dev"),
        Environment::Staging => cx.list_option("staging"),
        Environment::Production => cx.list_option("production"),
    };
    // A role that stands there twice asks for two people.
    roles.truncate(16);
    roles
}

/// What a sign-off of the migration is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Holds,
    /// The migration was edited since.
    OtherText,
    /// It is that many days old.
    Old(i64),
    /// Its date is still to come.
    Early,
}

fn judge(approval: &Approval, hash: &str, today: Option<i64>, oldest: u64) -> Verdict {
    if approval.hash != hash {
        return Verdict::OtherText;
    }
    // Who signs may live where it is tomorrow already.
    match today.map(|today| today - approval.day) {
        Some(age) if age < -1 => Verdict::Early,
        Some(age) if u64::try_from(age).is_ok_and(|age| age > oldest) => Verdict::Old(age),
        _ => Verdict::Holds,
    }
}

/// Why sign-offs that are there do not count.
fn reason(
    judged: &[(&Approval, Verdict)],
    roles: &[String],
    signed: &[Vec<&str>],
    open: &[usize],
    oldest: u64,
) -> String {
    let of_role = judged
        .iter()
        .rev()
        .find(|(approval, verdict)| {
            *verdict != Verdict::Holds && open.iter().any(|role| roles[*role] == approval.role)
        })
        .map(|(approval, verdict)| (&approval.by, *verdict));
    match of_role {
        Some((by, Verdict::OtherText)) => {
            format!("; that of `{by}` is for another text of it")
        }
        Some((by, Verdict::Old(age))) => {
            format!("; that of `{by}` is {age} days old, and {oldest} are allowed")
        }
        Some((by, Verdict::Early)) => format!("; that of `{by}` has a date that is still to come"),
        _ if open.iter().any(|role| !signed[*role].is_empty()) => {
            "; one person cannot sign in two roles".to_owned()
        }
        _ => String::new(),
    }
}

/// What to write into the file of sign-offs.
fn entry(
    approvals: &Approvals,
    migration: &Migration,
    hash: &str,
    role: &str,
    today: Option<&str>,
) -> String {
    format!(
        "once agreed, add to {}: `- {{ migration: \"{}\", hash: \"{hash}\", role: {role}, by: <who>, at: {} }}`",
        approvals.file,
        name_of(migration).replace('"', "'"),
        today.unwrap_or("<date>"),
    )
}

fn name_of(migration: &Migration) -> &str {
    if migration.version.is_empty() {
        &migration.description
    } else {
        &migration.version
    }
}
