//! `etl estimate` through the real binary: what it prints is right, and what it cannot read it refuses with a line and a hint.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says what it skips"
)]

mod accepted;
mod program;
mod reference;
mod refused;
