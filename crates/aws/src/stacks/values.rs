//! What a stack's parameters are set to: a flag wins over the file, which wins over what the stack has, which wins over the
//! template's default.
//!
//! Some parameters have a default only so that the template can be checked: without a release there is nothing to run. They
//! count as missing until somebody says them.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};

use super::templates::Template;

/// What says which release a stack runs. Without one these stacks cannot be made, because what they start is not there.
const RELEASE: [(&str, &str); 3] = [("pipeline", "ImageTag"), ("ingest", "Version"), (DASHBOARD, "ImageTag")];

/// Metabase has versions of its own: a release brings the one that the template names.
const DASHBOARD: &str = "dashboard";

/// What CloudFormation shows in the place of a value that a template hides.
const HIDDEN: &str = "****";

/// What the user said, by stack and parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    values: BTreeMap<String, BTreeMap<String, String>>,
    has_release: bool,
}

/// A parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Set(String),
    /// As the stack has it.
    Previous,
}

/// What a stack has, or had.
#[derive(Debug, Clone, Copy)]
pub(super) struct There<'a> {
    pub(super) parameters: &'a [(String, String)],
    /// Only ruins are left of it: what it was to have can be read, and has to be said again.
    pub(super) is_ruin: bool,
}

/// What a stack gets, or what keeps it from being created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    Values(Vec<(String, Value)>),
    /// Nobody says these.
    Missing(Vec<String>),
    /// It stands on a release, and nobody says which.
    NeedsRelease,
}

impl Given {
    /// Merges the file's tables and the flags: `NAME=VALUE`, or `STACK.NAME=VALUE` where several stacks have the name.
    pub(super) fn new(
        file: &BTreeMap<String, BTreeMap<String, String>>,
        flags: &[(String, String)],
        release: Option<&str>,
        templates: &[Template],
    ) -> Result<Self> {
        let mut given = Self { values: BTreeMap::new(), has_release: release.is_some() };
        for (stack, parameters) in file {
            for (name, value) in parameters {
                given.set(stack, name, value, templates)?;
            }
        }
        for (stack, name) in RELEASE.iter().filter(|(stack, _)| *stack != DASHBOARD) {
            if let Some(release) = release
                && templates.iter().any(|template| template.name == *stack)
            {
                given.set(stack, name, release, templates)?;
            }
        }
        for (typed, value) in flags {
            let (stack, name) = match typed.split_once('.') {
                Some(typed) => typed,
                None => (only_stack_with(typed, templates)?, typed.as_str()),
            };
            given.set(stack, name, value, templates)?;
        }
        Ok(given)
    }

