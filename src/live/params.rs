//! Where to connect to, from a connection string, the `PG*` variables, the service file and libpq's defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::conninfo::{self, Params};
use super::files;

/// How long a connection may take to be made unless `connect_timeout` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Directories in which servers put their sockets, those of Debian's packages first.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// What surrounds the process, as far as a connection depends on it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment's `PG*` variables.
    pub vars: BTreeMap<String, String>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// The user's name at the operating system.
    pub user: Option<String>,
}

impl Surroundings {
    pub(super) fn var(&self, name: &str) -> Option<&str> {
        let value = self.vars.get(name)?;
        (!value.is_empty()).then_some(value)
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What TLS must prove: libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    Disable,
    /// TLS if the server offers it (`allow` too).
    Prefer,
    /// TLS, whoever answers.
    Require,
    /// The certificate's chain is checked.
    VerifyCa,
    /// The host name too.
    VerifyFull,
}

/// One place where the server may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Tcp {
        /// As given: what a certificate must name.
        name: String,
        /// Where to connect to; the name unless `hostaddr` is given.
        address: String,
        port: u16,
    },
    Socket {
        directory: PathBuf,
        port: u16,
    },
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { name, port, .. } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Tcp { name, port, .. } => write!(f, "{name}:{port}"),
            Self::Socket { .. } => write!(f, "{}", self.socket().display()),
        }
    }
}

impl Host {
    fn port(&self) -> u16 {
        match self {
            Self::Tcp { port, .. } | Self::Socket { port, .. } => *port,
        }
    }

    /// The path of the socket.
    pub(super) fn socket(&self) -> PathBuf {
        match self {
            Self::Tcp { .. } => PathBuf::new(),
            Self::Socket { directory, port } => directory.join(format!(".s.PGSQL.{port}")),
        }
    }
}

/// Everything that a connection needs. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) dbname: String,
    pub(super) password: Option<Secret>,
    pub(super) passfile: Option<PathBuf>,
    pub(super) sslmode: SslMode,
    /// `system` or a file of certificates; none where nothing is verified.
    pub(super) root_certificates: Option<PathBuf>,
    /// Certificate and key that the client shows.
    pub(super) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(super) options: Option<String>,
    pub(super) connect_timeout: Duration,
    /// `target_session_attrs` that asks for a server that takes writes.
    pub(super) wants_primary: bool,
    /// … or for a standby.
    pub(super) wants_standby: bool,
}

impl Target {
    /// Puts together what a connection string says, or what the environment says if there is none.
    pub fn new(string: Option<&str>, surroundings: &Surroundings) -> Result<Self, String> {
        let mut params = match string {
            Some(string) => conninfo::parse(string)?,
            None => Params::new(),
        };
        let service = params
            .get("service")
            .map(String::as_str)
            .or_else(|| surroundings.var("PGSERVICE"));
        if let Some(service) = service {
            let from_service = files::service(service, surroundings)?;
            conninfo::check_names(&from_service)?;
            for (key, value) in from_service {
                params.entry(key).or_insert(value);
            }
        }
        for (variable, key) in [
            ("PGHOST", "host"),
            ("PGHOSTADDR", "hostaddr"),
            ("PGPORT", "port"),
            ("PGDATABASE", "dbname"),
            ("PGUSER", "user"),
            ("PGPASSWORD", "password"),
            ("PGPASSFILE", "passfile"),
            ("PGSSLMODE", "sslmode"),
            ("PGSSLROOTCERT", "sslrootcert"),
            ("PGSSLCERT", "sslcert"),
            ("PGSSLKEY", "sslkey"),
            ("PGCONNECT_TIMEOUT", "connect_timeout"),
            ("PGOPTIONS", "options"),
            ("PGTARGETSESSIONATTRS", "target_session_attrs"),
        ] {
            if let (Some(value), false) = (surroundings.var(variable), params.contains_key(key)) {
                params.insert(key.to_owned(), value.to_owned());
            }
        }
        Self::of(&params, surroundings)
    }

