//! Styles by meaning, from the 16 ANSI colours, which follow the user's palette.
//!
//! No meaning depends on colour alone: each state also has a symbol and a word.

use ratatui::style::{Color, Modifier, Style};

use super::domain::ComponentState;
use super::model::logs::LogLevel;

#[derive(Debug, Clone, Copy)]
pub struct Theme {
    pub color: bool,
    /// Whether the background is light.
    pub light: bool,
}

impl Theme {
    fn paint(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    pub fn text(self) -> Style {
        Style::new()
    }

    pub fn dim(self) -> Style {
        // Not the attribute `dim`, which some terminals lack.
        self.paint(Color::DarkGray)
    }

    pub fn title(self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    pub fn heading(self) -> Style {
        self.dim().add_modifier(Modifier::BOLD)
    }

    /// Keys, links and charts.
    pub fn accent(self) -> Style {
        self.paint(if self.light { Color::Blue } else { Color::Cyan })
    }

    pub fn success(self) -> Style {
        self.paint(Color::Green)
    }

    pub fn warning(self) -> Style {
        self.paint(if self.light { Color::Magenta } else { Color::Yellow })
    }

    pub fn error(self) -> Style {
        self.paint(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn selected(self) -> Style {
        // Resets the colours below, which would be a patchwork if reversed.
        Style::new().fg(Color::Reset).bg(Color::Reset).add_modifier(Modifier::REVERSED)
    }

    pub fn search_match(self) -> Style {
        if self.color {
            Style::new().fg(Color::Black).bg(Color::Yellow)
        } else {
            Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
        }
    }

    pub fn log_source(self, name: &str) -> Style {
        self.paint(match name {
            "etl" => Color::Cyan,
            "report" => Color::Magenta,
            "lambda" if !self.light => Color::Yellow,
            "metabase" => Color::Blue,
            _ => Color::Green,
        })
    }

    pub fn log_level(self, level: LogLevel) -> Style {
        match level {
            LogLevel::Error => self.error(),
            LogLevel::Warn => self.warning(),
            LogLevel::Info => self.success(),
            LogLevel::Debug | LogLevel::None => self.dim(),
        }
    }

    /// The symbol and the style of a component's state.
    pub fn component_state(self, state: ComponentState) -> (&'static str, Style) {
        match state {
            ComponentState::Ready => ("✓", self.success()),
            ComponentState::Busy => ("●", self.warning()),
            ComponentState::Stopped => ("■", self.dim()),
            ComponentState::Missing => ("○", self.dim()),
            ComponentState::Failed => ("✗", self.error()),
            ComponentState::Unknown => ("?", self.warning()),
        }
    }

    /// The symbol and the style of a run's status.
    pub fn run_status(self, status: &str) -> (&'static str, Style) {
        match status {
            "succeeded" => ("✓", self.success()),
            "failed" => ("✗", self.error()),
            "running" => ("●", self.warning()),
            "stopping" => ("■", self.warning()),
            "skipped" => ("-", self.dim()),
            _ => ("?", self.warning()),
        }
    }
}
