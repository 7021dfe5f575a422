#![expect(
    clippy::disallowed_methods,
    reason = "tests lay out trees of their own"
)]

use std::fs;

use super::*;

/// A directory with these files, and what is discovered in it for these paths.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for (path, text) in files {
            let path = place.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        place
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn discover(&self, paths: &[&str]) -> Discovered {
        self.discover_with(paths, None)
    }

    fn discover_with(&self, paths: &[&str], stdin: Option<StdinInput>) -> Discovered {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        discover(&Request {
            cwd: self.path(),
            paths: &paths,
            settings: &Settings::default(),
            stdin,
            changed: None,
        })
        .expect("Git is not asked")
    }
}

/// The files that findings are wanted for.
fn wanted(found: &Discovered) -> Vec<&str> {
    let mut paths: Vec<&str> = Vec::new();
    for project in &found.projects {
        for source in &found.sources {
            let is_own = project
                .scripts
                .iter()
                .any(|script| script.source == source.id);
            if is_own
                && project
                    .wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(&source.id))
            {
                paths.push(&source.path);
            }
        }
    }
    paths
}

fn read(found: &Discovered) -> Vec<&str> {
    found
        .sources
        .iter()
        .map(|source| source.path.as_str())
        .collect()
}

fn errors(found: &Discovered) -> Vec<String> {
    found
        .errors
        .iter()
        .map(|error| format!("{}: {}", error.path, error.message))
        .collect()
}

const SQL: &[u8] = b"CREATE TABLE t (id int);\n";

#[test]
fn paths_are_shown_from_the_current_directory() {
    let cases = [
        ("/a/b/c.sql", "/a/b", "c.sql"),
        ("/a/c.sql", "/a/b", "../c.sql"),
        ("/x/c.sql", "/a/b", "/x/c.sql"),
        ("/a/b", "/a/b", "."),
        ("/a/c.sql", "/", "a/c.sql"),
    ];
    for (path, cwd, expected) in cases {
        assert_eq!(
            shown(Path::new(path), Path::new(cwd)),
            expected,
            "{path} from {cwd}"
        );
    }
}

#[test]
fn one_file_is_judged_within_its_history() {
    let place = Place::with(&[
        (".git/HEAD", b""),
        ("m/1_a.up.sql", SQL),
        ("m/1_a.down.sql", SQL),
        ("m/2_b.up.sql", SQL),
    ]);
    for path in ["m/2_b.up.sql", "./m/../m/2_b.up.sql"] {
        let found = place.discover(&[path]);
        assert_eq!(
            read(&found),
            ["m/1_a.down.sql", "m/1_a.up.sql", "m/2_b.up.sql"]
        );
        assert_eq!(wanted(&found), ["m/2_b.up.sql"]);
    }
    let found = place.discover(&["m/2_b.up.sql", "m/1_a.up.sql"]);
    assert_eq!(found.projects.len(), 1);
    assert_eq!(wanted(&found), ["m/1_a.up.sql", "m/2_b.up.sql"]);
    let found = place.discover(&["m/2_b.up.sql", "m"]);
    assert_eq!(
        (found.projects.len(), wanted(&found).len()),
        (1, 3),
        "the directory wants them all"
    );
}

#[test]
fn a_directory_inside_a_history_selects_its_files() {
    let place = Place::with(&[
        (".git/HEAD", b""),
        (
            "flyway.conf",
            b"flyway.locations=filesystem:db\nflyway.group=true\n",
        ),
        ("db/V1__a.sql", SQL),
        ("db/new/V2__b.sql", SQL),
    ]);
    let found = place.discover(&["db/new"]);
    assert_eq!(read(&found), ["db/V1__a.sql", "db/new/V2__b.sql"]);
    assert_eq!(wanted(&found), ["db/new/V2__b.sql"]);
    let found = place.discover(&["db"]);
    assert_eq!(wanted(&found).len(), 2);
    assert!(
        found.projects[0].found.is_on("group"),
        "settings above the directory count"
    );
}

#[test]
fn files_of_no_tool_stand_alone() {
    let place = Place::with(&[
        (".git/HEAD", b""),
        ("x/a.sql", SQL),
        ("x/b.sql", SQL),
        ("x/c.py", b"x = 1\n"),
        ("README.md", b""),
    ]);
    let found = place.discover(&["x/a.sql", "x/b.sql", "x/c.py", "README.md"]);
    assert_eq!((found.projects.len(), found.ignored), (2, 2));
    assert_eq!(wanted(&found), ["x/a.sql", "x/b.sql"]);
    assert!(
        place.discover(&[]).projects.is_empty(),
        "queries are not migrations"
    );
    assert_eq!(
        place.discover(&["x"]).projects.len(),
        1,
        "unless someone says so"
    );
}

