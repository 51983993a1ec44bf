//! The screens in a real terminal, as a user sees them: the real program inside tmux.
//!
//! A test waits for words to appear, however long that takes (within a bound at which something is broken), and never for a time.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod leaving;
mod report;
mod screens;
#[expect(dead_code, reason = "the tests of the commands use the rest")]
#[path = "../cli/support.rs"]
mod support;
mod terminal;
