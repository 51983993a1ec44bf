//! A private PostgreSQL for one task: found on the machine, started in a folder of its own, gone with the task.

mod cluster;
mod find;

pub(crate) use cluster::{Cluster, Settings};
pub(crate) use find::Binaries;
