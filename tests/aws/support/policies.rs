//! Evaluates what the tests' requests need against the policies of who sends them, with iam-simulate.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::environment;
use super::permissions::Permission;

/// The folder with iam-simulate, as `cargo xtask test` has installed it.
const TEST_IAM: &str = "TEST_IAM";

pub(crate) const OPERATOR: &str = "operator";
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// The tests' own key, which is both.
const BOTH: &str = "test";

/// What stands in for a role that the test has not created.
pub(crate) const UNCHECKED: &str = "unchecked";

/// Returns who runs a command: creating and deleting stacks, and `db init`, are the administrator's; a self-test is both.
pub(crate) fn principal(words: &[&str]) -> &'static str {
    let has = |word: &str| words.contains(&word);
    if has("selftest") {
        BOTH
    } else if has("up") || has("down") || has("db") && has("init") {
        ADMINISTRATOR
    } else {
        OPERATOR
    }
}

/// The policies of each principal, by the names that messages show.
#[derive(Debug, Clone)]
pub(crate) struct Policies(BTreeMap<String, Vec<(String, Value)>>);

impl Default for Policies {
    /// Those of the documentation.
    fn default() -> Self {
        let policy = |name: &str, text: &str| (name.to_owned(), serde_json::from_str(text).unwrap());
        let operator = policy("iam-operator.json", include_str!("../../../docs/reference/iam-operator.json"));
        let administrator =
            policy("iam-administrator.json", include_str!("../../../docs/reference/iam-administrator.json"));
        Self(BTreeMap::from([
            (OPERATOR.to_owned(), vec![operator.clone()]),
            (ADMINISTRATOR.to_owned(), vec![administrator.clone()]),
            (BOTH.to_owned(), vec![operator, administrator]),
        ]))
    }
}

/// What an evaluation found.
#[derive(Debug)]
pub(crate) struct Evaluation {
    /// A line for each permission that is lacking: who, action, resource, policies, reason.
    pub(crate) denied: Vec<String>,
    /// The actions and resources of each policy's statements that nothing needed.
    unused: BTreeMap<String, Vec<String>>,
}

impl Evaluation {
    /// Returns what nothing needed of a policy: `statement: action or resource`.
    pub(crate) fn unused(&self, policy: &str) -> &[String] {
        self.unused.get(policy).unwrap_or_else(|| panic!("no policy `{policy}`: {:?}", self.unused.keys()))
    }
}

impl Policies {
    pub(crate) fn set(&mut self, principal: &str, policies: Vec<(String, Value)>) {
        self.0.insert(principal.to_owned(), policies);
    }

    /// Returns the names of a principal's policies.
    pub(crate) fn names(&self, principal: &str) -> Vec<&str> {
        let policies = self.0.get(principal).unwrap_or_else(|| panic!("`{principal}` has no policy"));
        policies.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn evaluate(&self, needs: &BTreeSet<Permission>) -> Evaluation {
        let needs: Vec<_> = needs.iter().filter(|need| need.principal != UNCHECKED).collect();
        let call = |need: &&Permission| {
            json!({
                "action": need.action,
                "resource": need.resource,
                "context": need.context,
                "policies": self.names(&need.principal),
            })
        };
        let policies: BTreeMap<_, _> =
            self.0.values().flatten().map(|(name, document)| (name, document)).collect();
        let answer = run(&json!({
            "calls": needs.iter().map(call).collect::<Vec<_>>(),
            "policies": policies,
        }));
        let denied = answer["denied"].as_array().unwrap().iter().map(|denied| {
            let need = needs[usize::try_from(denied["call"].as_u64().unwrap()).unwrap()];
            let Permission { principal, action, resource, context } = need;
            let (names, reason) = (self.names(principal).join(", "), denied["reason"].as_str().unwrap());
            format!("{principal}: `{action}` on `{resource}` with {context:?}: {reason} by {names}")
        });
        Evaluation {
            denied: denied.collect(),
            unused: serde_json::from_value(answer["unused"].clone()).unwrap(),
        }
    }
}

fn run(input: &Value) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/xtask/stacks/authorize.cjs");
    let mut node = Command::new("node")
        .args([script, &environment(TEST_IAM)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}
