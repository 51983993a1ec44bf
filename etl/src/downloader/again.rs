//! Invokes this very function, without waiting for it.

use aws_config::SdkConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use common::failure::{Context as _, Result};
use serde::Serialize;

pub(super) async fn invoke(config: &SdkConfig, function: &str, event: &impl Serialize) -> Result<()> {
    let payload =
        serde_json::to_vec(event).context(|| "cannot encode the rest of the download".to_owned())?;
    aws_sdk_lambda::Client::new(config)
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(payload))
        .send()
        .await
        .map(drop)
        .context(|| format!("cannot invoke `{function}` to go on"))
        .map_err(|failure| failure.hint("its role needs lambda:InvokeFunction on itself"))
}
