//! The client of EC2, with the operations that are called.
//!
//! The generated client has all 700 operations, which take six minutes of processor time and 7 GB of memory to compile (decision 0008).
//! This one has its runtime: credentials, signatures, retries and timeouts are those of the other clients.

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
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::recorder::Recorder;

/// Amazon EC2 API Reference, the only version in use.
const API_VERSION: &str = "2016-11-15";

pub(super) type Ec2Error = SdkError<ErrorMetadata, HttpResponse>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Ec2<'a> {
    pub(super) config: &'a SdkConfig,
    pub(super) recorder: Option<&'a Recorder>,
}

// No member of an answer is certain to be there.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Instance {
    #[serde(rename = "instanceId")]
    pub(super) id: String,
    #[serde(rename = "instanceState")]
    pub(super) state: InstanceState,
    /// The public address.
    pub(super) ip_address: Option<String>,
    pub(super) launch_time: Option<DateTime<Utc>>,
    pub(super) key_name: Option<String>,
    pub(super) image_id: Option<String>,
    #[serde(rename = "tagSet")]
    pub(super) tags: List<Tag>,
    #[serde(rename = "groupSet")]
    pub(super) security_groups: List<GroupName>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GroupName {
    pub(super) group_id: String,
}

/// A machine image.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Image {
    pub(super) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InstanceState {
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
    pub(super) name: String,
}

/// A rule that lets traffic into a security group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct IngressRule {
    /// `tcp`, `udp`, `icmp`, the number of a protocol, or `-1` for all.
    pub(super) ip_protocol: String,
    /// `None`: all ports.
    pub(super) from_port: Option<i32>,
    pub(super) to_port: Option<i32>,
    pub(super) ip_ranges: List<IpRange>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct IpRange {
    pub(super) cidr_ip: String,
}

