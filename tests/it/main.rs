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
mod case;
mod cases;
mod cli;
mod config;
mod example;
mod layouts;
mod page;
mod pages;
mod pre_commit;
mod reports;
mod servers;
mod tools;
