//! Values of stack parameters: flags override the configuration file, which overrides the deployed value, which overrides the default.
//!
//! Parameters that name the software release have a default only for validation; without a release they are missing.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};

use super::templates::Template;

/// The parameters that name the software release. Without one these stacks cannot be created.
const RELEASE: [(&str, &str); 3] = [("pipeline", "ImageTag"), ("ingest", "Version"), (DASHBOARD, "ImageTag")];

/// The version of Metabase is the default in the template of a release.
const DASHBOARD: &str = "dashboard";

/// What CloudFormation returns for a `NoEcho` parameter.
const HIDDEN: &str = "****";

/// Values from flags and file, by stack and parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ParameterOverrides {
    values: BTreeMap<String, BTreeMap<String, String>>,
    has_release: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Set(String),
    /// The deployed value.
    Previous,
}

/// The parameters of an existing stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeployedParameters<'a> {
    pub(super) parameters: &'a [(String, String)],
    /// The creation failed: its values can be read but not reused by reference.
    pub(super) is_failed_creation: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResolvedParameters {
    Values(Vec<(String, Value)>),
    /// These parameters have no value.
    Missing(Vec<String>),
    /// A software release is needed.
    NeedsRelease,
}

impl ParameterOverrides {
    /// Merges file and flags: `NAME=VALUE`, or `STACK.NAME=VALUE` if several stacks have the parameter.
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

    /// Returns the parameters of a stack.
    pub(super) fn resolve(
        &self,
        template: &Template,
        there: Option<DeployedParameters<'_>>,
    ) -> ResolvedParameters {
        let said = self.values.get(&template.name);
        let had = |name: &str| {
            let there = there?;
            let (_, value) = there.parameters.iter().find(|(there, _)| there == name)?;
            if !there.is_failed_creation {
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
            return ResolvedParameters::Missing(missing);
        }
        let release = RELEASE.iter().find(|(stack, _)| *stack == template.name);
        let is_said = |name: &str| values.iter().any(|(known, _)| known == name);
        match release {
            Some((_, name)) if !self.has_release && !is_said(name) && there.is_none() => {
                ResolvedParameters::NeedsRelease
            }
            _ => ResolvedParameters::Values(values),
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

    fn given(flags: &[(&str, &str)], release: Option<&str>) -> Result<ParameterOverrides> {
        let flags: Vec<_> =
            flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let file = BTreeMap::from([(
            "network".to_owned(),
            BTreeMap::from([("OperatorCidr".to_owned(), "10.0.0.1/32".to_owned())]),
        )]);
        ParameterOverrides::new(&file, &flags, release, &templates::all(None).unwrap())
    }

    fn resolve(given: &ParameterOverrides, name: &str, there: Option<&[&str]>) -> ResolvedParameters {
        resolve_after(given, name, there, false)
    }

    fn resolve_after(
        given: &ParameterOverrides,
        name: &str,
        there: Option<&[&str]>,
        is_failed_creation: bool,
    ) -> ResolvedParameters {
        let templates = templates::all(None).unwrap();
        let template = templates.iter().find(|template| template.name == name).unwrap();
        let there = there.map(|there| there.iter().map(|name| ((*name).to_owned(), "as before".to_owned())));
        let there: Option<Vec<_>> = there.map(Iterator::collect);
        given.resolve(
            template,
            there.as_deref().map(|parameters| DeployedParameters { parameters, is_failed_creation }),
        )
    }

    fn set(name: &str, value: &str) -> (String, Value) {
        (name.to_owned(), Value::Set(value.to_owned()))
    }

    #[test]
    fn flag_overrides_file_which_overrides_deployed_value() {
        let from_file = given(&[], None).unwrap();
        assert_eq!(
            resolve(&from_file, "network", None),
            ResolvedParameters::Values(vec![set("OperatorCidr", "10.0.0.1/32")])
        );
        let flagged = given(&[("OperatorCidr", "10.0.0.2/32")], None).unwrap();
        let there: &[&str] = &["OperatorCidr", "Network", "GoneFromTheTemplate"];
        assert_eq!(
            resolve(&flagged, "network", Some(there)),
            ResolvedParameters::Values(vec![
                ("Network".to_owned(), Value::Previous),
                set("OperatorCidr", "10.0.0.2/32")
            ])
        );
    }

    #[test]
    fn failed_creation_keeps_its_values() {
        let nothing = given(&[], None).unwrap();
        let again = resolve_after(&nothing, "pipeline", Some(&["ImageTag"]), true);
        assert_eq!(again, ResolvedParameters::Values(vec![set("ImageTag", "as before")]));
    }

    #[test]
    fn unset_parameter_is_missing_and_release_parameter_waits_for_release() {
        let nothing = given(&[], None).unwrap();
        let names = ["Repository", "OwnerId", "RepositoryId"].map(str::to_owned).to_vec();
        assert_eq!(resolve(&nothing, "ci", None), ResolvedParameters::Missing(names));
        for (stack, _) in RELEASE {
            assert_eq!(resolve(&nothing, stack, None), ResolvedParameters::NeedsRelease, "{stack}");
            assert_eq!(
                resolve(&nothing, stack, Some(&[])),
                ResolvedParameters::Values(Vec::new()),
                "{stack}"
            );
        }
        let released = given(&[], Some("v1")).unwrap();
        assert_eq!(
            resolve(&released, "pipeline", None),
            ResolvedParameters::Values(vec![set("ImageTag", "v1")])
        );
        assert_eq!(
            resolve(&released, "ingest", None),
            ResolvedParameters::Values(vec![set("Version", "v1")])
        );
        assert_eq!(resolve(&released, "dashboard", None), ResolvedParameters::Values(Vec::new()));
        let elsewise = given(&[("AlarmEmail", "you@example.org")], None).unwrap();
        assert_eq!(resolve(&elsewise, "pipeline", None), ResolvedParameters::NeedsRelease);
        let by_hand = given(&[("dashboard.ImageTag", "v0.56.8")], None).unwrap();
        assert_eq!(
            resolve(&by_hand, "dashboard", None),
            ResolvedParameters::Values(vec![set("ImageTag", "v0.56.8")])
        );
    }

    #[test]
    fn ambiguous_or_unknown_parameter_is_usage_error() {
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
