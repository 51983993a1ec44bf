//! The question before something is destroyed. The answer is no unless somebody says yes.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use etl::failure::{Exit, Failure, OrFail as _, Result};

use crate::settings::Settings;
use etl::terminal::visible;

/// Asks on the terminal; without one, only `--yes` says yes.
pub(super) async fn confirm(question: &str, settings: &Settings) -> Result<()> {
    if settings.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage(format!("{question} There is no terminal to ask on"))
            .hint("add --yes to say yes beforehand"));
    }
    let question = visible(question);
    let (answered, answer) = tokio::sync::oneshot::channel();
    // In a thread of its own, because it cannot be cancelled: Ctrl-C must end the program, not wait for Enter.
    std::thread::spawn(move || {
        drop(answered.send(ask(&question)));
    });
    let answer = answer.await.or_fail(|| "cannot ask".to_owned())?.or_fail(|| "cannot ask".to_owned())?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new("nothing was changed").exiting(Exit::Failed))
}

fn ask(question: &str) -> std::io::Result<String> {
    let mut screen = std::io::stderr().lock();
    write!(screen, "{question} [y/N] ")?;
    screen.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}
