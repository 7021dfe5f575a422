//! Connection strings as libpq reads them: `postgresql://…` and `host=… dbname=…`.
//!
//! Source: PostgreSQL's documentation, "Connection Strings". No message repeats a value: it may be a password.

use std::collections::BTreeMap;

/// Parameters by libpq's names.
pub(super) type Params = BTreeMap<String, String>;

/// Parameters that are understood, or that change nothing for a reader.
const KNOWN: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "servicefile",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "channel_binding",
    "connect_timeout",
    "options",
    "target_session_attrs",
    // Accepted and without effect here.
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "gssencmode",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "load_balance_hosts",
    "sslcompression",
    "sslsni",
    "sslcrl",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "requirepeer",
    "krbsrvname",
    "sslnegotiation",
    "require_auth",
];

/// The parameters of a connection string. A text that is neither form is the name of a database.
pub(super) fn parse(text: &str) -> Result<Params, String> {
    let params = match ["postgresql://", "postgres://"]
        .into_iter()
        .find_map(|scheme| text.strip_prefix(scheme))
    {
        Some(rest) => url(rest)?,
        None if text.contains("://") => {
            return Err("the scheme of a database URL is `postgresql://`".to_owned());
        }
        None if text.contains('=') => pairs(text)?,
        None => Params::from([("dbname".to_owned(), text.to_owned())]),
    };
    check_names(&params)?;
    Ok(params)
}

/// Refuses parameters that libpq does not know: a typing error in `sslmode` must not go unseen.
pub(super) fn check_names(params: &Params) -> Result<(), String> {
    match params.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        Some(key) => Err(match crate::suggest::closest(key, KNOWN.iter().copied()) {
            Some(near) => format!("`{key}` is not a connection parameter; did you mean `{near}`?"),
            None => format!("`{key}` is not a connection parameter"),
        }),
        None => Ok(()),
    }
}

/// `user:password@host:port,host:port/dbname?key=value&…`.
fn url(rest: &str) -> Result<Params, String> {
    let mut params = Params::new();
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (authority, database) = match rest.split_once('/') {
        Some((authority, database)) => (authority, Some(database)),
        None => (rest, None),
    };
    let hosts = match authority.rsplit_once('@') {
        Some((login, hosts)) => {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            put(&mut params, "user", decode(user, "user")?);
            if let Some(password) = password {
                put(&mut params, "password", decode(password, "password")?);
            }
            hosts
        }
        None => authority,
    };
    if !hosts.is_empty() {
        let (mut names, mut ports) = (Vec::new(), Vec::new());
        for host in hosts.split(',') {
            let (name, port) = host_and_port(host)?;
            names.push(decode(name, "host")?);
            ports.push(port.to_owned());
        }
        put(&mut params, "host", names.join(","));
        if ports.iter().any(|port| !port.is_empty()) {
            put(&mut params, "port", ports.join(","));
        }
    }
    if let Some(database) = database {
        put(&mut params, "dbname", decode(database, "dbname")?);
    }
    for pair in query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter(|pair| !pair.is_empty())
    {
        let (key, value) = pair
            .split_once('=')
            .ok_or("a parameter behind `?` in the URL has no `=`")?;
        let key = decode(key, "parameter")?;
        // libpq's alias for `sslmode=require`, from JDBC.
        if key == "ssl" && value == "true" {
            params.insert("sslmode".to_owned(), "require".to_owned());
            continue;
        }
        let value = decode(value, &key)?;
        params.insert(key, value);
    }
    Ok(params)
}

fn put(params: &mut Params, key: &str, value: String) {
    if !value.is_empty() {
        params.insert(key.to_owned(), value);
    }
}

/// `host:port`, `[::1]:port`.
fn host_and_port(host: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = host.strip_prefix('[') {
        let (address, behind) = rest
            .split_once(']')
            .ok_or("an IPv6 address in the URL has no `]`")?;
        return Ok((address, behind.strip_prefix(':').unwrap_or("")));
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

/// Percent-decoding.
fn decode(text: &str, what: &str) -> Result<String, String> {
    let wrong = || format!("the {what} in the URL has a `%` that does not begin a `%xx`");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or_else(wrong)
        };
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| format!("the {what} in the URL is not UTF-8"))
}

/// `key = 'value' key2=value2`, with backslash escapes.
fn pairs(text: &str) -> Result<Params, String> {
    let mut params = Params::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(params);
        }
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            return Err("a parameter in the connection string has no `=` behind it".to_owned());
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\\') => value.extend(chars.next()),
                Some('\'') if quoted => break,
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => value.push(c),
                None if quoted => {
                    return Err(format!(
                        "the value of `{key}` in the connection string has no closing quote"
                    ));
                }
                None => break,
            }
        }
        params.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(params) => params
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn strings_are_read_as_libpq_reads_them() {
        for (text, expected) in [
            ("postgresql://", ""),
            ("postgresql://localhost", "host=localhost"),
            ("postgres://db:5433/shop", "dbname=shop host=db port=5433"),
            (
                "postgresql://user:s%40c%3Aret@db/shop",
                "dbname=shop host=db password=s@c:ret user=user",
            ),
            (
                "postgresql://other@localhost/otherdb?connect_timeout=10&sslmode=verify-full",
                "connect_timeout=10 dbname=otherdb host=localhost sslmode=verify-full user=other",
            ),
            (
                "postgresql://a:1,b,[::1]:3/x?target_session_attrs=read-write",
                "dbname=x host=a,b,::1 port=1,,3 target_session_attrs=read-write",
            ),
            (
                "postgresql:///mydb?host=/tmp/sock&port=5433",
                "dbname=mydb host=/tmp/sock port=5433",
            ),
            (
                "postgresql://%2Ftmp%2Fsock/shop",
                "dbname=shop host=/tmp/sock",
            ),
            (
                "postgresql://db/shop?ssl=true",
                "dbname=shop host=db sslmode=require",
            ),
            ("shop", "dbname=shop"),
            (
                r"host = db  dbname='my shop' password=it\'s\\ ",
                r"dbname=my shop host=db password=it's\",
            ),
            ("service=prod", "service=prod"),
            (
                "host=db password='open",
                "error: the value of `password` in the connection string has no closing quote",
            ),
            (
                "postgresql://u:50%@db",
                "error: the password in the URL has a `%` that does not begin a `%xx`",
            ),
            (
                "mysql://u:secret@db/x",
                "error: the scheme of a database URL is `postgresql://`",
            ),
            (
                "postgresql://db/x?sslmod=require",
                "error: `sslmod` is not a connection parameter; did you mean `sslmode`?",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
