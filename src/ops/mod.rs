//! Operations that commands and screens share. They work on any target and print nothing.

pub mod comparison;
pub mod datasets;
pub mod doctor;
pub mod follow;
pub mod pipeline;
pub mod reports;
pub mod run_patterns;
pub mod status;
pub mod up;
