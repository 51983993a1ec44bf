//! Colours by what they mean, from the sixteen that every terminal has and that its user has chosen to be readable.
//!
//! Nothing is said by colour alone: each state has a sign and a word, too.

use ratatui::style::{Color, Modifier, Style};

use crate::tui::model::logs::Level;
use target::ComponentState;

/// How things look.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// With colours.
    pub color: bool,
    /// On a light background.
    pub light: bool,
}

impl Theme {
    fn paint(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    /// Ordinary text.
    pub fn text(self) -> Style {
        Style::new()
    }

    /// What is less important.
    pub fn faint(self) -> Style {
        // Not "dim", which some terminals do not know.
        self.paint(Color::DarkGray)
    }

    /// The name of a section.
    pub fn title(self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    /// The names of columns.
    pub fn heading(self) -> Style {
        self.faint().add_modifier(Modifier::BOLD)
    }

    /// Something to press, or to follow.
    pub fn accent(self) -> Style {
        self.paint(if self.light { Color::Blue } else { Color::Cyan })
    }

    /// All is well.
    pub fn good(self) -> Style {
        self.paint(Color::Green)
    }

    /// Something to look at.
    pub fn warn(self) -> Style {
        self.paint(if self.light { Color::Magenta } else { Color::Yellow })
    }

    /// Something broke.
    pub fn bad(self) -> Style {
        self.paint(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What is selected.
    pub fn selected(self) -> Style {
        // Whatever colours are below: reversed, they would be a patchwork.
        Style::new().fg(Color::Reset).bg(Color::Reset).add_modifier(Modifier::REVERSED)
    }

    /// What was searched for.
    pub fn found(self) -> Style {
        if self.color {
            Style::new().fg(Color::Black).bg(Color::Yellow)
        } else {
            Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
        }
    }

    /// The name of a source of logs.
    pub fn source(self, name: &str) -> Style {
        self.paint(match name {
            "etl" => Color::Cyan,
            "report" => Color::Magenta,
            "lambda" if !self.light => Color::Yellow,
            "metabase" => Color::Blue,
            _ => Color::Green,
        })
    }

    /// The level of a line.
    pub fn level(self, level: Level) -> Style {
        match level {
            Level::Error => self.bad(),
            Level::Warn => self.warn(),
            Level::Info => self.good(),
            Level::Debug | Level::None => self.faint(),
        }
    }

    /// The state of a part: its sign and how it looks.
    pub fn state(self, state: ComponentState) -> (&'static str, Style) {
        match state {
            ComponentState::Ready => ("✓", self.good()),
            ComponentState::Busy => ("●", self.warn()),
            ComponentState::Stopped => ("■", self.faint()),
            ComponentState::Missing => ("○", self.faint()),
            ComponentState::Failed => ("✗", self.bad()),
            ComponentState::Unknown => ("?", self.warn()),
        }
    }

    /// The status of a run: its sign and how it looks.
    pub fn status(self, status: &str) -> (&'static str, Style) {
        match status {
            "succeeded" => ("✓", self.good()),
            "failed" => ("✗", self.bad()),
            "running" => ("●", self.warn()),
            "stopping" => ("■", self.warn()),
            "skipped" => ("-", self.faint()),
            _ => ("?", self.warn()),
        }
    }
}
