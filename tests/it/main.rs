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
mod catalog_functions;
mod cli;
mod config;
mod dozen;
mod layouts;
mod observed;
mod observed_live;
mod reports;
mod servers;
