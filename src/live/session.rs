//! One read-only connection, and the questions put to it.
//!
//! The client library is asynchronous; here each call waits for its answer, and none waits longer than its deadline,
//! also when the network or the server has gone silent.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Connection, NoTls, SimpleQueryMessage, config};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::params::{Host, SslMode, Target};
use super::tls::{self, Handshake};
use super::trouble::{self, Trouble};
use crate::probe::{Ask, Refused, RefusedKind, Server};
use crate::settings::OLDEST_POSTGRES;
use crate::sql::lex::{Lexer, TokenKind};

/// What the session asks for at its start; behind a pooler, at the start of each transaction.
const SETTINGS: &[(&str, &str)] = &[
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "5000"),
    ("lock_timeout", "100"),
    ("idle_in_transaction_session_timeout", "10000"),
    ("search_path", "pg_catalog"),
    // Rows that a policy hides would be an answer that looks complete.
    ("row_security", "off"),
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
];

/// Longer than the server's own `statement_timeout`: whoever is silent for so long is gone.
const DEADLINE: Duration = Duration::from_secs(8);

/// Where connections wait. Its end waits for nobody: looking up a host's name may hang for longer than anybody wants.
struct Waiting(Option<Runtime>);

impl Waiting {
    fn new(runtime: Runtime) -> Self {
        Self(Some(runtime))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.0.as_ref().expect("taken away only by drop");
        runtime.block_on(future)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection.
pub(super) struct Session {
    runtime: Waiting,
    client: Client,
    /// What each transaction begins with.
    begin: String,
    /// Who is at the other end.
    pub(super) server: Server,
    /// Why no further question makes sense.
    pub(super) lost: Option<Refused>,
    /// What there is to say about how the connection was made.
    pub(super) notes: Vec<String>,
}

impl Session {
    /// Connects to the first host of a target that answers and fits.
    pub(super) fn open(target: &Target) -> Result<Self, Trouble> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Trouble::new(
                    format!("no connection can be made: {error}"),
                    "this is a problem of this machine",
                )
            })
            .map(Waiting::new)?;
        let connector = tls::connector(target).map_err(|message| {
            Trouble::new(
                message,
                "TLS needs a certificate to trust for this `sslmode`",
            )
        })?;
        let mut troubles: Vec<Trouble> = Vec::new();
        for host in &target.hosts {
            match open_host(&runtime, target, host, connector.as_ref()) {
                Ok((client, pooled, notes)) => match Self::new(runtime, client, pooled, notes) {
                    Ok(session) if target.wants_primary && session.server.standby => {
                        troubles.push(Trouble::new(
                            format!("{host} is a standby"),
                            "`target_session_attrs` asks for a server that takes writes",
                        ));
                        return Self::open_rest(target, host, troubles);
                    }
                    Ok(session) if target.wants_standby && !session.server.standby => {
                        troubles.push(Trouble::new(
                            format!("{host} is a primary"),
                            "`target_session_attrs` asks for a standby",
                        ));
                        return Self::open_rest(target, host, troubles);
                    }
                    done => return done,
                },
                Err(trouble) => {
                    let stop = !trouble.try_next;
                    troubles.push(trouble);
                    if stop {
                        break;
                    }
                }
            }
        }
        Err(all(troubles))
    }

    /// Goes on behind a host that answered and is not the wanted one.
    fn open_rest(
        target: &Target,
        host: &Host,
        mut troubles: Vec<Trouble>,
    ) -> Result<Self, Trouble> {
        let behind = target
            .hosts
            .iter()
            .skip_while(|other| *other != host)
            .skip(1);
        let rest = Target {
            hosts: behind.cloned().collect(),
            ..target.clone()
        };
        if rest.hosts.is_empty() {
            return Err(all(troubles));
        }
        Self::open(&rest).map_err(|trouble| {
            troubles.push(trouble);
            all(troubles)
        })
    }

    fn new(
        runtime: Waiting,
        client: Client,
        pooled: bool,
        notes: Vec<String>,
    ) -> Result<Self, Trouble> {
        let mut session = Self {
            runtime,
            client,
            begin: begin(pooled),
            server: Server {
                version_num: 0,
                user: String::new(),
                database: String::new(),
                superuser: false,
                sees_sessions: false,
                standby: false,
                settings_hold: false,
                pooled,
            },
            lost: None,
            notes,
        };
        let answer = session.ask(None, Server::SQL, None).and_then(|rows| {
            serde_json::from_str::<Vec<Server>>(&rows)
                .ok()
                .and_then(|mut rows| rows.pop())
                .ok_or_else(|| Refused {
                    kind: RefusedKind::Other,
                    message: "it does not say who it is".to_owned(),
                })
        });
        let mut server = answer.map_err(|refused| Trouble::of_first_question(&refused, pooled))?;
        if server.major() < OLDEST_POSTGRES {
            return Err(Trouble::new(
                format!("the server is PostgreSQL {}", server.version()),
                format!("live mode knows servers from {OLDEST_POSTGRES} on"),
            ));
        }
        // A pooler may take the settings and drop them.
        server.pooled = pooled || !server.settings_hold;
        session.begin = begin(server.pooled);
        session.server = server;
        Ok(session)
    }

    /// Asks in one round trip: begin, the question, the end of the transaction.
    async fn transaction(
        client: &Client,
        begin: &str,
        query: &str,
        parameter: Option<&str>,
    ) -> Result<String, tokio_postgres::Error> {
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = match &parameter {
            Some(text) => vec![(text, Type::TEXT)],
            None => Vec::new(),
        };
        let mut begun = pin!(client.batch_execute(begin));
        let mut asked = pin!(client.query_typed(query, &parameters));
        let mut ended = pin!(client.batch_execute("COMMIT"));
        let (mut begun_with, mut answer, mut ended_with) = (None, None, None);
        // Polled together, all three are sent before the first answer is read.
        poll_fn(|cx| {
            if begun_with.is_none()
                && let Poll::Ready(result) = begun.as_mut().poll(cx)
            {
                begun_with = Some(result);
            }
            if answer.is_none()
                && let Poll::Ready(result) = asked.as_mut().poll(cx)
            {
                answer = Some(result);
            }
            if ended_with.is_none()
                && let Poll::Ready(result) = ended.as_mut().poll(cx)
            {
                ended_with = Some(result);
            }
            if begun_with.is_some() && answer.is_some() && ended_with.is_some() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        begun_with.unwrap_or(Ok(()))?;
        let rows = answer.unwrap_or_else(|| Ok(Vec::new()))?;
        ended_with.unwrap_or(Ok(()))?;
        match rows.first() {
            Some(row) => row.try_get::<_, String>(0),
            None => Ok("[]".to_owned()),
        }
    }
}

impl Session {
    /// The plan of one query, as JSON; the query does not run. Its names are looked up as for most applications.
    pub(super) fn explain(&mut self, query: &str) -> Result<String, Refused> {
        let parameters = Lexer::new(query).any(|token| token.kind == TokenKind::Parameter);
        let options = match (parameters, self.server.major()) {
            (false, _) => "FORMAT JSON",
            (true, 16..) => "FORMAT JSON, GENERIC_PLAN",
            (true, major) => {
                return Err(Refused {
                    kind: RefusedKind::Other,
                    message: format!(
                        "PostgreSQL {major} plans no query whose parameters are not given"
                    ),
                });
            }
        };
        let begin = format!("{}; SET LOCAL search_path = \"$user\", public", self.begin);
        let query = query.trim_end().trim_end_matches(';');
        let text = format!("{begin}; EXPLAIN ({options}) {query}");
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let client = &self.client;
        // The other way to ask wants values for the parameters.
        let asked = async {
            let answer = client.simple_query(&text).await;
            client.batch_execute("ROLLBACK").await?;
            answer
        };
        let answer = self
            .runtime
            .block_on(async { timeout(DEADLINE, asked).await });
        let messages = self.answered(answer)?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(rows.collect::<Vec<_>>().join("\n"))
    }

    /// The answer, or why there is none; notes if nobody is left to answer.
    fn answered<T>(
        &mut self,
        answer: Result<Result<T, tokio_postgres::Error>, Elapsed>,
    ) -> Result<T, Refused> {
        let refused = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => trouble::refused(&error),
            Err(_) => Refused {
                kind: RefusedKind::Lost,
                message: format!("no answer within {} s", DEADLINE.as_secs()),
            },
        };
        if refused.kind == RefusedKind::Lost {
            self.lost = Some(refused.clone());
        }
        Err(refused)
    }

    /// Puts one question.
    fn put(
        &mut self,
        begin: &str,
        query: &str,
        parameter: Option<&str>,
    ) -> Result<String, Refused> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let client = &self.client;
        let answer = self.runtime.block_on(async {
            timeout(DEADLINE, Self::transaction(client, begin, query, parameter)).await
        });
        self.answered(answer)
    }
}