    fn of(params: &Params, surroundings: &Surroundings) -> Result<Self, String> {
        let get = |key: &str| params.get(key).filter(|value| !value.is_empty());
        let user = get("user")
            .or(surroundings.user.as_ref())
            .ok_or("no user is named: give one in the URL or as PGUSER")?
            .clone();
        let in_home = |name: &str| surroundings.home.as_ref().map(|home| home.join(name));
        let sslmode = ssl_mode(get("sslmode").map(String::as_str))?;
        let root_certificates = match get("sslrootcert") {
            Some(path) => Some(PathBuf::from(path)),
            None => in_home(".postgresql/root.crt").filter(|path| files::exists(path)),
        };
        // libpq: with `sslrootcert=system` nothing weaker than `verify-full` makes sense.
        let of_system = root_certificates.as_deref() == Some(Path::new("system"));
        let sslmode = match get("sslmode") {
            None if of_system => SslMode::VerifyFull,
            Some(_) if of_system && sslmode != SslMode::VerifyFull => {
                return Err(
                    "with `sslrootcert=system` the `sslmode` must be `verify-full`".to_owned(),
                );
            }
            _ => sslmode,
        };
        let client_certificate = match (get("sslcert"), get("sslkey")) {
            (Some(certificate), Some(key)) => {
                Some((PathBuf::from(certificate), PathBuf::from(key)))
            }
            (None, None) => in_home(".postgresql/postgresql.crt")
                .zip(in_home(".postgresql/postgresql.key"))
                .filter(|(certificate, key)| files::exists(certificate) && files::exists(key)),
            _ => return Err("`sslcert` and `sslkey` belong together".to_owned()),
        };
        let connect_timeout = match get("connect_timeout") {
            None => CONNECT_TIMEOUT,
            Some(text) => match text.trim().parse::<i64>() {
                // libpq waits for ever then; we do not.
                Ok(..=0) => CONNECT_TIMEOUT,
                Ok(seconds) => Duration::from_secs(seconds.unsigned_abs().max(2)),
                Err(_) => return Err("`connect_timeout` is a number of seconds".to_owned()),
            },
        };
        let attributes = get("target_session_attrs").map_or("any", String::as_str);
        if ![
            "any",
            "read-write",
            "primary",
            "read-only",
            "standby",
            "prefer-standby",
        ]
        .contains(&attributes)
        {
            return Err(format!("`target_session_attrs` cannot be `{attributes}`"));
        }
        Ok(Self {
            hosts: hosts(params)?,
            dbname: get("dbname").unwrap_or(&user).clone(),
            user,
            password: get("password").map(|text| Secret(text.clone())),
            passfile: get("passfile")
                .map(PathBuf::from)
                .or_else(|| in_home(".pgpass")),
            sslmode,
            root_certificates,
            client_certificate,
            options: get("options").cloned(),
            connect_timeout,
            wants_primary: ["read-write", "primary"].contains(&attributes),
            wants_standby: ["read-only", "standby"].contains(&attributes),
        })
    }

    /// A connection string holds a password, which whoever lists the processes of this machine can read if it stands on
    /// a command line.
    #[must_use]
    pub fn holds_password(string: &str) -> bool {
        conninfo::parse(string).is_ok_and(|params| params.contains_key("password"))
    }

    /// The password for a host, and what there is to say about the password file.
    pub(super) fn password_for(&self, host: &Host) -> (Option<Secret>, Option<String>) {
        if self.password.is_some() {
            return (self.password.clone(), None);
        }
        let Some(file) = &self.passfile else {
            return (None, None);
        };
        let name = match host {
            Host::Tcp { name, .. } => name.clone(),
            Host::Socket { directory, .. } => directory.display().to_string(),
        };
        let (password, note) = files::password(file, &name, host.port(), &self.dbname, &self.user);
        (password.map(Secret), note)
    }

    /// The database as a URL without its secrets: `postgresql://db:5432/shop`.
    #[must_use]
    pub fn label(&self) -> String {
        let sockets: Vec<&Host> = self
            .hosts
            .iter()
            .filter(|host| matches!(host, Host::Socket { .. }))
            .collect();
        if let [Host::Socket { directory, port }, ..] = sockets[..] {
            let port = if *port == 5432 {
                String::new()
            } else {
                format!("&port={port}")
            };
            return format!(
                "postgresql:///{}?host={}{port}",
                self.dbname,
                directory.display()
            );
        }
        let hosts: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        format!("postgresql://{}/{}", hosts.join(","), self.dbname)
    }
}

fn ssl_mode(text: Option<&str>) -> Result<SslMode, String> {
    Ok(match text {
        Some("disable") => SslMode::Disable,
        None | Some("prefer" | "allow") => SslMode::Prefer,
        Some("require") => SslMode::Require,
        Some("verify-ca") => SslMode::VerifyCa,
        Some("verify-full") => SslMode::VerifyFull,
        Some(other) => {
            return Err(format!(
                "`sslmode` cannot be `{other}`; it is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`"
            ));
        }
    })
}

