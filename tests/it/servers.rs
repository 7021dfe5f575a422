//! Real PostgreSQL servers for the tests.
//!
//! A server is started when a test first asks for its major version and lives as long as the test process. The
//! servers are put in place by `.ci/test`; without them the tests that want one have nothing to run on
//! ([`majors`] is empty), which is a failure where it must not happen: with `CI` or `LOCKGATE_REQUIRE_SERVERS`
//! set.

mod own;

use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

pub(crate) use self::own::{Own, Program, Setup, free_port, signal};

/// The majors that Lockgate speaks about, oldest first.
const SUPPORTED: [u32; 6] = [13, 14, 15, 16, 17, 18];

/// How long a server may take to answer, and to be initialised, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The numeric user and group (`nobody`) that runs the servers when the tests run as root, because PostgreSQL
/// refuses to.
const NOBODY: &str = "65534";

/// Runs the command after it until standard input closes, which it does when the test process ends in whatever
/// way: so no server survives its tests, which the signal ($2) ends. Then its directory ($1) goes away.
const WATCHDOG: &str = r#"
dir=$1; signal=$2; shift 2
"$@" </dev/null >>"$dir/log" 2>&1 &
server=$!
cat >/dev/null
kill "-$signal" "$server" 2>/dev/null
wait "$server"
rm -rf "$dir"
"#;

/// The majors for which there is a server, oldest first.
///
/// # Panics
/// When one is missing and the environment says that none may be.
pub(crate) fn majors() -> Vec<u32> {
    FOUND.iter().map(|found| found.major).collect()
}

/// A new connection to the database `postgres` of the server with this major version.
pub(crate) fn connect(major: u32) -> Client {
    server(major).connect("postgres")
}

/// A new, empty database.
#[must_use = "the database is dropped with the value"]
pub(crate) fn fresh_database(major: u32) -> Database {
    Database::create(server(major), "template0")
}

/// A new database that holds the example world (`fixtures/world.sql`).
#[must_use = "the database is dropped with the value"]
pub(crate) fn world(major: u32) -> Database {
    static TEMPLATES: [OnceLock<()>; SUPPORTED.len()] =
        [const { OnceLock::new() }; SUPPORTED.len()];

    let server = server(major);
    TEMPLATES[slot(major)].get_or_init(|| {
        connect(major)
            .batch_execute("CREATE DATABASE world TEMPLATE template0")
            .unwrap();
        load_world(&mut server.connect("world"));
    });
    Database::create(server, "world")
}

/// Makes the example world in a database.
fn load_world(client: &mut Client) {
    let sql = fs::read_to_string(root().join("fixtures/world.sql")).unwrap();
    if let Err(error) = client.batch_execute(&sql) {
        panic!("fixtures/world.sql does not load: {error:?}");
    }
}

/// A database that is dropped with this value: keep the value as long as its connections.
pub(crate) struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    fn create(server: &'static Server, template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server
            .connect("postgres")
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .unwrap();
        Self { server, name }
    }

    /// A new connection to this database.
    pub(crate) fn connect(&self) -> Client {
        self.server.connect(&self.name)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The directory of the socket of its server.
    pub(crate) fn socket(&self) -> &Path {
        &self.server.socket
    }

    /// Where this database is, in the form that libpq and SQLAlchemy both understand.
    pub(crate) fn url(&self) -> String {
        let port = match self.server.port {
            5432 => String::new(),
            port => format!("&port={port}"),
        };
        format!(
            "postgresql://postgres@/{}?host={}{port}",
            self.name,
            self.server.socket.display()
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A database that cannot be dropped goes away with its server.
        if let Ok(mut client) = self.server.try_connect("postgres") {
            let _ = client.batch_execute(&format!(
                "DROP DATABASE IF EXISTS {} WITH (FORCE)",
                self.name
            ));
        }
    }
}

/// Server binaries on this machine.
#[derive(Clone)]
struct Binaries {
    major: u32,
    bin: PathBuf,
}

impl fmt::Display for Binaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match fs::read_to_string(self.bin.join("../VERSION")) {
            Ok(version) => f.write_str(version.split('-').next().unwrap_or_default()),
            Err(_) => write!(f, "{} ({})", self.major, self.bin.display()),
        }
    }
}