#[test]
fn ignored_files_are_read_when_they_are_named() {
    let place = Place::with(&[
        (".git/HEAD", b""),
        (".gitignore", b"/old\n*.tmp.sql\n"),
        ("m/migrations/1.sql", SQL),
        ("m/migrations/2.tmp.sql", SQL),
        ("m/migrations/.3.sql", SQL),
        ("m/.gitignore", b"!2.tmp.sql\n/migrations/4.sql\n"),
        ("m/migrations/4.sql", SQL),
        ("old/migrations/1.sql", SQL),
        ("node_modules/x/migrations/1.sql", SQL),
        ("env/pyvenv.cfg", b""),
        ("env/migrations/1.sql", SQL),
    ]);
    assert_eq!(
        read(&place.discover(&[])),
        ["m/migrations/1.sql", "m/migrations/2.tmp.sql"]
    );
    assert_eq!(
        read(&place.discover(&["m/migrations"])),
        ["m/migrations/1.sql", "m/migrations/2.tmp.sql"]
    );
    assert_eq!(
        wanted(&place.discover(&["m/migrations/4.sql"])),
        ["m/migrations/4.sql"]
    );
    assert_eq!(wanted(&place.discover(&["old"])), ["old/migrations/1.sql"]);
}

#[test]
fn what_cannot_be_read_costs_itself_only() {
    let place = Place::with(&[
        ("migrations/1.sql", SQL),
        ("migrations/2.sql", b"-- caf\xe9\n"),
        ("migrations/3.sql", b"\xff\xfeS\0"),
    ]);
    let found = place.discover(&["migrations", "nowhere", "migrations/1.sql"]);
    assert_eq!(read(&found), ["migrations/1.sql"]);
    let errors = errors(&found);
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        errors[0].starts_with("migrations/2.sql: not UTF-8 at byte 6 (line 1)"),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with("migrations/3.sql: UTF-16"),
        "{errors:?}"
    );
    assert_eq!(errors[2], "nowhere: there is no such file or directory");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_read_and_links_to_directories_are_not_followed() {
    use std::os::unix::fs::symlink;
    let place = Place::with(&[("migrations/1.sql", SQL), ("shared/2.sql", SQL)]);
    symlink(
        place.path().join("shared/2.sql"),
        place.path().join("migrations/2.sql"),
    )
    .unwrap();
    symlink("nowhere.sql", place.path().join("migrations/3.sql")).unwrap();
    symlink("nowhere.txt", place.path().join("migrations/notes.txt")).unwrap();
    symlink(place.path(), place.path().join("migrations/loop")).unwrap();
    let found = place.discover(&["migrations"]);
    assert_eq!(read(&found), ["migrations/1.sql", "migrations/2.sql"]);
    assert_eq!(
        errors(&found),
        ["migrations/3.sql: cannot be read: it is a symbolic link to a file that is not there"]
    );
    let found = place.discover(&["migrations/3.sql"]);
    assert_eq!(found.errors.len(), 1);
}

#[test]
fn standard_input_stands_for_a_file() {
    let place = Place::with(&[
        (".git/HEAD", b""),
        ("m/1_a.up.sql", SQL),
        ("m/1_a.down.sql", SQL),
    ]);
    let input = |text: &[u8], filename: Option<&str>| StdinInput {
        bytes: text.to_vec(),
        filename: filename.map(PathBuf::from),
    };
    let found = place.discover_with(&["-"], Some(input(b"SELECT 1;", Some("m/1_a.up.sql"))));
    assert_eq!(wanted(&found), ["m/1_a.up.sql"]);
    assert_eq!(&*found.sources[1].text, "SELECT 1;");
    let found = place.discover_with(&["-"], Some(input(b"SELECT 1;", Some("m/2_new.up.sql"))));
    assert_eq!(
        (wanted(&found), found.sources.len()),
        (vec!["m/2_new.up.sql"], 3)
    );
    let found = place.discover_with(&["-"], Some(input(b"SELECT 1;", None)));
    assert_eq!(read(&found), ["<stdin>"]);
    let found = place.discover_with(&["-"], Some(input(b"\xe9", None)));
    assert!(errors(&found)[0].starts_with("<stdin>: not UTF-8 at byte 0"));
}
