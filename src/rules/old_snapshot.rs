use crate::effect::WaitsFor;
use crate::probe::{Judged, Probing, Session};
use crate::wording::duration;

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let plan = probing.plan();
    let waiting = plan
        .steps()
        .find(|(step, _)| step.effects.waits_for.contains(&WaitsFor::OldSnapshots));
    let Some((step, place)) = waiting else {
        return Ok(());
    };
    let options = probing.options();
    let (warning, limit) = (options.seconds("warning"), options.seconds("limit"));
    let sessions: Vec<Session> = probing.rows()?;
    for session in sessions {
        let age = session.age.unwrap_or_default();
        if age < warning || age >= limit {
            continue;
        }
        let finding = probing
            .finding(format!(
                "{} would wait for {}, whose transaction is open for {}; {}",
                step.statement.tag,
                session.name(),
                duration(age),
                session.doing()
            ))
            .help(format!("wait for it, or end it: {}", session.ending()))
            .label(place, "waits for old snapshots");
        probing.report(finding);
    }
    probing.sees_sessions()
}
