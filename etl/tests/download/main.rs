//! Downloads from a real server on the loopback that is slow, loses connections, sends invalid responses, or redirects: the old file is
//! kept, or the new one is complete.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod bad_responses;
mod connection_loss;
mod fixture;
mod memory;
mod optional;
mod program;
mod resume;
#[expect(dead_code, reason = "the Lambda's tests read what was sent, too")]
mod server;
mod unchanged;
