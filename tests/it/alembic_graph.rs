//! Environments, places of revisions and their order are what the real Alembic makes of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lockgate::discover::{Request, discover};
use lockgate::layout::Direction;
use lockgate::settings::Settings;

use crate::servers::python_tool;

/// A revision file: its path and the assignments at its top.
type Revision = (&'static str, &'static str);

struct Tree {
    title: &'static str,
    /// Configuration files with their texts.
    config: &'static [(&'static str, &'static str)],
    revisions: &'static [Revision],
    /// Each environment: the file and section for Alembic, the directory that we say it has.
    environments: &'static [(&'static str, &'static str)],
}

const TREES: &[Tree] = &[
    Tree {
        title: "one line, whatever the names",
        config: &[(
            "alembic.ini",
            "[alembic]\nscript_location = db\nfile_template = %%(year)d_%%(slug)s\n",
        )],
        revisions: &[
            (
                "db/versions/2024_c.py",
                "revision = 'a'\ndown_revision = None",
            ),
            (
                "db/versions/2023_b.py",
                "revision = 'b'\ndown_revision = 'a'",
            ),
            (
                "db/versions/2022_a.py",
                "revision: str = 'c'\ndown_revision: str | None = 'b'",
            ),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "branches that are merged",
        config: &[("alembic.ini", "[alembic]\nscript_location = %(here)s/db\n")],
        revisions: &[
            ("db/versions/a.py", "revision = 'a'\ndown_revision = None"),
            ("db/versions/b.py", "revision = 'b'\ndown_revision = 'a'"),
            ("db/versions/c.py", "revision = 'c'\ndown_revision = 'a'"),
            ("db/versions/d.py", "revision = 'd'\ndown_revision = 'c'"),
            (
                "db/versions/m.py",
                "revision = 'm'\ndown_revision = ('b', 'd')",
            ),
            ("db/versions/n.py", "revision = 'n'\ndown_revision = ['m']"),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "two bases with labels, one depending on the other",
        config: &[("alembic.ini", "[alembic]\nscript_location = db\n")],
        revisions: &[
            (
                "db/versions/a.py",
                "revision = 'a'\ndown_revision = None\nbranch_labels = ('core',)",
            ),
            ("db/versions/b.py", "revision = 'b'\ndown_revision = 'a'"),
            (
                "db/versions/0x.py",
                "revision = 'x'\ndown_revision = None\nbranch_labels = 'shop'\ndepends_on = 'core'",
            ),
            (
                "db/versions/0y.py",
                "revision = 'y'\ndown_revision = 'x'\ndepends_on = ('a',)",
            ),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "several places, cut at colons",
        config: &[(
            "alembic.ini",
            "[alembic]\nscript_location = db\nversion_locations = %(here)s/db/versions:%(here)s/more/own versions\nversion_path_separator = os\n",
        )],
        revisions: &[
            ("db/versions/a.py", "revision = 'a'\ndown_revision = None"),
            (
                "more/own versions/b.py",
                "revision = 'b'\ndown_revision = 'a'",
            ),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "several places, one in each line",
        config: &[(
            "alembic.ini",
            "[alembic]\nscript_location = db\npath_separator = newline\nversion_locations =\n    %(here)s/db/versions\n    more\n",
        )],
        revisions: &[
            ("db/versions/a.py", "revision = 'a'\ndown_revision = None"),
            ("more/b.py", "revision = 'b'\ndown_revision = 'a'"),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "directories below, which count",
        config: &[(
            "alembic.ini",
            "[alembic]\nscript_location = db\nrecursive_version_locations = true\n",
        )],
        revisions: &[
            (
                "db/versions/2024/a.py",
                "revision = 'a'\ndown_revision = None",
            ),
            (
                "db/versions/2025/01/b.py",
                "revision = 'b'\ndown_revision = 'a'",
            ),
            ("db/versions/c.py", "revision = 'c'\ndown_revision = 'b'"),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "directories below, which do not count",
        config: &[("alembic.ini", "[alembic]\nscript_location = db\n")],
        revisions: &[
            ("db/versions/a.py", "revision = 'a'\ndown_revision = None"),
            (
                "db/versions/old/b.py",
                "revision = 'b'\ndown_revision = 'a'",
            ),
            ("db/versions/__init__.py", ""),
        ],
        environments: &[("alembic.ini:alembic", "db")],
    },
    Tree {
        title: "environments of one file",
        config: &[(
            "alembic.ini",
            "[DEFAULT]\nroot = envs\n[alembic]\nscript_location = envs/core\n[tenant]\nscript_location = %(root)s/tenant\n",
        )],
        revisions: &[
            (
                "envs/core/versions/a.py",
                "revision = 'a'\ndown_revision = None",
            ),
            (
                "envs/tenant/versions/t.py",
                "revision = 't'\ndown_revision = None",
            ),
            (
                "envs/tenant/versions/u.py",
                "revision = 'u'\ndown_revision = 't'",
            ),
        ],
        environments: &[
            ("alembic.ini:alembic", "envs/core"),
            ("alembic.ini:tenant", "envs/tenant"),
        ],
    },
    Tree {
        title: "settings of a Python project",
        config: &[(
            "pyproject.toml",
            "[project]\nname = 'x'\n\n[tool.alembic]\nscript_location = \"%(here)s/db\"\nversion_locations = [\n  \"%(here)s/db/versions\",\n  \"%(here)s/plugin/versions\",\n]\n",
        )],
        revisions: &[
            ("db/versions/a.py", "revision = 'a'\ndown_revision = None"),
            (
                "plugin/versions/b.py",
                "revision = 'b'\ndown_revision = 'a'",
            ),
        ],
        environments: &[("pyproject.toml:alembic", "db")],
    },
];

fn write(tree: &Tree, root: &Path) {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    for (path, text) in tree.config {
        put(path, text);
    }
    for (_, directory) in tree.environments {
        put(
            &format!("{directory}/env.py"),
            "from alembic import context\n",
        );
        put(&format!("{directory}/script.py.mako"), "");
        fs::create_dir_all(root.join(directory).join("versions")).expect("a directory");
    }
    for (path, top) in tree.revisions {
        let text = if top.is_empty() {
            String::new()
        } else {
            format!("{top}\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n")
        };
        put(path, &text);
    }
}

/// A revision and those that it follows.
type Edges = Vec<(String, Vec<String>)>;

/// The revisions of the environment in that directory, in the order in which we say that they run; and their edges.
fn ours(root: &Path, directory: &str) -> Option<(Vec<String>, Edges)> {
    let settings = Settings {
        root: Some(root.to_owned()),
        ..Settings::default()
    };
    let found = discover(&Request {
        cwd: root,
        paths: &[],
        settings: &settings,
        stdin: None,
        changed: None,
    })
    .unwrap();
    let project = found
        .projects
        .iter()
        .find(|project| project.found.root == directory)?;
    let ups = || {
        project
            .scripts
            .iter()
            .filter(|script| script.direction == Direction::Up)
    };
    let edges = ups()
        .map(|script| {
            let parents = script.parents.iter().map(|(id, _)| id.clone()).collect();
            (script.version.clone(), parents)
        })
        .collect();
    Some((ups().map(|script| script.version.clone()).collect(), edges))
}

#[test]
fn environments_and_orders_are_those_of_alembic() {
    let Some(python) = python_tool("python") else {
        return;
    };
    let mut report = Vec::new();
    for tree in TREES {
        let root = tempfile::tempdir().expect("a directory");
        write(tree, root.path());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alembic/order.py");
        let output = std::process::Command::new(&python)
            .arg("-B")
            .arg(script)
            .arg(root.path())
            .args(tree.environments.iter().map(|(config, _)| config))
            .output()
            .expect("the interpreter runs");
        let told: Vec<serde_json::Value> =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
                panic!(
                    "{}: {error}: {}",
                    tree.title,
                    String::from_utf8_lossy(&output.stderr)
                )
            });
        for ((_, directory), told) in tree.environments.iter().zip(told) {
            let texts = |key: &str| -> Vec<String> {
                let list = told[key].as_array().cloned().unwrap_or_default();
                list.iter()
                    .filter_map(|text| text.as_str().map(str::to_owned))
                    .collect()
            };
            let Some((order, edges)) = ours(root.path(), directory) else {
                report.push(format!("{}: `{directory}` is not found", tree.title));
                continue;
            };
            let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
            if told.get("error").is_some() || set(&order) != set(&texts("all")) {
                report.push(format!("{}: we find {order:?}, Alembic {told}", tree.title));
                continue;
            }
            let heads: BTreeSet<String> = order
                .iter()
                .filter(|id| !edges.iter().any(|(_, parents)| parents.contains(id)))
                .cloned()
                .collect();
            if heads != set(&texts("heads")) {
                report.push(format!("{}: heads {heads:?}, Alembic {told}", tree.title));
            }
            // Where the graph leaves the order open, Alembic takes the one in which the system lists the files.
            let is_line = edges.iter().all(|(_, parents)| parents.len() < 2) && heads.len() == 1;
            if is_line && order != texts("order") {
                report.push(format!("{}: order {order:?}, Alembic {told}", tree.title));
            }
            let place = |id: &String| order.iter().position(|other| other == id);
            for (id, parents) in &edges {
                if parents.iter().any(|parent| place(parent) >= place(id)) {
                    report.push(format!("{}: `{id}` runs too early: {order:?}", tree.title));
                }
            }
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}
