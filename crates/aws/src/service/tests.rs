use std::sync::{Arc, Mutex};

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::http::StatusCode;

use super::*;
use crate::ec2::{EC2, Ec2};
use crate::ssm::{SSM, Ssm};

#[test]
fn regional_endpoint_depends_on_partition_and_variant() {
    assert_eq!(regional_endpoint("ec2", "us-east-1", false, false), "https://ec2.us-east-1.amazonaws.com");
    assert_eq!(regional_endpoint("ec2", "sa-east-1", false, true), "https://ec2.sa-east-1.api.aws");
    assert_eq!(
        regional_endpoint("ec2", "us-west-2", true, false),
        "https://ec2-fips.us-west-2.amazonaws.com"
    );
    assert_eq!(
        regional_endpoint("ssm", "us-gov-west-1", true, false),
        "https://ssm.us-gov-west-1.amazonaws.com"
    );
    assert_eq!(
        regional_endpoint("ec2", "cn-north-1", false, false),
        "https://ec2.cn-north-1.amazonaws.com.cn"
    );
}

#[test]
fn request_escapes_values() {
    let parameters = [("Filter.1.Value.1".to_owned(), "Bastion Host & co".to_owned())];
    let request = request(EC2.protocol, "DescribeInstances", &fields(&parameters)).unwrap();
    let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
    assert_eq!(
        body,
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Value.1=Bastion%20Host%20%26%20co"
    );
}

#[test]
fn errors_have_code_and_message_or_status() {
    let text = "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
        <Message>You are not authorized</Message></Error></Errors><RequestID>1</RequestID></Response>";
    let error = xml_error(text).unwrap();
    assert_eq!(
        (error.code(), error.message()),
        (Some("UnauthorizedOperation"), Some("You are not authorized"))
    );
    let text = r#"{"__type":"com.amazonaws.ssm#ParameterNotFound","Message":"there is none"}"#;
    let error = json_error(text).unwrap();
    assert_eq!((error.code(), error.message()), (Some("ParameterNotFound"), Some("there is none")));
    let text = r#"{"__type":"AccessDenied","message":"no","Message":"no"}"#;
    assert_eq!(json_error(text).unwrap().code(), Some("AccessDenied"));
    let page = "<html>Service Unavailable</html>";
    assert!(xml_error(page).is_none() && json_error(page).is_none());
}

const CONSOLE: &str = "<GetConsoleOutputResponse><output>YQ==</output></GetConsoleOutputResponse>";

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).unwrap_or_default()
}

/// Answers every request, and keeps it.
#[derive(Debug, Clone, Default)]
struct Connector(Arc<Mutex<Vec<HttpRequest>>>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_json = !header(&request, "x-amz-target").is_empty();
        let body = if is_json { r#"{"Parameter":{"Name":"a","Value":"b"}}"# } else { CONSOLE };
        self.0.lock().unwrap().push(request);
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
    let ec2 = Ec2(ServiceClient { service: &EC2, config: &config, recorder: None });
    assert_eq!(ec2.console_output("i-1", true).await.unwrap().as_deref(), Some("YQ=="));
    let requests = recorder.0.lock().unwrap();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.uri(), "https://ec2.sa-east-1.amazonaws.com/");
    let authorization = header(request, "authorization");
    assert!(authorization.contains("/sa-east-1/ec2/aws4_request"), "{authorization}");
    assert_eq!(header(request, "x-amz-security-token"), "token");
    let user_agent = header(request, "user-agent");
    assert!(user_agent.contains("api/ec2"), "{user_agent}");
}

#[tokio::test]
async fn recording_that_cannot_be_written_fails_no_request() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("answers");
    let recorder = Recorder::new(&folder, crate::Redaction::random()).unwrap();
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "a file in its place").unwrap();
    let config = answering(Connector::default());
    let ec2 = Ec2(ServiceClient { service: &EC2, config: &config, recorder: Some(&recorder) });
    assert_eq!(ec2.console_output("i-1", true).await.unwrap().as_deref(), Some("YQ=="));
}

#[tokio::test]
async fn requests_of_a_service_in_one_region_are_signed_for_it() {
    static IN_ONE_REGION: Service = Service { region: Some("us-east-1"), ..SSM };
    for (service, region) in [(&SSM, "sa-east-1"), (&IN_ONE_REGION, "us-east-1")] {
        let recorder = Connector::default();
        let config = answering(recorder.clone());
        let ssm = Ssm(ServiceClient { service, config: &config, recorder: None });
        assert_eq!(ssm.parameter("a", true).await.unwrap().value.as_deref(), Some("b"));
        let requests = recorder.0.lock().unwrap();
        let [request] = &requests[..] else { panic!("{requests:?}") };
        assert_eq!(request.uri(), format!("https://ssm.{region}.amazonaws.com/"));
        assert_eq!(header(request, "x-amz-target"), "AmazonSSM.GetParameter");
        let authorization = header(request, "authorization");
        assert!(authorization.contains(&format!("/{region}/ssm/aws4_request")), "{authorization}");
    }
}
