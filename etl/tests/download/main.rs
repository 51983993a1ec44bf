//! Downloads from a real server on the loopback that is slow, breaks off, lies, or has moved: the old file stays, or the whole new one is
//! there.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod breaks;
mod later;
mod lies;
mod memory;
mod optional;
mod place;
mod program;
#[expect(dead_code, reason = "the Lambda's tests read what was sent, too")]
mod server;
mod unchanged;
