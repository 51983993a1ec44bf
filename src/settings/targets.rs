//! The targets that can be selected: `local` and `aws`, and those of the configuration file.

use std::fmt;

use common::failure::{Failure, Result};
use serde::{Deserialize, Serialize};

use super::file::File;

pub(super) const LOCAL: &str = "local";

const AWS: &str = "aws";

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

impl File {
    /// Returns all targets: the built-in ones, then those of the file by name.
    pub(super) fn entries(&self) -> Vec<TargetEntry> {
        let built_in = [(LOCAL, TargetKind::Local), (AWS, TargetKind::Aws)];
        let built_in = built_in.map(|(name, kind)| TargetEntry { name: name.to_owned(), kind });
        let named =
            self.targets.iter().map(|(name, table)| TargetEntry { name: name.clone(), kind: table.kind });
        built_in.into_iter().chain(named).collect()
    }

    pub(super) fn kind_of(&self, name: &str) -> Result<TargetKind> {
        let entries = self.entries();
        let found = entries.iter().find(|target| target.name == name);
        found.map(|target| target.kind).ok_or_else(|| {
            let names: Vec<&str> = entries.iter().map(|target| target.name.as_str()).collect();
            Failure::usage(format!("there is no target `{name}`"))
                .hint(format!("the targets are {}; the configuration file can define more", names.join(", ")))
        })
    }

    /// Returns the file with the keys of a target in place of those of the built-in ones.
    pub(super) fn of_target(mut self, name: &str) -> Self {
        let Some(table) = self.targets.remove(name) else { return self };
        match table.kind {
            TargetKind::Aws => self.aws = table.aws(),
            TargetKind::Local => {
                self.data_dir = table.data_dir;
                self.pg_bin = table.pg_bin.or(self.pg_bin);
            }
        }
        self
    }

    /// Returns the error of the first table `[targets.NAME]` that cannot be one.
    pub(super) fn check_targets(&self) -> Result<()> {
        for (name, table) in &self.targets {
            if [LOCAL, AWS].contains(&name.as_str()) {
                let place = if name == AWS { "the table `aws`" } else { "`data-dir` and `pg-bin`" };
                return Err(Failure::usage(format!(
                    "`targets.{name}` is a built-in name; its keys are {place}"
                )));
            }
            if let Some(key) = table.misplaced_key() {
                return Err(Failure::usage(format!(
                    "`targets.{name}.{key}` is not a key of the kind `{}`",
                    table.kind
                )));
            }
            if table.kind == TargetKind::Local && table.data_dir.is_none() {
                return Err(Failure::usage(format!("`targets.{name}.data-dir` is missing")));
            }
        }
        Ok(())
    }
}
