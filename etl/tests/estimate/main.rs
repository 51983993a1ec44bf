//! `etl estimate` through the real binary.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed test panics, and a skipped test prints a line"
)]

mod accepted;
mod program;
mod reference;
mod rejected;
