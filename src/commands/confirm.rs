//! Confirmation of destructive commands. The default answer is no.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use common::failure::{Context as _, Failure, Result};

use crate::settings::Settings;
use common::terminal::visible;

/// Asks a yes-or-no question on the terminal. Without a terminal, only `--yes` confirms.
pub(super) async fn confirm(question: &str, settings: &Settings) -> Result<()> {
    let is_yes = |answer: &str| matches!(answer.to_lowercase().as_str(), "y" | "yes");
    ask(question, "[y/N]", settings, is_yes).await
}

/// Asks the user to type a name, which does not happen by mistake.
#[cfg(feature = "aws")]
pub(super) async fn by_name(question: &str, name: &str, settings: &Settings) -> Result<()> {
    ask(question, &format!("Type `{name}` to continue:"), settings, |answer| answer == name).await
}

async fn ask(question: &str, ending: &str, settings: &Settings, is_yes: impl Fn(&str) -> bool) -> Result<()> {
    if settings.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage(format!("{question} Confirmation needs a terminal"))
            .hint("add --yes to confirm in advance"));
    }
    let question = visible(&format!("{question} {ending} "));
    let (sender, answer) = tokio::sync::oneshot::channel();
    // Reading a line cannot be cancelled: on a thread of its own it does not keep Ctrl-C from ending the program.
    std::thread::spawn(move || drop(sender.send(read(&question))));
    let what = || "cannot read the answer";
    let answer = answer.await.context(what)?.context(what)?;
    if is_yes(answer.trim()) {
        return Ok(());
    }
    Err(Failure::new("nothing was changed"))
}

fn read(question: &str) -> std::io::Result<String> {
    let mut screen = std::io::stderr().lock();
    write!(screen, "{question}")?;
    screen.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}
