//! Clients of services of which few operations are called. Their generated clients have all operations, hundreds in those of the largest services, and
//! take minutes to compile (decision 0008).
//!
//! These have the runtime of the generated ones: credentials, signatures, retries and timeouts are the same.

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::recorder::Recorder;

pub(super) type ServiceError = SdkError<ErrorMetadata, HttpResponse>;

/// A service and the protocol that it speaks.
#[derive(Debug)]
pub(super) struct Service {
    /// Its id in the shared configuration (`AWS_ENDPOINT_URL_…`).
    pub(super) id: &'static str,
    /// Its name in endpoints and signatures.
    pub(super) name: &'static str,
    /// The only region that it is in, if it is in one only.
    pub(super) region: Option<&'static str>,
    pub(super) protocol: Protocol,
}

/// How requests and responses are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protocol {
    /// Forms, answered in XML, of this version of the interface.
    Ec2Query(&'static str),
    /// JSON 1.1, with this prefix of the operation in the header `X-Amz-Target`.
    Json(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceClient<'a> {
    pub(super) service: &'static Service,
    pub(super) config: &'a SdkConfig,
    pub(super) recorder: Option<&'a Recorder>,
}

impl ServiceClient<'_> {
    /// Calls an operation; `input` is the body of its request, a form without its first two fields, or JSON.
    pub(super) async fn call<T>(self, operation: &'static str, input: String) -> Result<T, ServiceError>
    where
        T: std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let protocol = self.service.protocol;
        let mut call = Operation::builder()
            .service_name(self.service.id)
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint())
            .runtime_plugin(self.plugin())
            .with_connection_poisoning()
            .interceptor(UserAgentInterceptor::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new());
        if let Some(recorder) = self.recorder {
            call = call.interceptor(recorder.clone());
        }
        if let Some(client) = self.config.http_client() {
            call = call.http_client(client);
        }
        if let Some(retries) = self.config.retry_config() {
            call = call.standard_retry(retries);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            call = call.timeout_config(timeouts.clone());
        }
        call.serializer(move |input: String| request(protocol, operation, &input))
            .deserializer(move |response| parse(protocol, response))
            .build()
            .invoke(input)
            .await
    }

    /// Returns the signer and what it needs.
    fn plugin(self) -> StaticRuntimePlugin {
        let mut layer = Layer::new(self.service.name);
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(SigningName::from_static(self.service.name));
        layer.store_put(ApiMetadata::new(self.service.name, env!("CARGO_PKG_VERSION")));
        if let Some(region) = self.region() {
            layer.store_put(region.clone());
            layer.store_put(SigningRegion::from(region));
        }
        if let Some(name) = self.config.app_name() {
            layer.store_put(name.clone());
        }
        let mut components = RuntimeComponentsBuilder::new(self.service.name)
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
            .with_identity_cache(self.config.identity_cache())
            .with_time_source(self.config.time_source())
            .with_sleep_impl(self.config.sleep_impl());
        if let Some(provider) = self.config.credentials_provider() {
            components.set_identity_resolver(SCHEME_ID, SharedCredentialsProvider::clone(&provider));
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }

    fn region(self) -> Option<Region> {
        self.service.region.map(Region::from_static).or_else(|| self.config.region().cloned())
    }

    /// Returns the endpoint: of the configuration (that of the service precedes that of all), or of the region.
    fn endpoint(self) -> String {
        let key = ServiceConfigKey::builder()
            .service_id(self.service.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let of_service = key
            .filter(|_| !self.config.get_origin("endpoint_url").is_client_config())
            .and_then(|key| self.config.service_config()?.load_config(key));
        of_service.or_else(|| self.config.endpoint_url().map(str::to_owned)).unwrap_or_else(|| {
            let region = self.region().map(|region| region.to_string()).unwrap_or_default();
            regional_endpoint(
                self.service.name,
                &region,
                self.config.use_fips().unwrap_or_default(),
                self.config.use_dual_stack().unwrap_or_default(),
            )
        })
    }
}

/// AWS General Reference, "Service endpoints and quotas"; the suffixes of the partitions are those of AWS's `partitions.json`.
fn regional_endpoint(service: &str, region: &str, is_fips: bool, is_dual_stack: bool) -> String {
    let suffix = match (region.starts_with("cn-"), is_dual_stack) {
        (false, false) => "amazonaws.com",
        (false, true) => "api.aws",
        (true, false) => "amazonaws.com.cn",
        (true, true) => "api.amazonwebservices.com.cn",
    };
    // In AWS GovCloud the usual endpoints are those of FIPS.
    let fips = if is_fips && (is_dual_stack || !region.starts_with("us-gov-")) { "-fips" } else { "" };
    format!("https://{service}{fips}.{region}.{suffix}")
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Returns fields of a form, each after `&`.
pub(super) fn fields(parameters: &[(String, String)]) -> String {
    let field = |(name, value): &(String, String)| {
        format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    parameters.iter().map(field).collect()
}

fn request(protocol: Protocol, operation: &str, input: &str) -> Result<HttpRequest, BoxError> {
    let (content_type, body) = match protocol {
        Protocol::Ec2Query(version) => {
            ("application/x-www-form-urlencoded", format!("Action={operation}&Version={version}{input}"))
        }
        Protocol::Json(_) => ("application/x-amz-json-1.1", input.to_owned()),
    };
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", content_type);
    if let Protocol::Json(prefix) = protocol {
        request.headers_mut().insert("x-amz-target", format!("{prefix}.{operation}"));
    }
    Ok(request)
}

fn parse<T: DeserializeOwned>(
    protocol: Protocol,
    response: &HttpResponse,
) -> Result<T, OrchestratorError<ErrorMetadata>> {
    let text = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if !response.status().is_success() {
        let error = match protocol {
            Protocol::Ec2Query(_) => xml_error(&text),
            Protocol::Json(_) => json_error(&text),
        };
        // That of a proxy, which has another form, is its HTTP status.
        let status = || ErrorMetadata::builder().code(response.status().as_u16().to_string()).build();
        return Err(OrchestratorError::operation(error.unwrap_or_else(status)));
    }
    match protocol {
        Protocol::Ec2Query(_) => quick_xml::de::from_str(&text).map_err(OrchestratorError::other),
        Protocol::Json(_) => serde_json::from_str(&text)
            .and_then(|value| serde_json::from_value(without_nulls(value)))
            .map_err(OrchestratorError::other),
    }
}

fn xml_error(text: &str) -> Option<ErrorMetadata> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Response {
        errors: Errors,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Errors {
        error: Error,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Error {
        code: String,
        message: Option<String>,
    }
    let Response { errors: Errors { error } } = quick_xml::de::from_str(text).ok()?;
    Some(ErrorMetadata::builder().code(error.code).message(error.message.unwrap_or_default()).build())
}

/// Parses `{"__type": "namespace#Code", "message": …}` (Smithy, "AWS JSON 1.1 protocol", operation error serialization). Some services write `Message`.
fn json_error(text: &str) -> Option<ErrorMetadata> {
    let error: Value = serde_json::from_str(text).ok()?;
    let code = error["__type"].as_str()?.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    let message = error["message"].as_str().or_else(|| error["Message"].as_str()).unwrap_or_default();
    Some(ErrorMetadata::builder().code(code).message(message).build())
}

/// Removes members that are `null`, which means the same as a missing one.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