    fn set(&mut self, stack: &str, name: &str, value: &str, templates: &[Template]) -> Result<()> {
        let Some(template) = templates.iter().find(|template| template.name == stack) else {
            let stacks: Vec<_> = templates.iter().map(|template| template.name.as_str()).collect();
            return Err(Failure::usage(format!("there is no stack `{stack}`"))
                .hint(format!("the stacks are {}", stacks.join(", "))));
        };
        if !template.parameters.iter().any(|declared| declared.name == name) {
            let names: Vec<_> = template.parameters.iter().map(|declared| declared.name.as_str()).collect();
            return Err(Failure::usage(format!("the stack `{stack}` has no parameter `{name}`"))
                .hint(format!("its parameters are {}", names.join(", "))));
        }
        self.values.entry(stack.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// What this template's stack gets.
    pub(super) fn resolve(&self, template: &Template, there: Option<There<'_>>) -> Resolved {
        let said = self.values.get(&template.name);
        let had = |name: &str| {
            let there = there?;
            let (_, value) = there.parameters.iter().find(|(there, _)| there == name)?;
            if !there.is_ruin {
                return Some(Value::Previous);
            }
            (value != HIDDEN).then(|| Value::Set(value.clone()))
        };
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for declared in &template.parameters {
            let name = declared.name.clone();
            if let Some(value) = said.and_then(|said| said.get(&name)) {
                values.push((name, Value::Set(value.clone())));
            } else if let Some(value) = had(&name) {
                values.push((name, value));
            } else if !declared.has_default {
                missing.push(name);
            }
        }
        if !missing.is_empty() {
            return Resolved::Missing(missing);
        }
        let release = RELEASE.iter().find(|(stack, _)| *stack == template.name);
        let is_said = |name: &str| values.iter().any(|(known, _)| known == name);
        match release {
            Some((_, name)) if !self.has_release && !is_said(name) && there.is_none() => {
                Resolved::NeedsRelease
            }
            _ => Resolved::Values(values),
        }
    }
}

fn only_stack_with<'a>(name: &str, templates: &'a [Template]) -> Result<&'a str> {
    let having =
        templates.iter().filter(|template| template.parameters.iter().any(|declared| declared.name == name));
    let having: Vec<&str> = having.map(|template| template.name.as_str()).collect();
    match having.as_slice() {
        [stack] => Ok(stack),
        [] => Err(Failure::usage(format!("no stack has a parameter `{name}`"))
            .hint("docs/guides/deploy.md names the usual ones; the templates in `cloudformation/` have all")),
        [first, ..] => Err(Failure::usage(format!("`{name}` is a parameter of {}", having.join(" and ")))
            .hint(format!("say which: --parameter {first}.{name}=…"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::templates;
    use super::*;

    fn given(flags: &[(&str, &str)], release: Option<&str>) -> Result<Given> {
        let flags: Vec<_> =
            flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let file = BTreeMap::from([(
            "network".to_owned(),
            BTreeMap::from([("OperatorCidr".to_owned(), "10.0.0.1/32".to_owned())]),
        )]);
        Given::new(&file, &flags, release, &templates::all(None).unwrap())
    }

    fn resolve(given: &Given, name: &str, there: Option<&[&str]>) -> Resolved {
        resolve_after(given, name, there, false)
    }

    fn resolve_after(given: &Given, name: &str, there: Option<&[&str]>, is_ruin: bool) -> Resolved {
        let templates = templates::all(None).unwrap();
        let template = templates.iter().find(|template| template.name == name).unwrap();
        let there = there.map(|there| there.iter().map(|name| ((*name).to_owned(), "as before".to_owned())));
        let there: Option<Vec<_>> = there.map(Iterator::collect);
        given.resolve(template, there.as_deref().map(|parameters| There { parameters, is_ruin }))
    }

    fn set(name: &str, value: &str) -> (String, Value) {
        (name.to_owned(), Value::Set(value.to_owned()))
    }

    #[test]
    fn a_flag_wins_over_the_file_which_wins_over_what_is_there() {
        let from_file = given(&[], None).unwrap();
        assert_eq!(
            resolve(&from_file, "network", None),
            Resolved::Values(vec![set("OperatorCidr", "10.0.0.1/32")])
        );
        let flagged = given(&[("OperatorCidr", "10.0.0.2/32")], None).unwrap();
        let there: &[&str] = &["OperatorCidr", "Network", "GoneFromTheTemplate"];
        assert_eq!(
            resolve(&flagged, "network", Some(there)),
            Resolved::Values(vec![
                ("Network".to_owned(), Value::Previous),
                set("OperatorCidr", "10.0.0.2/32")
            ])
        );
    }

    #[test]
    fn what_an_attempt_that_failed_was_given_is_given_again() {
        let nothing = given(&[], None).unwrap();
        let again = resolve_after(&nothing, "pipeline", Some(&["ImageTag"]), true);
        assert_eq!(again, Resolved::Values(vec![set("ImageTag", "as before")]));
    }

    #[test]
    fn what_nobody_says_is_missing_and_what_needs_a_release_waits_for_one() {
        let nothing = given(&[], None).unwrap();
        let names = ["Repository", "OwnerId", "RepositoryId"].map(str::to_owned).to_vec();
        assert_eq!(resolve(&nothing, "ci", None), Resolved::Missing(names));
        for (stack, _) in RELEASE {
            assert_eq!(resolve(&nothing, stack, None), Resolved::NeedsRelease, "{stack}");
            assert_eq!(resolve(&nothing, stack, Some(&[])), Resolved::Values(Vec::new()), "{stack}");
        }
        let released = given(&[], Some("v1")).unwrap();
        assert_eq!(resolve(&released, "pipeline", None), Resolved::Values(vec![set("ImageTag", "v1")]));
        assert_eq!(resolve(&released, "ingest", None), Resolved::Values(vec![set("Version", "v1")]));
        assert_eq!(resolve(&released, "dashboard", None), Resolved::Values(Vec::new()));
        let elsewise = given(&[("AlarmEmail", "you@example.org")], None).unwrap();
        assert_eq!(resolve(&elsewise, "pipeline", None), Resolved::NeedsRelease);
        let by_hand = given(&[("dashboard.ImageTag", "v0.56.8")], None).unwrap();
        assert_eq!(resolve(&by_hand, "dashboard", None), Resolved::Values(vec![set("ImageTag", "v0.56.8")]));
    }

    #[test]
    fn a_name_that_means_several_or_none_is_a_usage_error() {
        for (name, words) in [
            ("ImageTag", "is a parameter of pipeline and dashboard"),
            ("Nonsense", "no stack has"),
            ("nonsense.ImageTag", "no stack `nonsense`"),
            ("network.ImageTag", "has no parameter `ImageTag`"),
        ] {
            let failure = given(&[(name, "x")], None).unwrap_err();
            assert_eq!(failure.exit().code(), 2, "{name}");
            assert!(failure.to_string().contains(words), "{failure}");
            assert!(failure.hint_text().is_some());
        }
    }
}
