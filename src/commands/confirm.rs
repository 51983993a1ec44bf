//! The question before something is destroyed. The answer is no unless somebody says yes.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use common::failure::{Context as _, Exit, Failure, Result};

use crate::settings::Settings;
use common::terminal::visible;

/// Asks on the terminal; without one, only `--yes` says yes.
pub(super) async fn confirm(question: &str, settings: &Settings) -> Result<()> {
    let is_yes = |answer: &str| matches!(answer.to_lowercase().as_str(), "y" | "yes");
    ask(question, "[y/N]", settings, is_yes).await
}

/// Asks for a name, which nobody types by mistake.
#[cfg(feature = "aws")]
pub(super) async fn by_name(question: &str, name: &str, settings: &Settings) -> Result<()> {
    ask(question, &format!("Type `{name}` to go on:"), settings, |answer| answer == name).await
}

async fn ask(question: &str, ending: &str, settings: &Settings, is_yes: impl Fn(&str) -> bool) -> Result<()> {
    if settings.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage(format!("{question} There is no terminal to ask on"))
            .hint("add --yes to say yes beforehand"));
    }
    let question = visible(&format!("{question} {ending} "));
    let (answered, answer) = tokio::sync::oneshot::channel();
    // In a thread of its own, because it cannot be cancelled: Ctrl-C must end the program, not wait for Enter.
    std::thread::spawn(move || {
        drop(answered.send(read(&question)));
    });
    let answer = answer.await.context(|| "cannot ask".to_owned())?.context(|| "cannot ask".to_owned())?;
    if is_yes(answer.trim()) {
        return Ok(());
    }
    Err(Failure::new("nothing was changed").exit_code(Exit::Failed))
}

fn read(question: &str) -> std::io::Result<String> {
    let mut screen = std::io::stderr().lock();
    write!(screen, "{question}")?;
    screen.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}
