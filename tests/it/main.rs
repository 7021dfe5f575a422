//! The one test binary: every kind of check is data read by it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests read fixtures and the environment"
)]

mod alembic;
mod cli;
mod config;
mod layouts;
mod replay;
mod reports;
mod servers;