/// A list of the EC2 query protocol: a parent with children `item`.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new", rename = "item")]
    pub(super) items: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl Ec2<'_> {
    /// Returns the instances with these ids.
    pub(super) async fn instances(self, ids: &[String]) -> Result<Vec<Instance>, Ec2Error> {
        let ids = (1..).zip(ids).map(|(at, id)| (format!("InstanceId.{at}"), id.clone()));
        self.described_instances(ids.collect()).await
    }

    /// Returns the instances that pass every filter, each a name and a value.
    pub(super) async fn instances_with(self, filters: &[(&str, &str)]) -> Result<Vec<Instance>, Ec2Error> {
        let filters = (1..).zip(filters).flat_map(|(at, (name, value))| {
            [
                (format!("Filter.{at}.Name"), (*name).to_owned()),
                (format!("Filter.{at}.Value.1"), (*value).to_owned()),
            ]
        });
        self.described_instances(filters.collect()).await
    }

    async fn described_instances(self, parameters: Vec<(String, String)>) -> Result<Vec<Instance>, Ec2Error> {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(default)]
            reservation_set: List<Reservation>,
            next_token: Option<String>,
        }
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reservation {
            #[serde(default)]
            instances_set: List<Instance>,
        }
        let mut instances = Vec::new();
        let mut token = None;
        loop {
            let next = token.map(|token| ("NextToken".to_owned(), token));
            let page: Page =
                self.call("DescribeInstances", parameters.iter().cloned().chain(next).collect()).await?;
            let reservations = page.reservation_set.items.into_iter();
            instances.extend(reservations.flat_map(|reservation| reservation.instances_set.items));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(instances);
            }
        }
    }

    /// Returns the console of an instance, in Base64. `latest` asks for the current text; without it, it is a copy from the boot.
    pub(super) async fn console_output(self, id: &str, latest: bool) -> Result<Option<String>, Ec2Error> {
        #[derive(Debug, Deserialize)]
        struct Console {
            output: Option<String>,
        }
        let mut parameters = vec![("InstanceId".to_owned(), id.to_owned())];
        if latest {
            parameters.push(("Latest".to_owned(), "true".to_owned()));
        }
        let console: Console = self.call("GetConsoleOutput", parameters).await?;
        Ok(console.output)
    }

    /// Returns an image, if it is still there.
    pub(super) async fn image(self, id: &str) -> Result<Option<Image>, Ec2Error> {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(default)]
            images_set: List<Image>,
        }
        let page: Page = self.call("DescribeImages", vec![("ImageId.1".to_owned(), id.to_owned())]).await?;
        Ok(page.images_set.items.into_iter().next())
    }

    /// Returns the rules that let traffic into a security group.
    pub(super) async fn ingress_rules(self, group: &str) -> Result<Vec<IngressRule>, Ec2Error> {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(default)]
            security_group_info: List<SecurityGroup>,
        }
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct SecurityGroup {
            #[serde(default)]
            ip_permissions: List<IngressRule>,
        }
        let parameters = vec![("GroupId.1".to_owned(), group.to_owned())];
        let page: Page = self.call("DescribeSecurityGroups", parameters).await?;
        let groups = page.security_group_info.items.into_iter();
        Ok(groups.flat_map(|group| group.ip_permissions.items).collect())
    }

    /// Asks for subnets; an error if one does not exist.
    pub(super) async fn subnets(self, ids: &[String]) -> Result<(), Ec2Error> {
        self.exist("DescribeSubnets", "SubnetId", ids).await
    }

    /// Asks for security groups; an error if one does not exist.
    pub(super) async fn security_groups(self, ids: &[String]) -> Result<(), Ec2Error> {
        self.exist("DescribeSecurityGroups", "GroupId", ids).await
    }

    async fn exist(self, action: &'static str, member: &str, ids: &[String]) -> Result<(), Ec2Error> {
        #[derive(Debug, Deserialize)]
        struct Page {}
        if ids.is_empty() {
            return Ok(());
        }
        let ids = (1..).zip(ids).map(|(at, id)| (format!("{member}.{at}"), id.clone()));
        self.call::<Page>(action, ids.collect()).await.map(drop)
    }

    async fn call<T>(self, action: &'static str, parameters: Vec<(String, String)>) -> Result<T, Ec2Error>
    where
        T: std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let mut operation = Operation::builder()
            .service_name("EC2")
            .operation_name(action)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint())
            .runtime_plugin(self.plugin())
            .with_connection_poisoning()
            .interceptor(UserAgentInterceptor::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new());
        if let Some(recorder) = self.recorder {
            operation = operation.interceptor(recorder.clone());
        }
        if let Some(client) = self.config.http_client() {
            operation = operation.http_client(client);
        }
        if let Some(retries) = self.config.retry_config() {
            operation = operation.standard_retry(retries);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            operation = operation.timeout_config(timeouts.clone());
        }
        operation
            .serializer(move |parameters: Vec<(String, String)>| request(action, &parameters))
            .deserializer(parse)
            .build()
            .invoke(parameters)
            .await
    }

    /// Returns the signer and what it needs.
    fn plugin(self) -> StaticRuntimePlugin {
        let mut layer = Layer::new("ec2");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(SigningName::from_static("ec2"));
        layer.store_put(ApiMetadata::new("ec2", env!("CARGO_PKG_VERSION")));
        if let Some(region) = self.config.region() {
            layer.store_put(region.clone());
            layer.store_put(SigningRegion::from(region.clone()));
        }
        if let Some(name) = self.config.app_name() {
            layer.store_put(name.clone());
        }
        let mut components = RuntimeComponentsBuilder::new("ec2")
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

    /// Returns the endpoint: of the configuration (that of EC2 alone precedes that of all services), or of the region.
    fn endpoint(self) -> String {
        let key = ServiceConfigKey::builder()
            .service_id("EC2")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let of_ec2 = key
            .filter(|_| !self.config.get_origin("endpoint_url").is_client_config())
            .and_then(|key| self.config.service_config()?.load_config(key));
        of_ec2.or_else(|| self.config.endpoint_url().map(str::to_owned)).unwrap_or_else(|| {
            let region = self.config.region().map(ToString::to_string).unwrap_or_default();
            regional_endpoint(
                &region,
                self.config.use_fips().unwrap_or_default(),
                self.config.use_dual_stack().unwrap_or_default(),
            )
        })
    }
}

/// AWS General Reference, "Amazon EC2 endpoints"; the suffixes of the partitions are those of AWS's `partitions.json`.
fn regional_endpoint(region: &str, is_fips: bool, is_dual_stack: bool) -> String {
    let suffix = match (region.starts_with("cn-"), is_dual_stack) {
        (false, false) => "amazonaws.com",
        (false, true) => "api.aws",
        (true, false) => "amazonaws.com.cn",
        (true, true) => "api.amazonwebservices.com.cn",
    };
    let service = if is_fips { "ec2-fips" } else { "ec2" };
    format!("https://{service}.{region}.{suffix}")
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn request(action: &str, parameters: &[(String, String)]) -> Result<HttpRequest, BoxError> {
    let escaped = |(name, value): &(String, String)| {
        format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    let parameters: String = parameters.iter().map(escaped).collect();
    let body = format!("Action={action}&Version={API_VERSION}{parameters}");
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    Ok(request)
}

fn parse<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, OrchestratorError<ErrorMetadata>> {
    let text = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(parse_error(response.status().as_u16(), &text)));
    }
    quick_xml::de::from_str(&text).map_err(OrchestratorError::other)
}

/// Parses an error; that of a proxy, which has another form, is its HTTP status.
fn parse_error(status: u16, text: &str) -> ErrorMetadata {
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
    match quick_xml::de::from_str::<Response>(text) {
        Ok(Response { errors: Errors { error } }) => {
            ErrorMetadata::builder().code(error.code).message(error.message.unwrap_or_default()).build()
        }
        Err(_) => ErrorMetadata::builder().code(status.to_string()).build(),
    }
}

#[cfg(test)]
mod tests;
