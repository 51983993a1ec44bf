use std::sync::{Arc, Mutex};

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::http::StatusCode;

use super::*;

#[test]
fn regional_endpoint_depends_on_partition_and_variant() {
    assert_eq!(regional_endpoint("us-east-1", false, false), "https://ec2.us-east-1.amazonaws.com");
    assert_eq!(regional_endpoint("sa-east-1", false, true), "https://ec2.sa-east-1.api.aws");
    assert_eq!(regional_endpoint("us-west-2", true, false), "https://ec2-fips.us-west-2.amazonaws.com");
    assert_eq!(regional_endpoint("cn-north-1", false, false), "https://ec2.cn-north-1.amazonaws.com.cn");
}

#[test]
fn request_escapes_values() {
    let parameters = [("Filter.1.Value.1".to_owned(), "Bastion Host & co".to_owned())];
    let request = request("DescribeInstances", &parameters).unwrap();
    let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
    assert_eq!(
        body,
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Value.1=Bastion%20Host%20%26%20co"
    );
}

#[test]
fn parse_error_has_code_and_message_or_status() {
    let text = "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
        <Message>You are not authorized</Message></Error></Errors><RequestID>1</RequestID></Response>";
    let error = parse_error(403, text);
    assert_eq!(
        (error.code(), error.message()),
        (Some("UnauthorizedOperation"), Some("You are not authorized"))
    );
    assert_eq!(parse_error(503, "<html>Service Unavailable</html>").code(), Some("503"));
}

/// Answers every request, and keeps it.
#[derive(Debug, Clone, Default)]
struct Connector(Arc<Mutex<Vec<HttpRequest>>>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap().push(request);
        let body = "<GetConsoleOutputResponse><output>YQ==</output></GetConsoleOutputResponse>";
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            StatusCode::try_from(200).unwrap(),
            SdkBody::from(body),
        )))
    }
}

/// Returns a configuration whose requests this connector answers.
fn answering(connector: Connector) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("sa-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKID",
            "secret",
            Some("token".to_owned()),
            None,
            "test",
        )))
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
        .build()
}

#[tokio::test]
async fn requests_are_signed_for_ec2_in_the_region() {
    let recorder = Connector::default();
    let config = answering(recorder.clone());
    assert_eq!(
        Ec2 { config: &config, recorder: None }.console_output("i-1", true).await.unwrap().as_deref(),
        Some("YQ==")
    );
    let requests = recorder.0.lock().unwrap();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.uri(), "https://ec2.sa-east-1.amazonaws.com/");
    let header = |name| request.headers().get(name).unwrap_or_default();
    assert!(header("authorization").contains("/sa-east-1/ec2/aws4_request"), "{}", header("authorization"));
    assert_eq!(header("x-amz-security-token"), "token");
    assert!(header("user-agent").contains("api/ec2"), "{}", header("user-agent"));
}

#[tokio::test]
async fn recording_that_cannot_be_written_fails_no_request() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("answers");
    let recorder = Recorder::new(&folder, crate::Redaction::random()).unwrap();
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "a file in its place").unwrap();
    let config = answering(Connector::default());
    let ec2 = Ec2 { config: &config, recorder: Some(&recorder) };
    assert_eq!(ec2.console_output("i-1", true).await.unwrap().as_deref(), Some("YQ=="));
}

#[test]
fn lists_without_items_are_empty() {
    let rule: IngressRule =
        quick_xml::de::from_str("<item><ipProtocol>-1</ipProtocol><ipRanges/></item>").unwrap();
    assert!(rule.ip_ranges.items.is_empty() && rule.from_port.is_none());
}