static FOUND: LazyLock<Vec<Binaries>> = LazyLock::new(|| {
    let found: Vec<Binaries> = SUPPORTED.into_iter().filter_map(find).collect();
    let list: Vec<String> = found.iter().map(Binaries::to_string).collect();
    let missing: Vec<u32> = SUPPORTED
        .into_iter()
        .filter(|major| found.iter().all(|found| found.major != *major))
        .collect();
    assert!(
        missing.is_empty() || !nothing_may_be_missing(),
        "no PostgreSQL server for major {missing:?}, and this run must test on all of them: run .ci/test, which fetches them"
    );
    // Straight to the stream: the test harness holds back what is printed by a test that passes.
    let _ = writeln!(
        io::stderr(),
        "tests run on PostgreSQL {}",
        if list.is_empty() {
            "none: no server found (.ci/test fetches them)".to_owned()
        } else {
            list.join(", ")
        }
    );
    found
});

/// Whether a server or tool that cannot be had must fail the tests instead of making them do nothing.
fn nothing_may_be_missing() -> bool {
    ["CI", "LOCKGATE_REQUIRE_SERVERS"]
        .into_iter()
        .any(|name| env::var(name).is_ok_and(|value| !value.is_empty() && value != "false"))
}

/// The directory of the npm packages that `.ci/test` installs, if they are there.
///
/// # Panics
/// When they are missing and the environment says that nothing may be.
pub(crate) fn node_tools() -> Option<PathBuf> {
    let directory = root().join("target/tools");
    if directory.join("node_modules/.bin").exists() {
        return Some(directory);
    }
    assert!(
        !nothing_may_be_missing(),
        "{} is missing: run .ci/test, which installs it",
        directory.display()
    );
    let _ = writeln!(
        io::stderr(),
        "no npm packages in target/tools: a test that needs them does nothing (.ci/test installs them)"
    );
    None
}

/// The program that runs migrations with Rust libraries, which `.ci/test` builds, if it is there.
///
/// # Panics
/// When it is missing and the environment says that nothing may be.
pub(crate) fn runner() -> Option<PathBuf> {
    let program = root().join("target/runner/debug/lockgate-test-runner");
    if program.exists() {
        return Some(program);
    }
    assert!(
        !nothing_may_be_missing(),
        "{} is missing: run .ci/test, which builds it",
        program.display()
    );
    let _ = writeln!(
        io::stderr(),
        "no target/runner: a test that needs it does nothing (.ci/test builds it)"
    );
    None
}

/// A program of this system's packages, if it is installed.
///
/// # Panics
/// When it is missing, the system has Debian's packages and the environment says that nothing may be.
pub(crate) fn system_tool(name: &str) -> Option<PathBuf> {
    // Debian puts servers where only root looks.
    let program = env::split_paths(&env::var_os("PATH")?)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join(name))
        .find(|program| program.exists());
    if program.is_some() {
        return program;
    }
    assert!(
        !nothing_may_be_missing() || !Path::new("/usr/bin/apt-get").exists(),
        "{name} is missing: run .ci/test, which installs it"
    );
    let _ = writeln!(
        io::stderr(),
        "no {name} on this system: a test that needs it does nothing (.ci/test installs it on Debian)"
    );
    None
}

/// A program of the Python environment that `.ci/test` makes (`python`, `alembic`, `pre-commit`).
///
/// # Panics
/// When it is missing and the environment says that nothing may be.
pub(crate) fn python_tool(name: &str) -> Option<PathBuf> {
    python_tool_of("venv", name)
}

