//! `covidctl tunnel` against a real OpenSSH server. Each test has a server, keys and pins of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like the tests themselves")]

mod authentication;
mod background;
mod concurrency;
mod errors;
mod keys;
mod known_hosts;
mod lifecycle;
mod prefetch;
mod reconnect;
mod support;
#[expect(dead_code, reason = "used by the command tests")]
#[path = "../cli/support.rs"]
mod target;
mod transfer;
mod unix_socket;
mod way;
