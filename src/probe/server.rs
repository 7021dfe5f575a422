//! Whom the probes talk to.

use serde::Deserialize;

/// The server, the database and the role of a connection, as they were when it was made.
#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    /// `server_version_num`: 180001.
    pub version_num: u32,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The role is a superuser.
    pub superuser: bool,
    /// It sees what sessions of other roles do (`pg_read_all_stats`).
    pub sees_sessions: bool,
    /// The server is in recovery: a standby.
    pub standby: bool,
    /// The connection's settings are those that were asked for at its start.
    pub settings_hold: bool,
    /// A pooler stands between, or something else that drops settings: each transaction sets its own.
    #[serde(default)]
    pub pooled: bool,
}

impl Server {
    /// The query that answers this.
    #[cfg(feature = "live")]
    pub(crate) const SQL: &'static str = "\
        SELECT current_setting('server_version_num')::int4 AS version_num, current_user::text AS \"user\", \
               current_database()::text AS database, r.rolsuper AS superuser, \
               pg_has_role(r.oid, 'pg_read_all_stats', 'USAGE') AS sees_sessions, \
               pg_is_in_recovery() AS standby, \
               current_setting('default_transaction_read_only') = 'on' AND current_setting('lock_timeout') = '100ms' \
               AND current_setting('statement_timeout') = '5s' AS settings_hold \
        FROM pg_roles r WHERE r.rolname = current_user";

    /// Major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.version_num / 10_000
    }

    /// As PostgreSQL prints it: `18.1`.
    #[must_use]
    pub fn version(&self) -> String {
        format!(
            "{}.{}",
            self.version_num / 10_000,
            self.version_num % 10_000
        )
    }
}
