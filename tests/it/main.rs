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
mod alembic_corpus;
mod alembic_graph;
mod case;
mod cases;
mod catalog;
mod catalog_functions;
mod catalog_types;
mod cli;
mod config;
mod conflicts;
mod coverage;
mod differential;
mod down;
mod dozen;
mod environments;
mod example;
mod fix;
mod git;
mod hostile;
mod labelled;
mod layouts;
mod live;
mod locks;
mod locks_cli;
mod observed;
mod observed_live;
mod page;
mod pages;
mod pre_commit;
mod projects;
mod refused;
mod remedies;
mod replay;
mod reports;
mod servers;
mod tidy;
mod tools;
mod type_changes;
