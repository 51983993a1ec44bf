//! Invokes this Lambda function again, asynchronously.

use aws_config::SdkConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use common::failure::{Context as _, Result};
use serde::Serialize;

pub(super) async fn invoke(config: &SdkConfig, function: &str, event: &impl Serialize) -> Result<()> {
    let payload = serde_json::to_vec(event).context(|| "cannot encode the event".to_owned())?;
    aws_sdk_lambda::Client::new(config)
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(payload))
        .send()
        .await
        .map(drop)
        .context(|| format!("cannot invoke `{function}`"))
        .map_err(|failure| failure.hint("allow lambda:InvokeFunction on the function in its role"))
}
