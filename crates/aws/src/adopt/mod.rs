//! Looks through an account for a pipeline that is there already, and proposes its description. Only reads.
//!
//! A part that may not be read is left out, and the missing right is named.

mod bastions;
mod databases;
mod functions;
mod logins;
mod logs;
mod schedules;
mod tasks;

use std::collections::BTreeSet;
use std::fmt;

use common::failure::{Exit, Failure, Result};
use serde::Serialize;
use toml::Value;

use super::Aws;
use super::clients::Clients;

/// What an account has, as parts of a description.
#[derive(Debug, Serialize)]
pub struct Proposal {
    /// The region that was looked through.
    pub region: String,
    /// The parts, in the order of the file.
    pub candidates: Vec<Candidate>,
    /// What could not be read, each with the right that is missing.
    pub unread: Vec<String>,
}

/// A part of a description.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The table below `[targets.NAME]`, such as `databases.master`.
    pub table: String,
    /// Its keys and values.
    pub values: Vec<(String, Value)>,
    /// What is not certain, each with the reason.
    pub doubts: Vec<String>,
    /// Whether it belongs to the pipeline as far as can be seen.
    pub is_likely: bool,
}

impl Candidate {
    fn new(table: impl Into<String>) -> Self {
        Self { table: table.into(), values: Vec::new(), doubts: Vec::new(), is_likely: true }
    }

    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.values.push((key.to_owned(), value.into()));
    }

    fn doubt(&mut self, reason: impl Into<String>) {
        self.doubts.push(reason.into());
    }

    /// Doubts that it belongs to the pipeline.
    fn unlikely(&mut self, reason: impl Into<String>) {
        self.is_likely = false;
        self.doubt(reason);
    }

    /// Returns the text of a value.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == key)?.1.as_str()
    }
}

impl fmt::Display for Candidate {
    /// Shows the table and its first value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.values.first().map(|(key, value)| format!("{key} = {value}"));
        write!(f, "{:<24} {}", self.table, first.unwrap_or_default())
    }
}

impl Aws {
    /// Looks through the account.
    ///
    /// # Errors
    /// If there are no valid credentials or no answers at all.
    pub async fn look_around(&self) -> Result<Proposal> {
        let clients = Clients::load(&self.settings).await?;
        let (mut unread, mut candidates) = (Vec::new(), Vec::new());
        let rules = found(schedules::all(&clients).await, &mut unread)?;
        let parameters = found(logins::parameters(&clients).await, &mut unread)?;
        candidates.extend(found(bastions::candidates(&clients).await, &mut unread)?);
        candidates.extend(found(databases::candidates(&clients, &parameters).await, &mut unread)?);
        let tasks = found(tasks::candidates(&clients, &rules).await, &mut unread)?;
        let functions = found(functions::candidates(&clients, &rules).await, &mut unread)?;
        let covered: BTreeSet<String> =
            tasks.log_groups.iter().chain(&functions.log_groups).cloned().collect();
        candidates.extend(tasks.candidates);
        candidates.extend(functions.candidates);
        let other = found(logs::candidates(&clients, &covered).await, &mut unread)?;
        candidates.extend(logs::merged(tasks.logs.into_iter().chain(other)));
        distinguish(&mut candidates);
        Ok(Proposal { region: clients.region, candidates, unread })
    }
}

/// Jobs, the log sources beside them, and the log groups that both cover.
#[derive(Debug, Default)]
struct Jobs {
    candidates: Vec<Candidate>,
    logs: Vec<(String, String)>,
    log_groups: Vec<String>,
}

/// Returns what was found; a refusal is noted, and without it nothing was.
fn found<T: Default>(result: Result<T>, unread: &mut Vec<String>) -> Result<T> {
    match result {
        Ok(found) => Ok(found),
        Err(failure) if is_refusal(&failure) => {
            unread.push(failure.to_string());
            Ok(T::default())
        }
        Err(failure) => Err(failure),
    }
}

/// Returns whether a right is missing; without credentials, everything fails for the same reason.
fn is_refusal(failure: &Failure) -> bool {
    failure.exit() == Exit::Credentials && failure.to_string().contains("is not allowed")
}

/// Returns the last part of a resource's name as the name of a table.
fn name_of(resource: &str) -> String {
    let last = resource.rsplit('/').find(|part| !part.is_empty()).unwrap_or(resource);
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let name: String =
        last.chars().map(|character| if is_allowed(character) { character } else { '-' }).collect();
    name.trim_matches('-').to_lowercase()
}

/// Gives candidates of the same table names of their own: the first keeps it.
fn distinguish(candidates: &mut [Candidate]) {
    let mut taken = BTreeSet::new();
    for candidate in candidates.iter_mut().filter(|candidate| candidate.table.contains('.')) {
        let name = candidate.table.clone();
        let mut number = 2;
        while !taken.insert(candidate.table.clone()) {
            candidate.table = format!("{name}-{number}");
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_resources_are_names_of_tables() {
        assert_eq!(name_of("/ecs/Dashboard-Cluster"), "dashboard-cluster");
        assert_eq!(name_of("arn:aws:ecs:x:1:task-definition/etl v2"), "etl-v2");
        let mut candidates =
            [Candidate::new("jobs.etl"), Candidate::new("jobs.etl"), Candidate::new("bastion")];
        distinguish(&mut candidates);
        assert_eq!(candidates.map(|candidate| candidate.table), ["jobs.etl", "jobs.etl-2", "bastion"]);
    }

    #[test]
    fn refusals_are_noted_and_missing_credentials_are_errors() {
        let mut unread = Vec::new();
        let denied = Failure::new("cannot list the rules").source("`events:ListRules` is not allowed: no");
        let none: Vec<u8> = found(Err(denied.exit_code(Exit::Credentials)), &mut unread).unwrap();
        assert!(none.is_empty() && unread[0].contains("events:ListRules"), "{unread:?}");
        let expired = Failure::new("cannot list").source("expired").exit_code(Exit::Credentials);
        assert!(found::<Vec<u8>>(Err(expired), &mut unread).is_err());
    }
}
