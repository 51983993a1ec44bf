//! The tunnel against a real OpenSSH server. Each test has a server, keys and pins of its own; nothing outlives it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod authentication;
mod bytes;
mod door;
mod ending;
mod many;
mod outage;
mod refusals;
mod support;
mod trust;
