//! From bytes to records: where lines and fields begin and end, and which column stands where.
//!
//! The ministry's CSV has one row per line, so the line is the unit here: a row with broken quoting damages itself and never its
//! neighbours. (A quoted field may hold a line break all the same; see [`record::Records`].) Nothing in this module knows
//! what a column means, and nothing copies a field.

mod blank;
pub mod date;
pub mod field;
pub mod fields;
pub mod header;
pub(crate) mod mojibake;
pub mod record;
pub(crate) mod unlike;
