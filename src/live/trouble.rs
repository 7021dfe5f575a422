//! Why a database cannot be asked, in words, with what to try.

use std::error::Error as _;
use std::fmt;
use std::io;

use tokio_postgres::error::SqlState;

use super::params::{Host, Target};
use crate::probe::{Refused, RefusedKind};

/// A database that cannot be asked. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What failed.
    pub message: String,
    /// What to try.
    pub help: String,
    /// Another host of the list may do better.
    pub(super) try_next: bool,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl Trouble {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
            try_next: false,
        }
    }

    pub(super) fn or_next(mut self) -> Self {
        self.try_next = true;
        self
    }

    /// Nobody answered in time; `reached` if somebody took the connection, and then said nothing.
    pub(super) fn hung(host: &Host, target: &Target, reached: bool) -> Self {
        let seconds = target.connect_timeout.as_secs();
        if reached {
            return Self::new(
                format!("{host} took the connection and did not answer within {seconds} s"),
                "is it a PostgreSQL server, does it still work, and if it is a pooler, is its server up? `connect_timeout` gives it more time",
            )
            .or_next();
        }
        Self::new(
            format!("{host} did not answer within {seconds} s"),
            "does a firewall let you through? `connect_timeout` gives it more time",
        )
        .or_next()
    }

    /// The socket could not be opened.
    pub(super) fn unreachable(host: &Host, error: &io::Error) -> Self {
        let help = match (error.kind(), host) {
            (io::ErrorKind::ConnectionRefused, Host::Tcp { .. }) => {
                "is the server running, and does it listen on that port (`listen_addresses`, `port`)?"
            }
            (io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused, Host::Socket { .. }) => {
                "is the server running, and is that its `unix_socket_directories`? name it with `host=/directory`, or a host name for TCP"
            }
            (io::ErrorKind::PermissionDenied, Host::Socket { .. }) => {
                "the operating system does not let this user use the socket; connect over TCP with `host=localhost`"
            }
            _ => "check the host name and the network",
        };
        Self::new(format!("no connection to {host}: {}", plain(error)), help).or_next()
    }

    /// The connection was open and could not be used.
    pub(super) fn of_start(host: &Host, target: &Target, error: &tokio_postgres::Error) -> Self {
        if let Some(refused) = error.as_db_error() {
            return Self::of_server(host, target, refused.code(), refused.message());
        }
        let text = chain(error);
        if text.contains("server does not support TLS") {
            return Self::new(
                format!("{host} does not offer TLS, and `sslmode` demands it"),
                "switch on `ssl` at the server, or connect with `sslmode=prefer` if the network is trusted",
            );
        }
        if text.contains("TLS handshake") {
            return Self::of_tls(host, &text);
        }
        if text.contains("password missing") {
            return Self::new(
                format!(
                    "{host} asks for the password of `{}`, and there is none",
                    target.user
                ),
                "put it into the password file (~/.pgpass) or PGPASSWORD",
            );
        }
        Self::new(
            format!("{host} did not complete the connection: {text}"),
            "is it a PostgreSQL server, and is it up?",
        )
        .or_next()
    }

    fn of_tls(host: &Host, text: &str) -> Self {
        let cause = text.rsplit("TLS handshake: ").next().unwrap_or(text);
        let has = |part: &str| cause.contains(part);
        let (cause, help) = if ["UnknownIssuer", "BadSignature", "CaUsedAsEndEntity"]
            .into_iter()
            .any(has)
        {
            (
                "no authority that `sslrootcert` names has signed the server's certificate",
                "name the certificate of its authority with `sslrootcert`",
            )
        } else if has("xpired") {
            (
                "the server's certificate has expired",
                "the server needs a new certificate",
            )
        } else if has("not valid yet") || has("NotValidYet") {
            (
                "the server's certificate is not valid yet",
                "compare the clocks of the server and of this machine",
            )
        } else if has("UnsupportedCertVersion") {
            (
                "the server's certificate is of version 1 of X.509, which cannot be verified here",
                "make it with a `subjectAltName`, which makes it version 3, or connect with `sslmode=require` and no root certificate if the network is trusted",
            )
        } else if has("not valid for name") || has("NotValidForName") {
            (
                cause,
                "connect by a name that stands in its `subjectAltName` (the common name alone does not count), or use `sslmode=verify-ca`",
            )
        } else {
            (
                cause,
                "compare `sslmode` and `sslrootcert` with the server's certificate",
            )
        };
        let cause = cause.trim_start_matches("invalid peer certificate: ");
        Self::new(format!("TLS with {host} failed: {cause}"), help)
    }

    /// The connection was made, and the first question had no answer.
    pub(super) fn of_first_question(refused: &Refused, pooled: bool) -> Self {
        let message = &refused.message;
        if message.contains("in statement pooling mode") {
            return Self::new(
                "the pooler gives each statement another connection (`pool_mode = statement`), and a question is a transaction",
                "connect to the server itself, or to a pool in the mode `transaction` or `session`",
            );
        }
        if pooled && message.starts_with("invalid command 'BEGIN") {
            return Self::new(
                "this is the console of PgBouncer, which is no database",
                "name a database behind it: `postgresql://host:port/database`",
            );
        }
        let help = match (pooled, refused.kind) {
            (true, RefusedKind::Lost) => {
                "is the server behind the pooler up, and has its pool a free connection (SHOW POOLS)? or connect to the server itself"
            }
            _ => "is this a PostgreSQL server, and is it up?",
        };
        Self::new(format!("the connection cannot be used: {message}"), help)
    }

    fn of_server(host: &Host, target: &Target, code: &SqlState, message: &str) -> Self {
        let message = one_line(message);
        let (user, dbname) = (&target.user, &target.dbname);
        let trouble =
            |help: String| Self::new(format!("{host} refused the connection: {message}"), help);
        if *code == SqlState::INVALID_PASSWORD {
            trouble(format!(
                "check the password of `{user}`: PGPASSWORD, the password file, or the URL"
            ))
        } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            trouble(format!(
                "the server's pg_hba.conf does not let `{user}` into `{dbname}` from here, or not with this `sslmode`"
            ))
        } else if *code == SqlState::INVALID_CATALOG_NAME || is_no_database(&message) {
            trouble(
                "name an existing database behind the host: `postgresql://host/database`"
                    .to_owned(),
            )
        } else if *code == SqlState::TOO_MANY_CONNECTIONS {
            trouble("all connections are taken: end some, or raise `max_connections`".to_owned())
        } else if *code == SqlState::CANNOT_CONNECT_NOW {
            trouble("try again when the server is up".to_owned()).or_next()
        } else if message.ends_with("SSL required") {
            trouble("connect with `sslmode=require`".to_owned())
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            trouble(format!("GRANT CONNECT ON DATABASE {dbname} TO {user}"))
        } else {
            trouble("ask whoever runs the server".to_owned())
        }
    }
}

/// As poolers say it, with a code of their own.
fn is_no_database(message: &str) -> bool {
    message.starts_with("no such database")
        || (message.starts_with("database ") && message.ends_with(" does not exist"))
}

/// True if a pooler refused the settings that the session asks for at its start.
pub(super) fn is_pooler(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|refused| refused.message().contains("unsupported startup parameter"))
}

/// Why the server did not answer a question.
pub(super) fn refused(error: &tokio_postgres::Error) -> Refused {
    let Some(refused) = error.as_db_error() else {
        return Refused {
            kind: RefusedKind::Lost,
            message: chain(error),
        };
    };
    let code = refused.code().code();
    let kind = match code {
        "42501" => RefusedKind::Privilege,
        "42P01" | "42703" | "42883" | "3F000" | "42704" => RefusedKind::Missing,
        "55P03" => RefusedKind::Locked,
        "57014" => RefusedKind::Slow,
        _ if ["57P", "08"].iter().any(|class| code.starts_with(class)) => RefusedKind::Lost,
        _ => RefusedKind::Other,
    };
    Refused {
        kind,
        message: one_line(refused.message()),
    }
}

/// An error with its causes.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    one_line(&text)
}

/// An error of the operating system without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    one_line(text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