/// The hosts in the order in which they are tried.
fn hosts(params: &Params) -> Result<Vec<Host>, String> {
    let list = |key: &str| -> Vec<String> {
        params
            .get(key)
            .filter(|value| !value.is_empty())
            .map(|value| {
                value
                    .split(',')
                    .map(|part| part.trim().to_owned())
                    .collect()
            })
            .unwrap_or_default()
    };
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = names.len().max(addresses.len()).max(1);
    if (!names.is_empty() && !addresses.is_empty() && names.len() != addresses.len())
        || (ports.len() > 1 && ports.len() != count)
    {
        return Err("`host`, `hostaddr` and `port` name different numbers of servers".to_owned());
    }
    let mut hosts = Vec::with_capacity(count);
    for index in 0..count {
        let port = match ports.get(index).or(ports.first()).map(String::as_str) {
            None | Some("") => 5432,
            Some(text) => text
                .parse()
                .map_err(|_| "`port` is a number from 1 to 65535".to_owned())?,
        };
        let name = names.get(index).cloned().unwrap_or_default();
        let address = addresses.get(index).cloned().unwrap_or_default();
        hosts.push(if name.starts_with('/') {
            Host::Socket {
                directory: PathBuf::from(name),
                port,
            }
        } else if name.is_empty() && address.is_empty() {
            default_host(port)
        } else {
            let address = if address.is_empty() {
                name.clone()
            } else {
                address
            };
            Host::Tcp {
                name: if name.is_empty() {
                    address.clone()
                } else {
                    name
                },
                address,
                port,
            }
        });
    }
    Ok(hosts)
}

/// The server of this machine.
fn default_host(port: u16) -> Host {
    if cfg!(unix) {
        let there =
            |directory: &str| files::exists(&Path::new(directory).join(format!(".s.PGSQL.{port}")));
        let directory = SOCKET_DIRECTORIES
            .iter()
            .find(|directory| there(directory))
            .unwrap_or(&SOCKET_DIRECTORIES[0]);
        return Host::Socket {
            directory: PathBuf::from(directory),
            port,
        };
    }
    Host::Tcp {
        name: "localhost".to_owned(),
        address: "localhost".to_owned(),
        port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(vars: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            vars: vars
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            home: None,
            user: Some("me".to_owned()),
        }
    }

    #[test]
    fn a_string_wins_over_the_environment() {
        let vars = [
            ("PGHOST", "env"),
            ("PGPORT", "1234"),
            ("PGUSER", "alice"),
            ("PGDATABASE", ""),
            ("PGPASSWORD", "hidden-words"),
        ];
        for (string, expected) in [
            (None, "postgresql://env:1234/alice"),
            (Some("postgresql://db/shop"), "postgresql://db:1234/shop"),
            (Some("host=a,b port=1,2 dbname=x"), "postgresql://a:1,b:2/x"),
            (
                Some("postgresql:///shop?host=/run/pg"),
                "postgresql:///shop?host=/run/pg&port=1234",
            ),
            (Some("postgresql://u:p@[::1]:5/x"), "postgresql://[::1]:5/x"),
        ] {
            let target = Target::new(string, &surroundings(&vars)).expect("valid");
            assert_eq!(target.label(), expected);
            assert!(!format!("{target:?}").contains("hidden-words"));
        }
    }

    #[test]
    fn a_password_in_a_string_is_seen() {
        for (string, expected) in [
            ("postgresql://u:p@db/x", true),
            ("postgresql://u@db/x?password=p", true),
            ("host=db password='a b'", true),
            ("postgresql://u@db/x", false),
            ("postgresql://u:@db/x", false),
            ("service=prod", false),
            ("password", false),
        ] {
            assert_eq!(Target::holds_password(string), expected, "{string}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (string, expected) in [
            ("host=a,b port=1,2,3", "`host`, `hostaddr` and `port` name"),
            ("host=a port=x", "`port` is a number"),
            ("host=a sslmode=on", "`sslmode` cannot be `on`"),
            ("host=a connect_timeout=soon", "`connect_timeout` is"),
            (
                "host=a sslrootcert=system sslmode=require",
                "with `sslrootcert",
            ),
            ("host=a sslcert=x", "`sslcert` and `sslkey`"),
            ("host=a target_session_attrs=x", "`target_session_attrs`"),
        ] {
            let error = Target::new(Some(string), &surroundings(&[])).expect_err(string);
            assert!(error.starts_with(expected), "{string}: {error}");
        }
    }
}
