//! Functions of Lambda, with the rules that invoke them.

use common::failure::Result;

use super::schedules::{self, Rule};
use super::{Candidate, Jobs, name_of};
use crate::api_error::ApiContext as _;
use crate::clients::Clients;

pub(super) async fn candidates(clients: &Clients, rules: &[Rule]) -> Result<Jobs> {
    let pages = clients.functions().list_functions().into_paginator().items().send();
    let functions = pages.try_collect().await;
    let functions =
        functions.api_context("lambda:ListFunctions", || "cannot list the functions".to_owned())?;
    let mut jobs = Jobs::default();
    for function in functions {
        let (Some(name), Some(arn)) = (function.function_name(), function.function_arn()) else { continue };
        let of_function =
            if name.to_lowercase().contains("download") { "download".to_owned() } else { name_of(name) };
        let mut candidate = Candidate::new(format!("jobs.{of_function}"));
        candidate.set("function", name);
        match schedules::find(rules, |target| {
            target.arn() == arn || target.arn().starts_with(&format!("{arn}:"))
        }) {
            Some((rule, _)) => candidate.set("schedule", rule.name.as_str()),
            None if of_function == "download" => {}
            None => candidate.unlikely("no rule invokes it on a schedule"),
        }
        let group = function.logging_config().and_then(|logging| logging.log_group());
        jobs.log_groups.push(group.map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned));
        jobs.candidates.push(candidate);
    }
    Ok(jobs)
}