/// The same of one of the environments below `target`.
pub(crate) fn python_tool_of(venv: &str, name: &str) -> Option<PathBuf> {
    let program = root().join("target").join(venv).join("bin").join(name);
    if program.exists() {
        return Some(program);
    }
    assert!(
        !nothing_may_be_missing(),
        "{} is missing: run .ci/test, which installs it",
        program.display()
    );
    let _ = writeln!(
        io::stderr(),
        "no {name} in target/{venv}: a test that needs it does nothing (.ci/test installs it)"
    );
    None
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where `.ci/test` puts the servers.
fn servers_dir() -> PathBuf {
    env::var_os("LOCKGATE_SERVERS").map_or_else(|| root().join("target/servers"), PathBuf::from)
}

fn find(major: u32) -> Option<Binaries> {
    let candidates = [
        servers_dir().join(format!("{major}/bin")),
        PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")),
        PathBuf::from(format!("/usr/pgsql-{major}/bin")),
        PathBuf::from(format!("/opt/homebrew/opt/postgresql@{major}/bin")),
        PathBuf::from(format!("/usr/local/opt/postgresql@{major}/bin")),
    ];
    let bin = candidates
        .into_iter()
        .find(|bin| bin.join("postgres").exists() && bin.join("initdb").exists())?;
    Some(Binaries { major, bin })
}

fn slot(major: u32) -> usize {
    SUPPORTED
        .iter()
        .position(|supported| *supported == major)
        .expect("a supported major version")
}

fn server(major: u32) -> &'static Server {
    static RUNNING: [OnceLock<Server>; SUPPORTED.len()] =
        [const { OnceLock::new() }; SUPPORTED.len()];

    RUNNING[slot(major)].get_or_init(|| {
        let found = FOUND.iter().find(|found| found.major == major);
        let found = found
            .unwrap_or_else(|| panic!("no PostgreSQL {major} here: ask servers::majors() first"));
        Server::start(found)
            .unwrap_or_else(|error| panic!("PostgreSQL {major} does not start: {error}"))
    })
}

/// A running server.
struct Server {
    /// Directory of the Unix socket.
    socket: PathBuf,
    /// Its port, which is a part of the socket's name too.
    port: u16,
    /// Holds the pipe whose end stops the server; the shared servers' is closed by the kernel.
    watchdog: Mutex<Child>,
}

/// The port where nothing else is said: the servers do not meet, because each has its own directory.
const PORT: u16 = 5432;

/// What is the same for all servers.
const SETTINGS: [&str; 10] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=16MB",
    // Its own SHARE UPDATE EXCLUSIVE locks would be taken for those of the statement under test.
    "autovacuum=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "max_connections=200",
    "max_prepared_transactions=10",
];

impl Server {
    fn start(binaries: &Binaries) -> io::Result<Self> {
        // Directly under the directory for temporary files: the path of a Unix socket has at most 107 bytes.
        let dir = tempfile::Builder::new()
            .prefix("lockgate-pg")
            .tempdir_in(short_temp_dir())?;
        let server = Self::start_in(dir.path(), binaries)?;
        // From here on the watchdog removes it.
        let _ = dir.keep();
        Ok(server)
    }

    fn start_in(dir: &Path, binaries: &Binaries) -> io::Result<Self> {
        let bin = readable_by_the_server(&binaries.bin, dir)?;
        initialise(binaries, &bin, dir, &dir.join("data"))?;
        Self::launch(dir, binaries, &bin, PORT, &[])
    }

