//! The files that libpq reads for a connection: password file, service file, certificates.

use std::io;
use std::path::{Path, PathBuf};

use super::conninfo::Params;
use super::params::Surroundings;

/// The text of a file that somebody named.
#[expect(
    clippy::disallowed_methods,
    reason = "what a connection needs is in files outside of the project"
)]
pub(super) fn read(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a connection needs is in files outside of the project"
)]
pub(super) fn exists(path: &Path) -> bool {
    path.exists()
}

/// The password for one host from the password file; none where there is no file or no line that fits.
///
/// A file that others may read is left out, as libpq does; that is said in the second part.
pub(super) fn password(
    file: &Path,
    host: &str,
    port: u16,
    dbname: &str,
    user: &str,
) -> (Option<String>, Option<String>) {
    let Ok(text) = read(file) else {
        return (None, None);
    };
    if is_open_to_others(file) {
        let note = format!(
            "the password file {} was left out because others may read it; chmod 0600 it",
            file.display()
        );
        return (None, Some(note));
    }
    (line_for(&text, host, port, dbname, user), None)
}

#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "what a connection needs is in files outside of the project"
)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// `host:port:database:user:password`; `*` fits everything, a backslash takes the meaning of `:` and `\` away.
fn line_for(text: &str, host: &str, port: u16, dbname: &str, user: &str) -> Option<String> {
    // A socket directory is called `localhost` in the file.
    let host = if host.starts_with('/') || host.is_empty() {
        "localhost"
    } else {
        host
    };
    let port = port.to_string();
    let wanted = [host, &port, dbname, user];
    text.split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut fields = fields(line);
            let password = (fields.len() == 5).then(|| fields.pop())??;
            let fits = fields
                .iter()
                .zip(wanted)
                .all(|(field, wanted)| field == "*" || field == wanted);
            fits.then_some(password)
        })
}

/// The five fields of a line.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let last = fields.len() - 1;
        match c {
            '\\' => fields[last].extend(chars.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            c => fields[last].push(c),
        }
    }
    fields
}

/// The parameters of a service, from the user's file, else from the system's.
pub(super) fn service(name: &str, surroundings: &Surroundings) -> Result<Params, String> {
    let own = surroundings
        .var("PGSERVICEFILE")
        .map(PathBuf::from)
        .or_else(|| Some(surroundings.home.as_ref()?.join(".pg_service.conf")));
    let system = surroundings
        .var("PGSYSCONFDIR")
        .map(|directory| Path::new(directory).join("pg_service.conf"));
    for file in own.iter().chain(&system) {
        let Ok(text) = read(file) else { continue };
        if let Some(params) = section(&text, name) {
            return Ok(params);
        }
    }
    let files: Vec<String> = own
        .iter()
        .chain(&system)
        .map(|file| file.display().to_string())
        .collect();
    Err(format!(
        "there is no service `{name}` in {}",
        files.join(" or ")
    ))
}

/// The lines of `[name]`.
fn section(text: &str, name: &str) -> Option<Params> {
    let mut params = None;
    for line in text.split(['\n', '\r']).map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            if params.is_some() {
                break;
            }
            if header == name {
                params = Some(Params::new());
            }
        } else if let (Some(params), false, Some((key, value))) =
            (&mut params, line.starts_with('#'), line.split_once('='))
        {
            params.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let file = "# comment\ndb:5432:shop:alice:first\ndb:*:*:alice:a\\:b\\\\c\n*:*:*:bob:x:y\r\nlocalhost:5432:*:eve:local\n";
        for (host, dbname, user, expected) in [
            ("db", "shop", "alice", Some("first")),
            ("db", "other", "alice", Some(r"a:b\c")),
            ("elsewhere", "shop", "alice", None),
            ("elsewhere", "shop", "bob", Some("x:y")),
            ("/tmp/sock", "shop", "eve", Some("local")),
            ("", "shop", "eve", Some("local")),
        ] {
            let found = line_for(file, host, 5432, dbname, user);
            assert_eq!(found.as_deref(), expected, "{host} {dbname} {user}");
        }
    }

    #[test]
    fn a_service_is_one_section() {
        let file = "[a]\nhost=x\n\n[b]\n# no\nhost = y\r\ndbname=shop\n[c]\nhost=z";
        let params = section(file, "b").expect("there is a section b");
        let shown: Vec<String> = params.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(shown, ["dbname=shop", "host=y"]);
        assert_eq!(section(file, "d"), None);
    }
}
