//! Checks that RDS offers the PostgreSQL version of the stack before anything is created.
//!
//! RDS retires minor versions, which CloudFormation reports only after minutes. Without the permission the check is skipped.

use common::failure::{Failure, Result};

use super::parameters::Value;
use super::templates::Template;
use crate::clients::Clients;

const STACK: &str = "database";
const PARAMETER: &str = "Version";

/// Returns an error with the offered versions if the wanted one is not among them.
pub(super) async fn check(clients: &Clients, template: &Template, values: &[(String, Value)]) -> Result<()> {
    let Some(version) = wanted(template, values) else { return Ok(()) };
    let pages = clients.databases().describe_db_engine_versions().engine("postgres").into_paginator();
    let Ok(offered) = pages.items().send().try_collect().await else { return Ok(()) };
    let offered: Vec<_> = offered.into_iter().filter_map(|item| item.engine_version).collect();
    if offered.is_empty() || offered.iter().any(|offered| is_of(offered, &version)) {
        return Ok(());
    }
    let major = version.split('.').next().unwrap_or_default();
    let near: Vec<_> = offered.iter().filter(|offered| is_of(offered, major)).cloned().collect();
    let near = if near.is_empty() { offered } else { near };
    Err(Failure::usage(format!("RDS creates no databases of PostgreSQL {version} in {}", clients.region))
        .source(format!("it offers {}", near.join(", ")))
        .hint(format!("--parameter {STACK}.{PARAMETER}={major}, or one of these")))
}

/// Returns the version of the stack.
fn wanted(template: &Template, values: &[(String, Value)]) -> Option<String> {
    let declared = template.parameters.iter().find(|declared| declared.name == PARAMETER);
    let declared = declared.filter(|_| template.name == STACK)?;
    match values.iter().find(|(name, _)| name == PARAMETER) {
        Some((_, Value::Set(version))) => Some(version.clone()),
        Some((_, Value::Previous)) => None,
        None => declared.default.clone(),
    }
}

/// Returns whether a version is the wanted one, or a minor of it.
fn is_of(offered: &str, wanted: &str) -> bool {
    offered.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::templates;
    use super::*;

    #[test]
    fn version_is_offered_by_itself_or_by_its_minors() {
        assert!(is_of("16.11", "16") && is_of("16.11", "16.11") && is_of("17", "17"));
        assert!(!is_of("16.11", "16.1") && !is_of("160.1", "16") && !is_of("16", "16.11"));
    }

    #[test]
    fn wanted_version_is_the_given_one_or_the_default() {
        let templates = templates::all(None).unwrap();
        let of = |name: &str| templates.iter().find(|template| template.name == name).unwrap();
        let set = [(PARAMETER.to_owned(), Value::Set("17.2".to_owned()))];
        assert_eq!(wanted(of("database"), &[]).as_deref(), Some("16"));
        assert_eq!(wanted(of("database"), &set).as_deref(), Some("17.2"));
        assert_eq!(wanted(of("database"), &[(PARAMETER.to_owned(), Value::Previous)]), None);
        // Another stack's parameter of that name.
        assert_eq!(wanted(of("ingest"), &set), None);
    }
}
