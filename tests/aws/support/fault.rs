//! Answers that no emulator gives, in the shape that the real services give them.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::call::{Call, Protocol};

/// How a request goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Refused with this status, code and message.
    Refused(u16, &'static str, &'static str),
    /// Refused because there were too many requests, as the service says it.
    Throttled,
    /// The connection is cut without an answer.
    Reset,
    /// This is answered instead.
    Answer(Value),
    /// This XML is answered instead.
    Xml(&'static str),
}

/// Returns the answer, or `None` if there is none.
pub(crate) fn answer(fault: Fault, call: &Call) -> Option<Response<Full<Bytes>>> {
    match fault {
        Fault::Reset => None,
        Fault::Answer(value) => Some(json_response(200, &value)),
        Fault::Xml(text) => Some(xml_response(200, text.to_owned())),
        Fault::Refused(status, code, message) => Some(refusal(call.protocol, status, code, message)),
        Fault::Throttled => {
            let (status, code, message) = match call.protocol {
                Protocol::Json => (400, "ThrottlingException", "Rate exceeded"),
                Protocol::Query => (400, "Throttling", "Rate exceeded"),
                Protocol::Ec2 => (503, "RequestLimitExceeded", "Request limit exceeded."),
                Protocol::RestJson => (429, "TooManyRequestsException", "Rate Exceeded."),
                Protocol::S3 => (503, "SlowDown", "Please reduce your request rate."),
            };
            Some(refusal(call.protocol, status, code, message))
        }
    }
}

/// Returns an error in the shape of the protocol (Smithy, "AWS protocols"; Amazon S3 API Reference, "Error responses").
fn refusal(protocol: Protocol, status: u16, code: &str, message: &str) -> Response<Full<Bytes>> {
    let error = format!("<Code>{code}</Code><Message>{message}</Message>");
    match protocol {
        Protocol::Json => json_response(status, &json!({ "__type": code, "message": message })),
        Protocol::Query => xml_response(
            status,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>1</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::Ec2 => xml_response(
            status,
            format!("<Response><Errors><Error>{error}</Error></Errors><RequestID>1</RequestID></Response>"),
        ),
        Protocol::S3 => xml_response(status, format!("<Error>{error}<RequestId>1</RequestId></Error>")),
        Protocol::RestJson => {
            let body = json!({ "Type": "User", "message": message });
            let mut response = json_response(status, &body);
            response.headers_mut().insert("x-amzn-errortype", code.parse().unwrap());
            response
        }
    }
}

pub(crate) fn json_response(status: u16, value: &Value) -> Response<Full<Bytes>> {
    response(status, "application/x-amz-json-1.1", value.to_string().into())
}

pub(crate) fn xml_response(status: u16, text: String) -> Response<Full<Bytes>> {
    response(status, "text/xml", text.into())
}

pub(crate) fn response(status: u16, kind: &str, body: Bytes) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).header("content-type", kind).body(Full::new(body)).unwrap()
}