impl Ask for Session {
    fn ask(
        &mut self,
        before: Option<&str>,
        query: &str,
        parameter: Option<&str>,
    ) -> Result<String, Refused> {
        let begin = match before {
            Some(before) => format!("{}; {before}", self.begin),
            None => self.begin.clone(),
        };
        let query = query.trim_end().trim_end_matches(';');
        let query = format!(
            "SELECT coalesce(pg_catalog.json_agg(q), '[]')::pg_catalog.text FROM (\n{query}\n) q"
        );
        let parameter = parameter.filter(|_| query.contains("$1"));
        self.put(&begin, &query, parameter)
    }
}

/// What a transaction begins with.
fn begin(pooled: bool) -> String {
    let mut begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY".to_owned();
    if pooled {
        for (name, value) in SETTINGS {
            begin.push_str(&format!("; SET LOCAL {name} = '{value}'"));
        }
    }
    begin
}

/// Several failures as one.
fn all(mut troubles: Vec<Trouble>) -> Trouble {
    let Some(last) = troubles.pop() else {
        return Trouble::new("no host is named", "give one in the URL or as PGHOST");
    };
    if troubles.is_empty() {
        return last;
    }
    let messages: Vec<&str> = troubles
        .iter()
        .chain([&last])
        .map(|trouble| trouble.message.as_str())
        .collect();
    Trouble::new(messages.join("; "), last.help.clone())
}

