//! Faults: the real `etl` against a real PostgreSQL, with readers in its way, killed in every stage, with the server stopped, the disk
//! full, and two runs at once.
//!
//! No test depends on a clock. A lock that the test holds stops a run in a known stage (`barrier`), tests wait for states (`watch`), and
//! time limits only end a test that would hang.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod barrier;
mod commit;
mod fixture;
mod full_disk;
mod killed;
mod lock;
mod memory;
mod pooler;
mod readers;
mod reaper;
mod replica;
mod run;
mod server;
mod server_stopped;
mod signals;
mod silent_network;
mod snapshots;
mod waiting;
mod watch;
