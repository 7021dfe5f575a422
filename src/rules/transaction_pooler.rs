use crate::probe::{Judged, Probing};

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    if probing.server().pooled {
        let finding = probing
            .finding("a pooler between here and the server does not pass on the settings of a session")
            .help("name the server itself in the migration tool's URL; live mode works through the pooler with SET LOCAL");
        probing.report(finding);
    }
    Ok(())
}
