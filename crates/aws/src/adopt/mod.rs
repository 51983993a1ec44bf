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
use serde::{Serialize, Serializer};
use toml::Value;

use super::Aws;
use super::clients::Clients;
use ::logs::SERVER_SOURCE;

/// The table of log sources.
const LOGS: &str = "logs";

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
    #[serde(serialize_with = "as_object")]
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
        // A comment ends with its line, whatever the name in it has.
        self.doubts.push(reason.into().replace('\n', " "));
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

fn as_object<S: Serializer>(
    values: &[(String, Value)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(key, value)| (key, value)))
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
        let mut schedules = found(schedules::of_rules(&clients).await, &mut unread)?;
        schedules.extend(found(schedules::of_scheduler(&clients).await, &mut unread)?);
        let parameters = found(logins::parameters(&clients).await, &mut unread)?;
        candidates.extend(found(bastions::candidates(&clients).await, &mut unread)?);
        candidates.extend(found(databases::candidates(&clients, &parameters).await, &mut unread)?);
        let tasks = found(tasks::candidates(&clients, &schedules).await, &mut unread)?;
        let functions = found(functions::candidates(&clients, &schedules).await, &mut unread)?;
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
    match name.trim_matches('-') {
        "" => "unnamed".to_owned(),
        name => name.to_lowercase(),
    }
}

/// Gives candidates of the same table names of their own: the first keeps it. A log source is not named like a job, and neither like what
/// these names stand for elsewhere.
fn distinguish(candidates: &mut [Candidate]) {
    let mut taken = BTreeSet::from(["jobs.pipeline".to_owned()]);
    for candidate in candidates.iter_mut().filter(|candidate| candidate.table.contains('.')) {
        candidate.table = free_name(&candidate.table, &mut taken);
    }
    let jobs = taken.iter().filter_map(|table| table.strip_prefix("jobs."));
    let mut taken: BTreeSet<String> = jobs.map(str::to_owned).chain([SERVER_SOURCE.to_owned()]).collect();
    for candidate in candidates.iter_mut().filter(|candidate| candidate.table == LOGS) {
        for (name, _) in &mut candidate.values {
            *name = free_name(name, &mut taken);
        }
    }
}

/// Returns a name, with a number if it is taken, and takes it.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while !taken.insert(free.clone()) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free
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
        assert_eq!(name_of("/ecs/"), "ecs");
        assert_eq!(name_of("--"), "unnamed");
    }

    #[test]
    fn names_that_the_configuration_file_refuses_are_not_proposed() {
        let mut logs = Candidate::new(LOGS);
        for name in ["etl", "etl", "postgres", "metabase"] {
            logs.set(name, "/x");
        }
        let mut candidates = [Candidate::new("jobs.pipeline"), Candidate::new("jobs.etl"), logs];
        distinguish(&mut candidates);
        assert_eq!(candidates[0].table, "jobs.pipeline-2");
        let names = candidates[2].values.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        assert_eq!(names, ["etl-2", "etl-3", "postgres-2", "metabase"]);
        candidates[0].doubt("its key pair is `x\n[aws]`");
        assert_eq!(candidates[0].doubts, ["its key pair is `x [aws]`"]);
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
