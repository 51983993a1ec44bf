//! The table `[notify]` of the configuration file: how the user learns that a run has ended or a check fails.

use serde::Deserialize;

/// How notices are given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NotifySettings {
    /// Rings the terminal's bell.
    pub bell: bool,
    /// Asks the terminal for a notification of the desktop.
    pub desktop: DesktopNotice,
    /// A program with its arguments; the text is added as the last one.
    pub command: Vec<String>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self { bell: true, desktop: DesktopNotice::Off, command: Vec::new() }
    }
}

/// The escape sequence for a notification of the desktop, which depends on the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DesktopNotice {
    #[default]
    Off,
    /// OSC 9: iTerm2, `ConEmu`, kitty, `WezTerm`, Windows Terminal.
    Osc9,
    /// OSC 777: urxvt, foot, Ghostty, `WezTerm`.
    Osc777,
}