    /// Starts a server on `dir/data`, with more settings, of which the last one wins.
    fn launch(
        dir: &Path,
        binaries: &Binaries,
        bin: &Path,
        port: u16,
        more: &[&str],
    ) -> io::Result<Self> {
        let mut command = guarded(dir, "INT", &bin.join("postgres"));
        command
            .arg("-D")
            .arg(dir.join("data"))
            .arg("-k")
            .arg(dir)
            .args(["-p", &port.to_string()]);
        for setting in SETTINGS.iter().chain(more) {
            command.args(["-c", setting]);
        }
        if has_library(binaries, "pg_stat_statements") {
            command.args(["-c", "shared_preload_libraries=pg_stat_statements"]);
        }
        let watchdog = command.spawn()?;

        let server = Self {
            socket: dir.to_path_buf(),
            port,
            watchdog: Mutex::new(watchdog),
        };
        let started = Instant::now();
        loop {
            match server.try_connect("postgres") {
                Ok(_) => return Ok(server),
                Err(_) if started.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
                Err(error) => {
                    let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
                    return Err(io::Error::other(format!("{error}; its log says:\n{log}")));
                }
            }
        }
    }

    fn try_connect(&self, database: &str) -> Result<Client, postgres::Error> {
        postgres::Config::new()
            .host_path(&self.socket)
            .port(self.port)
            .user("postgres")
            .dbname(database)
            .connect(NoTls)
    }

    fn connect(&self, database: &str) -> Client {
        match self.try_connect(database) {
            Ok(client) => client,
            Err(error) => panic!("no connection to {database}: {error:?}"),
        }
    }
}

