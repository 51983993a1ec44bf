//! The targets that can be selected: `local` and `aws`, and those of the configuration file.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(super) const LOCAL: &str = "local";

pub(super) const AWS: &str = "aws";

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// This machine.
    Local,
    /// An account and region of AWS.
    Aws,
}

/// A target that can be selected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetEntry {
    pub name: String,
    pub kind: TargetKind,
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
