//! Values of stack parameters: flags override the configuration file, which overrides the deployed value, which overrides the default.
//!
//! Parameters that name the software release have a default only for validation; without a release they are missing.

use std::collections::BTreeMap;

use common::failure::{Failure, Result};

use super::is_complete;
use super::stack::Stack;
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

/// Why a stack is left out, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) reason: String,
    pub(super) hint: String,
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

    /// Returns the parameters of a stack, which may exist.
    pub(super) fn resolve(
        &self,
        template: &Template,
        stack: Option<&Stack>,
    ) -> Result<Vec<(String, Value)>, LeftOut> {
        let given = self.values.get(&template.name);
        // A stack in REVIEW_IN_PROGRESS has no resources.
        let stack = stack.filter(|stack| is_complete(&stack.status) || !stack.parameters.is_empty());
        let deployed = |name: &str| {
            let Stack { status, parameters, .. } = stack?;
            let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
            if is_complete(status) {
                return Some(Value::Previous);
            }
            // The values of a failed creation can be read but not reused by reference.
            (value != HIDDEN).then(|| Value::Set(value.clone()))
        };
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for declared in &template.parameters {
            let name = declared.name.clone();
            if let Some(value) = given.and_then(|given| given.get(&name)) {
                values.push((name, Value::Set(value.clone())));
            } else if let Some(value) = deployed(&name) {
                values.push((name, value));
            } else if !declared.has_default {
                missing.push(name);
            }
        }
        if let Some(name) = missing.first() {
            let stack = &template.name;
            return Err(LeftOut {
                reason: format!("missing parameter `{}`", missing.join("`, `")),
                hint: format!(
                    "--parameter {stack}.{name}=…, or `{name} = \"…\"` under [aws.stacks.{stack}] in the settings"
                ),
            });
        }
        let release = RELEASE.iter().find(|(stack, _)| *stack == template.name);
        let is_given = |name: &str| values.iter().any(|(known, _)| known == name);
        if release.is_some_and(|(_, name)| !self.has_release && !is_given(name) && stack.is_none()) {
            return Err(LeftOut {
                reason: "there is no release yet that could run".to_owned(),
                hint: "make one (docs/guides/deploy.md, step 3), then covidctl up --release v0.1.0"
                    .to_owned(),
            });
        }
        Ok(values)
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

    fn resolve(
        given: &ParameterOverrides,
        name: &str,
        there: Option<&[&str]>,
    ) -> Result<Vec<(String, Value)>, LeftOut> {
        resolve_after(given, name, there, false)
    }

    fn resolve_after(
        given: &ParameterOverrides,
        name: &str,
        there: Option<&[&str]>,
        is_failed_creation: bool,
    ) -> Result<Vec<(String, Value)>, LeftOut> {
        let templates = templates::all(None).unwrap();
        let template = templates.iter().find(|template| template.name == name).unwrap();
        let status = if is_failed_creation { "ROLLBACK_COMPLETE" } else { "CREATE_COMPLETE" };
        let stack = there.map(|names| Stack {
            status: status.to_owned(),
            parameters: names.iter().map(|name| ((*name).to_owned(), "as before".to_owned())).collect(),
            ..Stack::default()
        });
        given.resolve(template, stack.as_ref())
    }

    fn set(name: &str, value: &str) -> (String, Value) {
        (name.to_owned(), Value::Set(value.to_owned()))
    }

    #[test]
    fn flag_overrides_file_which_overrides_deployed_value() {
        let from_file = given(&[], None).unwrap();
        assert_eq!(resolve(&from_file, "network", None), Ok(vec![set("OperatorCidr", "10.0.0.1/32")]));
        let flagged = given(&[("OperatorCidr", "10.0.0.2/32")], None).unwrap();
        let there: &[&str] = &["OperatorCidr", "Network", "GoneFromTheTemplate"];
        assert_eq!(
            resolve(&flagged, "network", Some(there)),
            Ok(vec![("Network".to_owned(), Value::Previous), set("OperatorCidr", "10.0.0.2/32")])
        );
    }

    #[test]
    fn failed_creation_keeps_its_values() {
        let nothing = given(&[], None).unwrap();
        let again = resolve_after(&nothing, "pipeline", Some(&["ImageTag"]), true);
        assert_eq!(again, Ok(vec![set("ImageTag", "as before")]));
    }

    #[test]
    fn unset_parameter_is_missing_and_release_parameter_waits_for_release() {
        let nothing = given(&[], None).unwrap();
        let left_out = resolve(&nothing, "ci", None).unwrap_err();
        assert_eq!(left_out.reason, "missing parameter `Repository`, `OwnerId`, `RepositoryId`");
        assert!(left_out.hint.starts_with("--parameter ci.Repository=…"), "{}", left_out.hint);
        let needs_release = |resolved: Result<Vec<(String, Value)>, LeftOut>| {
            resolved.unwrap_err().reason.contains("no release yet")
        };
        for (stack, _) in RELEASE {
            assert!(needs_release(resolve(&nothing, stack, None)), "{stack}");
            assert_eq!(resolve(&nothing, stack, Some(&[])), Ok(Vec::new()), "{stack}");
        }
        let released = given(&[], Some("v1")).unwrap();
        assert_eq!(resolve(&released, "pipeline", None), Ok(vec![set("ImageTag", "v1")]));
        assert_eq!(resolve(&released, "ingest", None), Ok(vec![set("Version", "v1")]));
        assert_eq!(resolve(&released, "dashboard", None), Ok(Vec::new()));
        let elsewise = given(&[("AlarmEmail", "you@example.org")], None).unwrap();
        assert!(needs_release(resolve(&elsewise, "pipeline", None)));
        let by_hand = given(&[("dashboard.ImageTag", "v0.56.8")], None).unwrap();
        assert_eq!(resolve(&by_hand, "dashboard", None), Ok(vec![set("ImageTag", "v0.56.8")]));
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
