//! `etl report`: answers a fixed set of questions from the database and writes the answers to the store.
//!
//! Each of the [`QUESTIONS`] has an `.sql` file. All are answered in one read-only snapshot and kept as raw values
//! ([`Answer`]). Text, page, JSON and CSVs are views of the same answers. A question that fails is shown as failed and affects no other.

mod answer;
mod content;
mod csv;
mod format;
mod html;
mod json;
mod language;
mod pointer;
mod question;
mod questions;
mod run;
mod table;
mod text;
mod text_table;

pub use self::answer::{Answer, QuestionResult, Value};
pub use self::content::Options;
pub use self::language::{Language, Localized, tr};
pub use self::pointer::{LATEST_JSON, POINTER_LOCK, Pointer, REWRITE_HINT};
pub use self::question::{Chart, Column, ColumnKind, Layout, Placement, Question, RowLimit};
pub use self::questions::QUESTIONS;
pub use self::run::{Written, run, text_of, write};
