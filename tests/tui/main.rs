//! The screens in a real terminal: the program inside tmux.
//!
//! Tests wait for text to appear, up to a timeout; they never sleep for a fixed time.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod exit;
mod report;
mod screens;
#[expect(dead_code, reason = "used by the command tests")]
#[path = "../cli/support.rs"]
mod support;
mod terminal;
