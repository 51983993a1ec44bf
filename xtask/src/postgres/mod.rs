//! A temporary PostgreSQL cluster for one task.

mod binaries;
mod cluster;

pub(crate) use binaries::Binaries;
pub(crate) use cluster::{Cluster, Settings};
