//! Servers of a test's own: with other settings, with TLS, with a standby, to be stopped in the middle of something.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::PoisonError;

use postgres::Client;
use tempfile::TempDir;

use super::{
    Binaries, Database, FOUND, PORT, Server, copy, guarded, hand_over, initialise, load_world,
    readable_by_the_server, run, short_temp_dir,
};

/// How a server of one's own differs from the shared ones.
#[derive(Default)]
pub(crate) struct Setup<'a> {
    /// `name=value`.
    pub(crate) settings: &'a [&'a str],
    /// It listens on 127.0.0.1 too.
    pub(crate) tcp: bool,
    /// Lines of `pg_hba.conf` for TCP; over the socket everybody is trusted.
    pub(crate) hba: &'a str,
    /// Files for its data directory.
    pub(crate) files: &'a [(&'a str, PathBuf)],
}

/// A server that stops when this value goes.
pub(crate) struct Own {
    server: &'static Server,
}

impl Own {
    /// Starts a server.
    pub(crate) fn start(major: u32, setup: &Setup<'_>) -> Self {
        let prepared = Prepared::new(major);
        prepared.launch(setup)
    }

    /// Starts a server and a standby that streams from it.
    pub(crate) fn with_standby(major: u32) -> (Self, Self) {
        let primary = Prepared::new(major);
        // Made before either ran: a base backup of a server at rest.
        let standby = primary.copy();
        fs::write(standby.dir.path().join("data/standby.signal"), "").unwrap();
        let conninfo = format!(
            "primary_conninfo=host={} port={PORT} user=postgres application_name=standby",
            primary.dir.path().display()
        );
        let primary = primary.launch(&Setup::default());
        let standby = standby.launch(&Setup {
            // A standby tells so often how far it is, and its lag grows with each telling.
            settings: &[&conninfo, "wal_receiver_status_interval=1s"],
            ..Setup::default()
        });
        (primary, standby)
    }

    /// A new database that holds the example world.
    pub(crate) fn world(&self) -> Database {
        let database = Database::create(self.server, "template0");
        load_world(&mut database.connect());
        database
    }

    /// The database of the same name on this server: a standby has what its primary has.
    pub(crate) fn same(&self, database: &Database) -> Database {
        Database {
            server: self.server,
            name: database.name.clone(),
        }
    }

    /// A connection to the database `postgres`.
    pub(crate) fn connect(&self) -> Client {
        self.server.connect("postgres")
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.server.socket
    }

    /// A file of its data directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.server.socket.join("data").join(name)
    }

    /// Puts a file into its data directory, closed to others.
    pub(crate) fn put(&self, name: &str, from: &Path) {
        put(&self.server.socket.join("data"), name, from).unwrap();
        hand_over(&self.server.socket).unwrap();
    }

    /// Writes a line of configuration and waits until new sessions know it.
    pub(crate) fn reload(&self, line: &str) {
        let file = self.file("postgresql.auto.conf");
        fs::write(file, format!("{line}\n")).unwrap();
        self.reload_files();
    }

    /// Has the server read its files again, certificates too.
    pub(crate) fn reload_files(&self) {
        const RELOAD: &str = "SELECT pg_conf_load_time()::text FROM pg_reload_conf()";
        let before: String = self.connect().query_one(RELOAD, &[]).unwrap().get(0);
        // A session knows when the last reload before its beginning was.
        let query = format!("SELECT pg_conf_load_time() > '{before}'");
        while !self
            .connect()
            .query_one(&query, &[])
            .unwrap()
            .get::<_, bool>(0)
        {}
    }

    /// The process that all others belong to.
    pub(crate) fn pid(&self) -> i32 {
        let text = fs::read_to_string(self.file("postmaster.pid")).unwrap();
        text.split('\n').next().unwrap().trim().parse().unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut watchdog = self
            .server
            .watchdog
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        drop(watchdog.stdin.take());
        // A server that does not stop is left to the watchdog.
    }
}

/// A data directory that no server runs on yet.
struct Prepared {
    dir: TempDir,
    bin: PathBuf,
    binaries: &'static Binaries,
}

impl Prepared {
    fn new(major: u32) -> Self {
        let binaries = FOUND
            .iter()
            .find(|found| found.major == major)
            .unwrap_or_else(|| panic!("no PostgreSQL {major} here: ask servers::majors() first"));
        let dir = directory();
        let bin = readable_by_the_server(&binaries.bin, dir.path()).unwrap();
        initialise(binaries, &bin, dir.path(), &dir.path().join("data")).unwrap();
        Self { dir, bin, binaries }
    }

    fn copy(&self) -> Self {
        let dir = directory();
        run(copy(
            &self.dir.path().join("data"),
            &dir.path().join("data"),
        ))
        .unwrap();
        close(&dir.path().join("data"), "0700").unwrap();
        Self {
            bin: readable_by_the_server(&self.binaries.bin, dir.path()).unwrap(),
            dir,
            binaries: self.binaries,
        }
    }

    fn launch(self, setup: &Setup<'_>) -> Own {
        let data = self.dir.path().join("data");
        for (name, from) in setup.files {
            put(&data, name, from).unwrap();
        }
        if !setup.hba.is_empty() {
            let hba = format!(
                "local all all trust\nlocal replication all trust\n{}\n",
                setup.hba
            );
            fs::write(data.join("pg_hba.conf"), hba).unwrap();
        }
        hand_over(self.dir.path()).unwrap();
        let mut settings = setup.settings.to_vec();
        let mut port = PORT;
        if setup.tcp {
            settings.push("listen_addresses=127.0.0.1");
            port = free_port();
        }
        let server = Server::launch(self.dir.path(), self.binaries, &self.bin, port, &settings)
            .unwrap_or_else(|error| panic!("the server does not start: {error}"));
        // From here on the watchdog removes it.
        let _ = self.dir.keep();
        Own {
            server: Box::leak(Box::new(server)),
        }
    }
}

fn directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("lockgate-pg")
        .tempdir_in(short_temp_dir())
        .unwrap()
}

fn put(data: &Path, name: &str, from: &Path) -> io::Result<()> {
    // In place of the old one at once: the server may be reading it.
    let fresh = data.join(format!("{name}.fresh"));
    fs::copy(from, &fresh)?;
    close(&fresh, "0600")?;
    fs::rename(fresh, data.join(name))
}

fn close(path: &Path, mode: &str) -> io::Result<()> {
    let mut chmod = Command::new("chmod");
    chmod.arg(mode).arg(path);
    run(chmod)
}

/// A port of 127.0.0.1 that nobody listened on a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends a signal to one process.
pub(crate) fn signal(pid: i32, name: &str) {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).arg(pid.to_string());
    run(kill).unwrap();
}

/// A program that runs as the user of the servers, until this value goes.
pub(crate) struct Program {
    watchdog: Child,
}

impl Program {
    /// Starts it; the arguments follow from the directory that it owns.
    pub(crate) fn start(program: &Path, prepare: impl FnOnce(&Path) -> Vec<PathBuf>) -> Self {
        let dir = directory();
        let arguments = prepare(dir.path());
        hand_over(dir.path()).unwrap();
        let mut command = guarded(dir.path(), "TERM", program);
        let watchdog = command.args(arguments).spawn().unwrap();
        // From here on the watchdog removes it.
        let _ = dir.keep();
        Self { watchdog }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
