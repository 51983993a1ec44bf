//! The one place that prints. Results go to stdout, everything else to stderr, as in both programs.

use common::failure::Failure;

/// One line about what happens now.
#[expect(clippy::print_stderr, reason = "the one place that prints")]
pub(crate) fn note(line: &str) {
    eprintln!("xtask: {line}");
}

/// A result: data, on stdout.
#[expect(clippy::print_stdout, reason = "the one place that prints")]
pub(crate) fn result(text: &str) {
    println!("{text}");
}

/// What failed, and what to do next.
#[expect(clippy::print_stderr, reason = "the one place that prints")]
pub(crate) fn failure(failure: &Failure) {
    eprintln!("error: {failure}");
    if let Some(hint) = failure.hint_text() {
        eprintln!("\nhint: {hint}");
    }
}
