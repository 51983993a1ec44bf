//! Logging to stderr, as text or as JSON lines.

use clap::ValueEnum;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

use crate::clean::null_words::{NullWord, NullWords};

/// `LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text on a terminal, else JSON lines
    Auto,
    /// Human-readable text
    Text,
    /// JSON lines with timestamp, level, message and fields
    Json,
}

impl Format {
    pub fn is_text(self) -> bool {
        match self {
            Self::Auto => std::io::stderr().is_terminal(),
            Self::Text => true,
            Self::Json => false,
        }
    }
}

/// Initializes logging for the process; `RUST_LOG` overrides the level.
pub fn init(format: Format) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,object_store=error"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let result = if format.is_text() {
        builder.with_ansi(std::io::stderr().is_terminal()).compact().try_init()
    } else {
        // The span identifies the run of a line.
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    // A second call, in tests, has no effect.
    drop(result);
}

/// Warns once for each column with words for null.
pub(crate) fn warn_of_null_words(null_words: &NullWords) {
    for (column, NullWord { word, line, rows }) in null_words.iter() {
        tracing::warn!(
            column = column.name(),
            value = word,
            first_line = line,
            rows,
            "column has a word for null"
        );
    }
}
