//! `etl estimate` through the real binary: what it prints is right, and what it cannot read it refuses with a line and a hint.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod accepted;
mod program;
mod reference;
mod refused;
