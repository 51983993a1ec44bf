//! What several commands and the screens share: each operation works on any target and prints nothing.

pub mod comparison;
pub mod database;
pub mod datasets;
pub mod doctor;
pub mod follow;
pub mod pipeline;
pub mod reports;
pub mod status;
pub mod up;
