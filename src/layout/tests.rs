use super::*;

struct NoFiles;

impl Files for NoFiles {
    fn paths(&self) -> &[String] {
        &[]
    }

    fn text(&self, _: &str) -> Option<Arc<str>> {
        None
    }
}

/// The scripts of files with these names and texts, in the order of the layout.
fn arranged(layout: &'static Layout, texts: &[(&str, &str)]) -> Vec<Script> {
    let found = (layout.open)(&NoFiles, "", &BTreeMap::new());
    let mut scripts = Vec::new();
    for (id, (path, text)) in (0..).zip(texts) {
        let source = Source::new(SourceId(id), *path, *text);
        let file = File {
            path,
            source: &source,
            files: &NoFiles,
        };
        scripts.extend((layout.read)(&found, &file).scripts);
    }
    (layout.arrange)(&found, scripts).scripts
}

fn applied_paths(
    layout: &'static Layout,
    texts: &[(&str, &str)],
    version: &str,
) -> Option<Vec<String>> {
    let scripts = arranged(layout, texts);
    let applied = applied(layout, &scripts, version)?;
    let both = scripts.iter().zip(applied);
    Some(
        both.filter(|(_, applied)| *applied)
            .map(|(script, _)| script.path.clone())
            .collect(),
    )
}

#[test]
fn what_is_applied_follows_the_order_of_versions() {
    let files = [
        ("1_a.up.sql", ""),
        ("2_b.up.sql", ""),
        ("10_c.up.sql", ""),
        ("10_c.down.sql", ""),
    ];
    let applied =
        |version| applied_paths(by_name("golang-migrate").unwrap(), &files, version).unwrap();
    assert_eq!(applied("002"), ["1_a.up.sql", "2_b.up.sql"]);
    assert_eq!(
        applied("5"),
        ["1_a.up.sql", "2_b.up.sql"],
        "no file needs to have the version"
    );
    assert_eq!(applied("10").len(), 4);
    let files = [
        ("V1__a.sql", ""),
        ("V1.1__b.sql", ""),
        ("V2__c.sql", ""),
        ("R__d.sql", ""),
    ];
    let applied = |version| applied_paths(by_name("flyway").unwrap(), &files, version).unwrap();
    assert_eq!(
        applied("1.1.0"),
        ["V1__a.sql", "V1.1__b.sql"],
        "repeatables may always change"
    );
}

#[test]
fn what_is_applied_follows_the_graph() {
    let files = [
        (
            "a.py",
            "revision = 'a'\ndown_revision = None\ndef upgrade(): pass\n",
        ),
        (
            "b.py",
            "revision = 'b'\ndown_revision = 'a'\ndef upgrade(): pass\n",
        ),
        (
            "c.py",
            "revision = 'c'\ndown_revision = 'a'\ndepends_on = 'd'\ndef upgrade(): pass\n",
        ),
        (
            "d.py",
            "revision = 'd'\ndown_revision = None\ndef upgrade(): pass\n",
        ),
    ];
    let alembic = by_name("alembic").unwrap();
    let order: Vec<String> = arranged(alembic, &files)
        .into_iter()
        .map(|script| script.version)
        .collect();
    assert_eq!(order, ["a", "b", "d", "c"]);
    assert_eq!(
        applied_paths(alembic, &files, "b").unwrap(),
        ["a.py", "b.py"]
    );
    assert_eq!(
        applied_paths(alembic, &files, "c").unwrap(),
        ["a.py", "d.py", "c.py"]
    );
    assert_eq!(applied_paths(alembic, &files, "z"), None);
}

#[test]
fn a_long_chain_of_revisions_is_no_deep_recursion() {
    let texts: Vec<(String, String)> = (0..20_000)
        .map(|n| {
            let parent = if n == 0 {
                "None".to_owned()
            } else {
                format!("'r{}'", n - 1)
            };
            (
                format!("r{n}.py"),
                format!("revision = 'r{n}'\ndown_revision = {parent}\ndef upgrade(): pass\n"),
            )
        })
        .collect();
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let scripts = arranged(by_name("alembic").unwrap(), &texts);
    assert_eq!(scripts.last().unwrap().version, "r19999");
}

#[test]
fn pairs_go_up_and_down() {
    let files = [
        ("01_a.up.sql", ""),
        ("1_a.down.sql", ""),
        ("2_b.up.sql", ""),
        ("3_c.down.sql", ""),
    ];
    let scripts = arranged(by_name("golang-migrate").unwrap(), &files);
    let names: Vec<&str> = scripts.iter().map(|script| script.path.as_str()).collect();
    assert_eq!(
        names,
        ["01_a.up.sql", "2_b.up.sql", "3_c.down.sql", "1_a.down.sql"]
    );
    assert_eq!(pairs(&scripts), [Some(3), None, None, Some(0)]);
}

#[test]
fn variants_for_other_databases_are_left_to_them() {
    let directories = ["", "db", "db/mysql", "db/postgres", "db/sqlite"];
    assert_eq!(
        sibling("db/mysql/v1", &directories).as_deref(),
        Some("db/postgres")
    );
    assert_eq!(sibling("db/postgres", &directories), None);
    assert!(
        sibling("mysql", &directories).is_none(),
        "nothing is written for PostgreSQL"
    );
}
