//! An existing stack, as CloudFormation describes it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// Tags by key. Every resource of a stack gets those of the stack.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tag of every stack, for cost allocation.
const PROJECT: (&str, &str) = ("project", "covid19");

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Identifies the stack even after its deletion.
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) tags: Tags,
    /// Result and time of the last drift detection.
    pub(crate) drift: Option<(bool, DateTime<Utc>)>,
}

/// Returns the tags of a stack after a change: a change set replaces all of them, so that those that it does not name would be lost.
pub(crate) fn tags_after(stack: Option<&Stack>, given: &Tags) -> Tags {
    let mut tags = stack.map(|stack| stack.tags.clone()).unwrap_or_default();
    // AWS's own tags cannot be set (CloudFormation API Reference, `Tag`).
    tags.retain(|key, _| !key.starts_with("aws:"));
    tags.insert(PROJECT.0.to_owned(), PROJECT.1.to_owned());
    tags.extend(given.clone());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_kept_by_a_change() {
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let stack =
            Stack { tags: tags(&[("team", "data"), ("aws:x", "1"), ("cost", "old")]), ..Stack::default() };
        assert_eq!(
            tags_after(Some(&stack), &tags(&[("cost", "new")])),
            tags(&[("cost", "new"), ("project", "covid19"), ("team", "data")])
        );
        assert_eq!(tags_after(None, &Tags::new()), tags(&[("project", "covid19")]));
    }
}
