//! Where the log goes and what it looks like: JSON lines for machines, text for people, always on stderr.

use clap::ValueEnum;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

use crate::clean::null_words::{NullWord, NullWords};

/// `LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text on a terminal, JSON lines elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line: timestamp, level, message and the event's own fields.
    Json,
}

impl Format {
    /// Whether lines are for people.
    pub fn is_text(self) -> bool {
        match self {
            Self::Auto => std::io::stderr().is_terminal(),
            Self::Text => true,
            Self::Json => false,
        }
    }
}

/// Sets the log up for the whole process; `RUST_LOG` can ask for more.
pub fn init(format: Format) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,object_store=error"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let set = if format.is_text() {
        builder.with_ansi(std::io::stderr().is_terminal()).compact().try_init()
    } else {
        // The span, where there is one, says which of several runs a line is of.
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    // A second call (in tests) keeps the first one's log.
    drop(set);
}

/// Warns once of each column in which nulls are written as words.
pub(crate) fn warn_of_null_words(null_words: &NullWords) {
    for (column, NullWord { word, line, rows }) in null_words.iter() {
        tracing::warn!(
            column = column.name(),
            value = word,
            first_line = line,
            rows,
            "nulls are written as a word"
        );
    }
}
