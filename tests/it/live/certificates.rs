//! TLS with certificates of one's own, on real servers and on PgBouncer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::faults::{SECRET, asks, fails};
use super::{ends, monitor, wait_for};
use crate::servers::{Own, Setup, system_tool};

/// An authority, and what it signed.
pub(super) struct Authority {
    openssl: PathBuf,
    directory: tempfile::TempDir,
}

impl Authority {
    /// None where there is no openssl.
    pub(super) fn new() -> Option<Self> {
        let authority = Self {
            openssl: system_tool("openssl")?,
            directory: tempfile::tempdir().unwrap(),
        };
        authority.self_signed("ca", "/CN=Authority of a test");
        Some(authority)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn certificate(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.crt"))
    }

    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.key"))
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new(&self.openssl)
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// As the manuals make one: `openssl req -x509`.
    fn self_signed(&self, name: &str, subject: &str) {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        self.run(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            subject,
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
    }

    /// A certificate for `localhost` and 127.0.0.1, good for some days; without its names it is of version 1.
    pub(super) fn sign(&self, name: &str, days: &str, names: bool) {
        let file = |extension: &str| format!("{name}.{extension}");
        self.run(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
            &file("key"),
            "-out",
            &file("csr"),
        ]);
        std::fs::write(
            self.file("names"),
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        )
        .unwrap();
        let (request, certificate) = (file("csr"), file("crt"));
        let mut arguments = vec![
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            days,
            "-out",
            &certificate,
        ];
        if names {
            arguments.extend(["-extfile", "names"]);
        }
        self.run(&arguments);
    }
}

/// The server gets another certificate while it runs.
fn show(server: &Own, authority: &Authority, name: &str) {
    server.put("server.crt", &authority.certificate(name));
    server.put("server.key", &authority.key(name));
    server.reload_files();
}

/// Standard output and error of a success.
fn succeeds(url: &str) {
    let said = asks(url);
    assert_eq!(said.status, Some(0), "{url}\n{}", said.text);
    assert!(!said.text.contains(SECRET), "{}", said.text);
}

#[test]
fn tls_as_sslmode_asks_for_it() {
    let (Some(authority), Some(other)) = (Authority::new(), Authority::new()) else {
        return;
    };
    authority.sign("right", "2", true);
    authority.sign("expired", "-1", true);
    authority.sign("version1", "2", false);
    authority.self_signed("self", "/CN=localhost");
    let root = |path: &Path| format!("sslrootcert={}", path.display());
    let ours = root(&authority.certificate("ca"));
    for major in ends() {
        let server = Own::start(
            major,
            &Setup {
                settings: &["ssl=on", "password_encryption=scram-sha-256"],
                tcp: true,
                hba: "hostssl all all 127.0.0.1/32 scram-sha-256",
                files: &[
                    ("server.crt", authority.certificate("right")),
                    ("server.key", authority.key("right")),
                ],
            },
        );
        let database = server.world();
        monitor(&database);
        database
            .connect()
            .batch_execute(&format!("ALTER ROLE monitor PASSWORD '{SECRET}'"))
            .unwrap();
        let at = |host: &str, tls: &str| {
            format!(
                "host={host} hostaddr=127.0.0.1 port={} user=monitor dbname=postgres {tls}",
                server.port()
            )
        };
        let refused = |host: &str, tls: &str, expected: &str| fails(&at(host, tls), expected);

        for tls in [
            "",
            "sslmode=require",
            &format!("sslmode=verify-full {ours}"),
        ] {
            succeeds(&at("localhost", tls));
        }
        succeeds(&at("127.0.0.1", &format!("sslmode=verify-full {ours}")));
        succeeds(&at("db.example", &format!("sslmode=verify-ca {ours}")));
        refused(
            "db.example",
            &format!("sslmode=verify-full {ours}"),
            "certificate not valid for name \"db.example\"",
        );
        let stranger = root(&other.certificate("ca"));
        for mode in ["verify-ca", "verify-full", "require"] {
            refused(
                "localhost",
                &format!("sslmode={mode} {stranger}"),
                "failed: no authority that `sslrootcert` names has signed the server's certificate",
            );
        }
        refused(
            "localhost",
            "sslmode=verify-full",
            "no root certificate is named",
        );
        refused(
            "localhost",
            "sslmode=verify-full sslrootcert=/nowhere",
            "/nowhere: No such file or directory; TLS needs",
        );
        refused(
            "localhost",
            "sslmode=disable",
            "pg_hba.conf does not let `monitor` into `postgres` from here, or not with this `sslmode`",
        );

        show(&server, &authority, "expired");
        for mode in ["verify-ca", "verify-full"] {
            refused(
                "localhost",
                &format!("sslmode={mode} {ours}"),
                "failed: the server's certificate has expired",
            );
        }
        succeeds(&at("localhost", "sslmode=require"));

        // What PostgreSQL's manual makes with `openssl x509 -req`.
        show(&server, &authority, "version1");
        succeeds(&at("localhost", "sslmode=require"));
        refused(
            "localhost",
            &format!("sslmode=verify-full {ours}"),
            "is of version 1 of X.509, which cannot be verified here",
        );

        show(&server, &authority, "self");
        let itself = root(&authority.certificate("self"));
        succeeds(&at("localhost", &format!("sslmode=verify-full {itself}")));
        succeeds(&at("db.example", &format!("sslmode=verify-ca {itself}")));
        refused(
            "db.example",
            &format!("sslmode=verify-full {itself}"),
            "not valid for name",
        );
        refused(
            "localhost",
            &format!("sslmode=verify-ca {stranger}"),
            "no authority that `sslrootcert` names",
        );
    }
}

#[test]
fn a_server_without_tls() {
    for major in ends() {
        let server = Own::start(
            major,
            &Setup {
                tcp: true,
                hba: "host all all 127.0.0.1/32 trust",
                ..Setup::default()
            },
        );
        wait_for(
            &mut server.connect(),
            "SELECT current_setting('ssl') = 'off'",
        );
        let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
        succeeds(&url);
        fails(
            &format!("{url}?sslmode=require"),
            "does not offer TLS, and `sslmode` demands it",
        );
    }
}
