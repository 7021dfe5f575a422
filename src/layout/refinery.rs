//! refinery: `V1__create_users.sql` in a Rust package.
//!
//! Read in the tool's source: names are `V` or `U`, a number, `__` and words; others are left out with a warning in the
//! log. `U` is no way back: it is a migration that may be applied out of order. Directories are read with those below.
//! Each migration is one message in a transaction of its own, and nothing leaves it. Nothing goes back.

use std::cmp::Ordering;

use super::{
    Applied, Arrangement, Client, Direction, DownScripts, File, Files, Found, Late, Layout,
    Outside, ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_version,
    name, path, sign,
};

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "refinery",
    detect,
    open: |_, root, options| Found::named(&LAYOUT, root, options),
    files,
    read,
    arrange,
    compare: Some(name::number),
    applied: Applied {
        edited: Some("stops: it compares checksums"),
        renamed: Some("stops: its checksum includes the name"),
        gone: Some("stops: it misses an applied migration"),
        late: |_, script| {
            if path::file_name(&script.path).starts_with('U') {
                Late::Unknown
            } else {
                Late::Refuses("unless it is told not to abort for missing ones")
            }
        },
        ..Applied::by("refinery")
    },
    client: Client::DRIVER,
    runner: Runner {
        send: Send::SimpleBatch,
        wraps: Wraps::Script,
        session: crate::layout::Session::One,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "run it by hand before the deployment, and write it here with `IF NOT EXISTS` and without \
                  `CONCURRENTLY`: refinery runs every migration in a transaction",
        outside: Outside::Never,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Unsupported,
    },
};

/// The version and the title of a file; else why refinery does not run it.
fn parse(file: &str) -> Result<(&str, &str), &'static str> {
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    if !matches!(extension, "sql" | "rs") {
        return Err("its name does not end in `.sql`");
    }
    let rest = stem
        .strip_prefix(['V', 'U'])
        .ok_or("its name does not begin with `V` or `U`")?;
    let version = name::digits(rest);
    if version.is_empty() {
        return Err("no version number stands behind the first letter");
    }
    if rest[version.len()..].starts_with('.') {
        return Err("its version is no whole number");
    }
    if version.parse::<i64>().is_err() {
        return Err("its version is larger than 9223372036854775807");
    }
    let title = rest[version.len()..]
        .strip_prefix("__")
        .ok_or("no `__` stands behind its version number")?;
    if title.is_empty() || !title.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err("its title is not made of letters, digits and `_`");
    }
    Ok((version, title))
}

fn detect(files: &dyn Files) -> Vec<Found> {
    let mut founds: Vec<Found> = Vec::new();
    for (directory, names) in sign::by_directory(files) {
        if founds.iter().any(|found| found.claims(directory)) {
            continue;
        }
        let Some(first) = names.iter().find(|name| parse(name).is_ok()) else {
            continue;
        };
        let sign = if let Some(config) = sign::nearest(files, directory, "refinery.toml") {
            format!("there is a `{config}`")
        } else if sign::needs_crate(files, directory, "refinery") {
            "the Rust package around it needs `refinery`".to_owned()
        } else {
            continue;
        };
        founds.push(Found::of(
            &LAYOUT,
            directory,
            format!("it holds `{first}`, and {sign}"),
        ));
    }
    founds
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    path::below(files.paths(), &found.root)
        .filter(|path| {
            path::is_sql(path)
                || (path::extension(path).as_deref() == Some("rs")
                    && parse(path::file_name(path)).is_ok())
        })
        .cloned()
        .collect()
}

fn read(_: &Found, file: &File<'_>) -> Reading {
    let (version, title) = match parse(file.name()) {
        Ok(_) if path::extension(file.path).as_deref() == Some("rs") => {
            return Reading::of_code(file, "refinery", "Rust");
        }
        Ok(parsed) => parsed,
        Err(why) => {
            return Reading::problem(file.problem(
                ProblemKind::Misnamed,
                format!("refinery never runs `{}`: {why}", file.name()),
                Some("name it `V<version>__<title>.sql`, or move it elsewhere".to_owned()),
            ));
        }
    };
    let mut script = Script::of_file(file, Direction::Up);
    version.clone_into(&mut script.version);
    version.trim_start_matches('0').clone_into(&mut script.key);
    script.description = name::title(title);
    Reading::script(script)
}

fn arrange(_: &Found, scripts: Vec<Script>) -> Arrangement {
    arrange_by_version(
        scripts,
        compare,
        "refinery records a version once and refuses the other one; number it anew",
    )
}

fn compare(a: &Script, b: &Script) -> Ordering {
    name::number(&a.version, &b.version)
}