/// A client for one host, and whether it is a pooler that takes no settings.
fn open_host(
    runtime: &Waiting,
    target: &Target,
    host: &Host,
    connector: Option<&TlsConnector>,
) -> Result<(Client, bool, Vec<String>), Trouble> {
    let (password, note) = target.password_for(host);
    let mut config = Config::new();
    config
        .user(&target.user)
        .dbname(&target.dbname)
        .application_name("lockgate");
    if let Some(password) = &password {
        config.password(&password.0);
    }
    let notes: Vec<String> = note.into_iter().collect();
    let mut mode = target.sslmode;
    let mut pooled = false;
    // At most: TLS refused, then a pooler that takes no settings.
    for _ in 0..3 {
        let mut config = config.clone();
        if pooled {
            if let Some(options) = &target.options {
                config.options(options);
            }
        } else {
            config.options(startup_options(target));
        }
        match attempt(runtime, target, host, mode, &config, connector)? {
            Ok(client) => return Ok((client, pooled, notes)),
            Err(error) if !pooled && trouble::is_pooler(&error) => pooled = true,
            // libpq: `prefer` goes on without TLS where the server does not let anyone in with it.
            Err(error)
                if mode == SslMode::Prefer
                    && matches!(host, Host::Tcp { .. })
                    && error
                        .as_db_error()
                        .is_none_or(|refused| refused.code().code() == "28000")
                    && error.to_string().contains("TLS") =>
            {
                mode = SslMode::Disable;
            }
            Err(error) => {
                let mut trouble = Trouble::of_start(host, target, &error);
                if let Some(note) = notes.first() {
                    trouble.help = format!("{note}; {}", trouble.help);
                }
                return Err(trouble);
            }
        }
    }
    Err(Trouble::new(
        format!("{host} refuses the settings of a read-only session"),
        "connect to the server itself instead of the pooler",
    ))
}

