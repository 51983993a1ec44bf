//! `etl` through the real binary on a Citus cluster: it distributes the cases, and everything that holds on one server holds there.
//!
//! `CITUS_URL` is a superuser's URL of a coordinator with at least two worker nodes, as `packaging/citus.sh` prints it. Every test has a database
//! of its own on every node. Without the variable, the tests are skipped.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[path = "../cluster/mod.rs"]
#[expect(dead_code, reason = "plain PostgreSQL is only compared with")]
mod cluster;
mod distribution;
mod fixture;
mod releases;
mod reports;
