//! The parameter store of Systems Manager.

use serde::Deserialize;
use serde_json::{Value, json};

use super::service::{Protocol, Service, ServiceClient, ServiceError};

pub(super) const SSM: Service =
    Service { id: "SSM", name: "ssm", region: None, protocol: Protocol::Json("AmazonSSM") };

#[derive(Debug, Clone, Copy)]
pub(super) struct Ssm<'a>(pub(super) ServiceClient<'a>);

// No member of an answer is certain to be there.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Parameter {
    pub(super) name: String,
    /// `None` in answers of `DescribeParameters`.
    pub(super) value: Option<String>,
    /// `String`, `StringList` or `SecureString`.
    pub(super) r#type: String,
}

impl Ssm<'_> {
    /// Returns a parameter. Without decryption, the value of a secret is unreadable.
    pub(super) async fn parameter(self, name: &str, is_decrypted: bool) -> Result<Parameter, ServiceError> {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Answer {
            parameter: Parameter,
        }
        let input = json!({ "Name": name, "WithDecryption": is_decrypted }).to_string();
        let answer: Answer = self.0.call("GetParameter", input).await?;
        Ok(answer.parameter)
    }

    /// Returns all parameters below a path, at any depth.
    pub(super) async fn parameters_below(self, path: &str) -> Result<Vec<Parameter>, ServiceError> {
        self.all("GetParametersByPath", json!({ "Path": path, "Recursive": true })).await
    }

    /// Returns all parameters, without their values.
    pub(super) async fn described_parameters(self) -> Result<Vec<Parameter>, ServiceError> {
        self.all("DescribeParameters", json!({})).await
    }

    async fn all(self, operation: &'static str, mut input: Value) -> Result<Vec<Parameter>, ServiceError> {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Page {
            parameters: Vec<Parameter>,
            next_token: Option<String>,
        }
        let mut parameters = Vec::new();
        loop {
            let page: Page = self.0.call(operation, input.to_string()).await?;
            parameters.extend(page.parameters);
            match page.next_token.filter(|token| !token.is_empty()) {
                None => return Ok(parameters),
                Some(token) => input["NextToken"] = Value::from(token),
            }
        }
    }
}
