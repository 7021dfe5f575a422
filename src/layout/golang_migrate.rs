//! golang-migrate: `1_create_users.up.sql` beside `1_create_users.down.sql`.
//!
//! Read in the tool's source: names must match `digits _ anything . (up|down) . anything`, others are skipped without a
//! word; versions are unsigned 64-bit numbers, so `001` and `1` are one version; directories below are not looked at;
//! a file is sent as one message of the simple protocol. With the option `x-multi-statement` (a parameter of the
//! connection URL, so nothing in the repository tells; it can be given in Lockgate's configuration) the file is cut at
//! every `;` and the parts are sent one by one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    is_other_database, is_postgres, name, path,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "golang-migrate",
    detect,
    open,
    files,
    read,
    arrange,
    compare: Some(name::number),
    applied: Applied {
        gone: Some("stops if it is the newest one there"),
        late: |_, _| Late::Skips,
        ..Applied::by("golang-migrate")
    },
    // Only names tell this tool: what has them may be another one that fills in templates.
    client: Client {
        fills: true,
        ..Client::DRIVER
    },
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Nothing,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "move it into a migration file of its own: golang-migrate sends a file as one message, which is a \
                  transaction as soon as it holds two statements",
        outside: Outside::Alone,
        opens: "",
        keeps: None,
        lock: RunnerLock::Waiting,
        mixing: None,
        down: DownScripts::Expected,
    },
};

/// The option that cuts files at every `;`.
const MULTI_STATEMENT: &str = "x-multi-statement";

/// The parts of a file's name.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    version: &'a str,
    description: &'a str,
    direction: Direction,
}

/// Takes a name apart as the tool does; else the reason why the tool skips it.
fn parse(file: &str) -> Result<Name<'_>, &'static str> {
    let version = name::digits(file);
    let marked = [(".up.", Direction::Up), (".down.", Direction::Down)]
        .into_iter()
        .filter_map(|(mark, direction)| Some((file.rfind(mark)?, direction)))
        .max_by_key(|(at, _)| *at);
    if version.is_empty() {
        return Err("it does not begin with a version number");
    }
    let Some((end, direction)) = marked else {
        return Err("neither `.up.` nor `.down.` stands before its extension");
    };
    let Some(description) = file
        .get(version.len() + 1..end)
        .filter(|_| file[version.len()..].starts_with('_'))
    else {
        return Err("no `_` stands behind its version number");
    };
    if version.parse::<u64>().is_err() {
        return Err("its version is larger than 18446744073709551615");
    }
    Ok(Name {
        version,
        description,
        direction,
    })
}

/// More up files than this with a version that another one has: the directory is not golang-migrate's.
const MOST_COLLISIONS: usize = 3;

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut directories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files.paths() {
        if path::is_sql(path) {
            directories
                .entry(path::parent(path))
                .or_default()
                .push(path::file_name(path));
        }
    }
    let mut founds = Vec::new();
    for (directory, names) in directories {
        let ups: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| parse(name).is_ok_and(|parts| parts.direction == Direction::Up))
            .collect();
        let Some(first) = ups.first() else { continue };
        // Files for several databases side by side (`1_users.mysql.up.sql`) are another tool's; here they would collide.
        let is_variant = |part: &str| is_other_database(part) || is_postgres(part);
        if ups
            .iter()
            .filter(|name| name.split('.').any(is_variant))
            .count()
            > 1
        {
            continue;
        }
        // golang-migrate refuses to start when two files claim one version. One collision is a mistake; a directory full
        // of them belongs to a tool that orders by the whole name.
        let versions: BTreeSet<u64> = ups
            .iter()
            .filter_map(|name| parse(name).ok()?.version.parse().ok())
            .collect();
        if ups.len() - versions.len() > MOST_COLLISIONS {
            continue;
        }
        let all: BTreeSet<&str> = names.iter().copied().collect();
        let pair = ups.iter().find(|up| {
            let down = up.replacen(".up.", ".down.", 1);
            all.contains(down.as_str())
        });
        let matching = names.iter().filter(|name| parse(name).is_ok()).count();
        let reason = match pair {
            Some(up) => format!("`{up}` has a `.down.sql` beside it"),
            None if 2 * matching > names.len() => {
                format!("most of its files are named like `{first}`")
            }
            None => continue,
        };
        if another_tool(directory, files) {
            continue;
        }
        founds.push(Found {
            root: directory.to_owned(),
            directories: vec![directory.to_owned()],
            reason,
            settings: BTreeMap::new(),
            ..Found::bare(&LAYOUT)
        });
    }
    founds
}

/// True if the nearest package above the directory names another tool that has the same file names.
fn another_tool(directory: &str, files: &dyn Files) -> bool {
    let mut at = directory;
    loop {
        let near = |name: &str| path::resolve(at, name).and_then(|path| files.text(&path));
        if near("go.mod").is_some() {
            return false;
        }
        let others = [("Cargo.toml", "sqlx"), ("package.json", "node-pg-migrate")];
        for (manifest, tool) in others {
            if near(manifest).is_some_and(|text| text.contains(tool)) {
                return true;
            }
        }
        if at.is_empty() {
            return false;
        }
        at = path::parent(at);
    }
}

fn open(_: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    Found {
        root: root.to_owned(),
        directories: vec![root.to_owned()],
        reason: "the configuration names it".to_owned(),
        settings: options.clone(),
        ..Found::bare(&LAYOUT)
    }
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    path::below(files.paths(), &found.root)
        .filter(|path| path::parent(path) == found.root && path::is_sql(path))
        .cloned()
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let name = match parse(file.name()) {
        Ok(name) => name,
        Err(why) => {
            let message = format!("golang-migrate never runs `{}`: {why}", file.name());
            let help = "name it `<version>_<title>.up.sql` (and `.down.sql` for the way back), or move it elsewhere";
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                message,
                Some(help.to_owned()),
            ));
        }
    };
    let mut script = Script::of_file(file, name.direction);
    name.version.clone_into(&mut script.version);
    script.key = name
        .version
        .parse::<u64>()
        .map_or_else(|_| name.version.to_owned(), |version| version.to_string());
    script.description = name.description.replace('_', " ");
    if found.is_on(MULTI_STATEMENT) {
        for piece in &mut script.pieces {
            piece.send = Some(Send::PerStatement);
        }
    }
    Reading::script(script)
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        compare,
        "golang-migrate refuses to start with two files of one version; number it anew",
    )
}

fn compare(a: &Script, b: &Script) -> Ordering {
    name::number(&a.version, &b.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_the_tool_does() {
        let parsed =
            |file| parse(file).map(|name| (name.version, name.description, name.direction));
        assert_eq!(
            parsed("001_create_users.up.sql"),
            Ok(("001", "create_users", Direction::Up))
        );
        assert_eq!(parsed("1_.down.sql"), Ok(("1", "", Direction::Down)));
        assert_eq!(
            parsed("1_a.up.b.down.sql"),
            Ok(("1", "a.up.b", Direction::Down)),
            "the last mark counts"
        );
        assert_eq!(
            parsed("1_a.down.up.sql"),
            Ok(("1", "a.down", Direction::Up))
        );
        for file in [
            "a_b.up.sql",
            "1-a.up.sql",
            "1.up.sql",
            "1_a.sql",
            "1_a.UP.sql",
            "18446744073709551616_a.up.sql",
            "",
            "_é.up.sql",
        ] {
            assert!(parse(file).is_err(), "{file}");
        }
    }
}
