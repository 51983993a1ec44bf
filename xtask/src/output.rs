//! Output of the tasks: results to stdout, everything else to stderr.

use common::failure::Failure;

#[expect(clippy::print_stderr, reason = "the output module")]
pub(crate) fn note(line: &str) {
    eprintln!("xtask: {line}");
}

#[expect(clippy::print_stdout, reason = "the output module")]
pub(crate) fn result(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the output module")]
pub(crate) fn failure(failure: &Failure) {
    eprintln!("error: {failure}");
    if let Some(hint) = failure.hint_text() {
        eprintln!("\nhint: {hint}");
    }
}
