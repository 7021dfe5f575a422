//! See `rules/extension-needs-superuser.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

/// Extensions of PostgreSQL's own distribution that are not trusted, the same on 13 and 18 as far as these have
/// them (`pg_available_extension_versions`).
const UNTRUSTED: [&str; 26] = [
    "adminpack",
    "amcheck",
    "autoinc",
    "bloom",
    "dblink",
    "dict_xsyn",
    "earthdistance",
    "file_fdw",
    "insert_username",
    "intagg",
    "moddatetime",
    "pageinspect",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_surgery",
    "pg_visibility",
    "pg_walinspect",
    "pgrowlocks",
    "pgstattuple",
    "plperlu",
    "plpython3u",
    "postgres_fdw",
    "refint",
    "xml2",
];

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateExtension(name) = &statement.kind else {
        return;
    };
    if UNTRUSTED.binary_search(&&*name.text).is_err() {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!("`{name}` is not a trusted extension: only a superuser can create it"),
    )
    .help("create it where the server is set up; IF NOT EXISTS then passes without a superuser");
    cx.report(finding);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(UNTRUSTED.is_sorted());
    }
}
