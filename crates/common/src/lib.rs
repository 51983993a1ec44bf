//! What all programs of the workspace share: errors with a hint and an exit code, names of environment variables, atomic files, and text
//! that is safe for a terminal.

#![warn(missing_docs)]

pub mod atomic_file;
pub mod env;
pub mod failure;
pub mod terminal;
pub mod text;
