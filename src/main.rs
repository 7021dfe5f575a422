//! The program: a pool of threads with room for deep trees, and the command line run in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Stack of every thread, in bytes. The SQL parser sizes its recursion by what is there.
const STACK: usize = 8 << 20;

#[expect(
    clippy::disallowed_methods,
    reason = "the arguments enter the program here"
)]
fn main() -> ExitCode {
    let pool = match rayon::ThreadPoolBuilder::new().stack_size(STACK).build() {
        Ok(pool) => pool,
        Err(error) => {
            eprintln!("error: no threads can be started: {error}");
            return ExitCode::from(2);
        }
    };
    // A panic is a bug and has said so on standard error; the run failed.
    catch_unwind(AssertUnwindSafe(|| {
        pool.install(|| lockgate::cli::run(std::env::args_os()))
    }))
    .unwrap_or(ExitCode::from(2))
}
