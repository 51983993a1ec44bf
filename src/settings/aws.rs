//! The table `[aws]` of the configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use target::SslMode;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    pub(super) endpoint_url: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) ssl_mode: Option<SslMode>,
    pub(super) ssl_root_cert: Option<PathBuf>,
    #[serde(default)]
    pub(super) names: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) stacks: BTreeMap<String, BTreeMap<String, Scalar>>,
}

/// A stack parameter, as text, boolean or number: `MultiAz = false`, `Tasks = 1`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Flag(bool),
    Number(i64),
}

impl File {
    /// Returns the parameters as text, which is what CloudFormation takes.
    pub(super) fn stacks(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let text = |value: &Scalar| match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Flag(flag) => flag.to_string(),
            Scalar::Number(number) => number.to_string(),
        };
        let parameters = |values: &BTreeMap<String, Scalar>| {
            values.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        };
        self.stacks.iter().map(|(stack, values)| (stack.clone(), parameters(values))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_parameter_accepts_boolean_number_and_text() {
        let file: File =
            toml::from_str("[stacks.database]\nMultiAz = false\nGigabytes = 100\nVersion = '16.9'").unwrap();
        let said = |name: &str| file.stacks()["database"][name].clone();
        assert_eq!((said("MultiAz"), said("Gigabytes")), ("false".to_owned(), "100".to_owned()));
        assert_eq!(said("Version"), "16.9");
        assert!(toml::from_str::<File>("[stacks.database]\nVersion = [16]").is_err());
    }
}
