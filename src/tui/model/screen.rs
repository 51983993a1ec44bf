//! The eight screens, and the layers that decide what a key means.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
    Overview,
    Runs,
    Logs,
    Data,
    Reports,
    Tunnels,
    Database,
    Health,
}

impl Screen {
    /// All screens, in the order of the header.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Runs,
        Self::Logs,
        Self::Data,
        Self::Reports,
        Self::Tunnels,
        Self::Database,
        Self::Health,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Runs => "Runs",
            Self::Logs => "Logs",
            Self::Data => "Data",
            Self::Reports => "Reports",
            Self::Tunnels => "Tunnels",
            Self::Database => "Database",
            Self::Health => "Health",
        }
    }

    /// The screen `by` positions to the right, with wrap-around.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = (self as usize).cast_signed() + by;
        Self::ALL[at.rem_euclid(Self::ALL.len().cast_signed()).unsigned_abs()]
    }
}

/// The topmost thing on the terminal; it decides what a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The top level of a screen.
    Screen(Screen),
    /// A page opened from a screen.
    Page(Screen),
    Help,
    Confirm,
    /// A line of text is typed.
    Input,
    /// An item is chosen from a list.
    Choice,
}
