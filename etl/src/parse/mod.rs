//! From bytes to records: splits lines and fields, and finds columns by name.
//!
//! The ministry's CSV has one row per line, so a row with broken quoting does not damage its neighbors. (A quoted field may contain a line
//! break anyway; see [`record::Records`].) This module does not know what a column means, and does not copy fields.

pub mod date;
pub mod field;
pub mod fields;
pub mod header;
pub(crate) mod mojibake;
pub mod record;
pub(crate) mod unlike;
