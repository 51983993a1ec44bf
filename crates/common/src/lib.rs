//! Code that all programs of the workspace share: errors, names of environment variables, atomic files, text for terminals.

#![warn(missing_docs)]

pub mod ascii;
pub mod atomic_file;
pub mod backoff;
pub mod env;
pub mod failure;
pub mod terminal;
pub mod text;