/// `-c name=value` for each setting, behind what the user's own options say.
fn startup_options(target: &Target) -> String {
    let own = target.options.iter().cloned();
    let ours = SETTINGS
        .iter()
        .map(|(name, value)| format!("-c {name}={value}"));
    own.chain(ours).collect::<Vec<_>>().join(" ")
}

type Attempt = Result<Result<Client, tokio_postgres::Error>, Trouble>;

/// Opens the socket and starts the session, within the time that a connection may take.
fn attempt(
    runtime: &Waiting,
    target: &Target,
    host: &Host,
    mode: SslMode,
    config: &Config,
    connector: Option<&TlsConnector>,
) -> Attempt {
    let reached = Cell::new(false);
    let started = async {
        match host {
            Host::Socket { .. } => over_socket(host, config.clone(), &reached).await,
            Host::Tcp {
                name,
                address,
                port,
            } => {
                let stream = TcpStream::connect((address.as_str(), *port))
                    .await
                    .map_err(|error| Trouble::unreachable(host, &error))?;
                reached.set(true);
                let mut config = config.clone();
                config.ssl_mode(match mode {
                    SslMode::Disable => config::SslMode::Disable,
                    SslMode::Prefer => config::SslMode::Prefer,
                    _ => config::SslMode::Require,
                });
                let name = ServerName::try_from(name.clone());
                match (connector.filter(|_| mode != SslMode::Disable), name) {
                    (None, _) => Ok(config.connect_raw(stream, NoTls).await.map(spawned)),
                    (Some(connector), Ok(name)) => {
                        let connector = connector.clone();
                        let handshake = Handshake { connector, name };
                        Ok(config.connect_raw(stream, handshake).await.map(spawned))
                    }
                    (Some(_), Err(_)) => Err(Trouble::new(
                        format!("{host}: TLS needs a host name or an address"),
                        "correct the host, or use `sslmode=disable`",
                    )),
                }
            }
        }
    };
    runtime.block_on(async {
        timeout(target.connect_timeout, started)
            .await
            .unwrap_or_else(|_| Err(Trouble::hung(host, target, reached.get())))
    })
}

#[cfg(unix)]
async fn over_socket(host: &Host, mut config: Config, reached: &Cell<bool>) -> Attempt {
    let stream = tokio::net::UnixStream::connect(host.socket())
        .await
        .map_err(|error| Trouble::unreachable(host, &error))?;
    reached.set(true);
    // libpq: TLS is not spoken over a socket of the machine.
    config.ssl_mode(config::SslMode::Disable);
    Ok(config.connect_raw(stream, NoTls).await.map(spawned))
}

#[cfg(not(unix))]
async fn over_socket(host: &Host, _: Config, _: &Cell<bool>) -> Attempt {
    Err(Trouble::new(
        format!("{host}: this system has no such sockets"),
        "name the server's host",
    ))
}

/// Lets the connection work whenever somebody waits for an answer.
fn spawned<S, T>((client, connection): (Client, Connection<S, T>)) -> Client
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    // Its end is seen by the next question.
    drop(tokio::spawn(async move {
        let _ = connection.await;
    }));
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "how long it takes is the question"
    )]
    fn the_end_does_not_wait_for_a_lookup_that_hangs() {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let waiting = Waiting::new(runtime);
        let lookup = waiting.block_on(async {
            timeout(
                Duration::from_millis(10),
                tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(5))),
            )
            .await
        });
        assert!(lookup.is_err());
        let started = Instant::now();
        drop(waiting);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
