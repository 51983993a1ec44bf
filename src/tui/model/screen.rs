//! The six screens: their order, and what they are called.

/// The screens, in the order of the header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Is it healthy, is it fresh, what runs.
    #[default]
    Overview,
    /// The history and what is in progress.
    Runs,
    /// What all of it says.
    Logs,
    /// What is published.
    Data,
    /// What was written about it.
    Reports,
    /// The ways to the database.
    Tunnels,
}

impl Screen {
    /// All, in order.
    pub const ALL: [Self; 6] =
        [Self::Overview, Self::Runs, Self::Logs, Self::Data, Self::Reports, Self::Tunnels];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Runs => "Runs",
            Self::Logs => "Logs",
            Self::Data => "Data",
            Self::Reports => "Reports",
            Self::Tunnels => "Tunnels",
        }
    }

    /// Its word in the palette.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Runs => "runs",
            Self::Logs => "logs",
            Self::Data => "data",
            Self::Reports => "reports",
            Self::Tunnels => "tunnels",
        }
    }

    /// The one so many to the right.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0).cast_signed();
        let count = Self::ALL.len().cast_signed();
        Self::ALL[(at + by).rem_euclid(count).unsigned_abs()]
    }
}
