//! Notices outside the screens that a run has ended or a check fails: the bell, a notification of the desktop, a command of the user.
//!
//! Texts consist of this program's own words and of names; text of a log never becomes part of one.

use std::io::{IsTerminal as _, Write as _};
use std::process::Stdio;

use common::failure::{Context as _, Failure, Result};

use crate::settings::{DesktopNotice, NotifySettings};

/// Longer texts are cut, in characters.
const MAX_LEN: usize = 120;

/// Returns what the terminal is sent: nothing, or escape sequences without text that could end them.
pub fn sequence(settings: &NotifySettings, text: &str) -> String {
    let text = plain(text);
    let bell = if settings.bell { "\x07" } else { "" };
    match settings.desktop {
        DesktopNotice::Off => bell.to_owned(),
        DesktopNotice::Osc9 => format!("\x1b]9;{text}\x1b\\{bell}"),
        DesktopNotice::Osc777 => format!("\x1b]777;notify;covidctl;{text}\x1b\\{bell}"),
    }
}

/// Runs the user's command, if there is one, and waits for it.
pub async fn run_command(settings: &NotifySettings, text: &str) -> Result<()> {
    let Some((program, arguments)) = settings.command.split_first() else { return Ok(()) };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).arg(plain(text)).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let hint = "correct `command` in the table [notify] of the configuration file";
    let status = command.status().await.context(|| format!("cannot run the notice command `{program}`"));
    let status = status.map_err(|failure| failure.hint(hint))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("the notice command `{program}` failed: {status}")).hint(hint))
}

/// Gives a notice on the terminal of standard error, and by the command.
pub async fn give(settings: &NotifySettings, text: &str) -> Result<()> {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        // An error on standard error cannot be reported anywhere.
        drop(terminal.write_all(sequence(settings, text).as_bytes()).and_then(|()| terminal.flush()));
    }
    run_command(settings, text).await
}

/// Returns a text without anything but letters, digits, spaces and a few marks.
fn plain(text: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || " ._:/+-".contains(*c);
    text.chars().filter(is_plain).take(MAX_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_has_no_text_that_ends_it() {
        let hostile = "run\x1b\\ \x07etl;x\u{9c}\n failed";
        for (desktop, expected) in [
            (DesktopNotice::Off, "\x07"),
            (DesktopNotice::Osc9, "\x1b]9;run etlx failed\x1b\\\x07"),
            (DesktopNotice::Osc777, "\x1b]777;notify;covidctl;run etlx failed\x1b\\\x07"),
        ] {
            let settings = NotifySettings { desktop, ..NotifySettings::default() };
            assert_eq!(sequence(&settings, hostile), expected);
        }
        let silent = NotifySettings { bell: false, ..NotifySettings::default() };
        assert_eq!(sequence(&silent, "x"), "");
    }

    #[tokio::test]
    async fn command_gets_the_text_as_its_last_argument() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notice");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let script = format!("printf %s \"$1\" > '{}'", file.display());
        let settings =
            NotifySettings { command: words(&["sh", "-c", &script, "sh"]), ..NotifySettings::default() };
        run_command(&settings, "run etl `x` failed").await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "run etl x failed");
        let missing = NotifySettings { command: words(&["/nonexistent"]), ..NotifySettings::default() };
        assert!(run_command(&missing, "x").await.unwrap_err().to_string().contains("`/nonexistent`"));
    }
}