/// A program under the watchdog, as the user that runs the servers.
fn guarded(dir: &Path, signal: &str, program: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", WATCHDOG, "lockgate-watchdog"])
        .arg(dir)
        .arg(signal)
        .args(unprivileged())
        .arg(program)
        // In a process group of its own, so that Ctrl-C at the terminal stops the tests and the watchdog then
        // finds time to clear up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Whether a library of the contributed modules is there.
fn has_library(binaries: &Binaries, name: &str) -> bool {
    let prefix = binaries.bin.join("..");
    ["lib", "lib/postgresql"]
        .into_iter()
        .any(|directory| prefix.join(directory).join(format!("{name}.so")).exists())
}

/// `/tmp` where it exists: some systems' own choice is a long path.
fn short_temp_dir() -> PathBuf {
    let tmp = Path::new("/tmp");
    if tmp.is_dir() {
        tmp.to_path_buf()
    } else {
        env::temp_dir()
    }
}

/// The data directory: copied from the one made when this server was first used, because that takes a tenth of
/// the time of `initdb`.
fn initialise(binaries: &Binaries, bin: &Path, dir: &Path, data: &Path) -> io::Result<()> {
    let template = servers_dir()
        .join(binaries.major.to_string())
        .join("data-template");
    // One made by another user may be closed to this one.
    if fs::read_dir(&template).is_err() {
        hand_over(dir)?;
        let mut initdb = command_of_server(&bin.join("initdb"));
        initdb.arg("-D").arg(data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        run(initdb)?;
        // Best effort: a system's server has no directory of ours beside it, and another test process may be faster.
        if template.parent().is_some_and(Path::is_dir) {
            let fresh = template.with_extension(std::process::id().to_string());
            if run(copy(data, &fresh)).is_err() || fs::rename(&fresh, &template).is_err() {
                let _ = fs::remove_dir_all(&fresh);
            }
        }
        return Ok(());
    }
    run(copy(&template, data))?;
    hand_over(dir)?;
    // PostgreSQL refuses a data directory that others may read.
    let mut chmod = Command::new("chmod");
    chmod.arg("0700").arg(data);
    run(chmod)
}

fn copy(from: &Path, to: &Path) -> Command {
    let mut command = Command::new("cp");
    command.arg("-R").arg(from).arg(to);
    command
}

fn is_root() -> bool {
    static ROOT: LazyLock<bool> = LazyLock::new(|| {
        let id = Command::new("id").arg("-u").output();
        id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
    });
    *ROOT
}

/// What to put before a command that must not run as root.
fn unprivileged() -> Vec<String> {
    if !is_root() {
        return Vec::new();
    }
    vec![
        "setpriv".to_owned(),
        format!("--reuid={NOBODY}"),
        format!("--regid={NOBODY}"),
        "--clear-groups".to_owned(),
    ]
}

fn command_of_server(program: &Path) -> Command {
    let mut words = unprivileged();
    if words.is_empty() {
        return Command::new(program);
    }
    let mut command = Command::new(words.remove(0));
    command.args(words).arg(program);
    command
}

/// Gives the directory to the user that runs the server.
fn hand_over(dir: &Path) -> io::Result<()> {
    if !is_root() {
        return Ok(());
    }
    let mut chown = Command::new("chown");
    chown.args(["-R", &format!("{NOBODY}:{NOBODY}")]).arg(dir);
    run(chown)
}

/// The binaries' directory, or a copy in `dir` where the server's user may not read them (a clone in root's home).
fn readable_by_the_server(bin: &Path, dir: &Path) -> io::Result<PathBuf> {
    if !is_root() {
        return Ok(bin.to_path_buf());
    }
    let mut words = unprivileged().into_iter();
    let readable = Command::new(words.next().unwrap_or_default())
        .args(words)
        .args(["test", "-x"])
        .arg(bin.join("postgres"))
        .status()?
        .success();
    if readable {
        return Ok(bin.to_path_buf());
    }
    let installation = dir.join("postgresql");
    fs::create_dir(&installation)?;
    for part in ["bin", "lib", "share"] {
        run(copy(&bin.with_file_name(part), &installation.join(part)))?;
    }
    Ok(installation.join("bin"))
}

/// Runs a helper program to its end; its output is shown when it fails.
fn run(mut command: Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

mod tests {
    use std::process::Command;

    use super::{fresh_database, majors, python_tool, world};

    #[test]
    fn every_server_answers_with_its_major() {
        for major in majors() {
            let row = super::connect(major)
                .query_one("SHOW server_version_num", &[])
                .unwrap();
            let number: u32 = row.get::<_, String>(0).parse().unwrap();
            assert_eq!(number / 10_000, major);
        }
    }

    #[test]
    fn the_world_loads_everywhere_and_each_test_has_its_own() {
        for major in majors() {
            let mine = world(major);
            mine.connect()
                .batch_execute("DROP TABLE users CASCADE")
                .unwrap();
            let theirs = world(major);
            let row = theirs
                .connect()
                .query_one("SELECT count(*) FROM users", &[])
                .unwrap();
            assert_eq!(row.get::<_, i64>(0), 1000, "PostgreSQL {major}");
        }
    }

    #[test]
    fn every_table_of_the_world_has_rows() {
        const EMPTY: &str = "SELECT c.oid::regclass::text FROM pg_catalog.pg_class c \
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm') AND c.reltuples < 20";
        for major in majors() {
            let world = world(major);
            let mut client = world.connect();
            client.batch_execute("ANALYZE").unwrap();
            let empty: Vec<String> = client
                .query(EMPTY, &[])
                .unwrap()
                .iter()
                .map(|row| row.get(0))
                .collect();
            assert!(empty.is_empty(), "PostgreSQL {major}: {empty:?}");
        }
    }

    #[test]
    fn a_database_goes_away_with_its_value() {
        for major in majors() {
            let database = fresh_database(major);
            let name = database.name.clone();
            // Even while somebody is still connected.
            let _client = database.connect();
            drop(database);
            let left = super::connect(major)
                .query_one(
                    "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = $1",
                    &[&name],
                )
                .unwrap();
            assert_eq!(left.get::<_, i64>(0), 0, "PostgreSQL {major}");
        }
    }
    #[test]
    fn python_tools_reach_a_server() {
        let Some(python) = python_tool("python") else {
            return;
        };
        let Some(major) = majors().pop() else { return };
        let database = fresh_database(major);
        let script =
            "import psycopg, sys; print(psycopg.connect(sys.argv[1]).info.server_version // 10000)";
        let output = Command::new(python)
            .args(["-c", script, &database.url()])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            major.to_string(),
            "{output:?}"
        );
    }
}
