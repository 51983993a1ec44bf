//! What several commands share, and later the screens: each operation works on any backend and prints nothing.

pub mod datasets;
pub mod follow;
pub mod log_line;
pub mod reports;
pub mod up;
