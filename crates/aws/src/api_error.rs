//! Errors of AWS APIs as messages: action, resource, reason, hint.
//!
//! The services have hundreds of error types; for an operator they fall into a few kinds.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use common::failure::{Exit, Failure, Result};

/// A failed request.
#[derive(Debug)]
pub(super) struct ApiError {
    kind: ApiErrorKind,
    /// Error code of the service.
    code: String,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApiErrorKind {
    /// Missing, invalid or expired.
    Credentials,
    Denied,
    Throttled,
    /// No response.
    Unreachable,
    Missing,
    Refused,
}

impl ApiError {
    /// Classifies an error of the SDK.
    pub(super) fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug,
    {
        let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = metadata.and_then(|meta| meta.code()).unwrap_or_default().to_owned();
        let said = metadata.and_then(|meta| meta.message()).map(str::to_owned);
        let (mut chain, mut is_about_credentials) = (Vec::new(), false);
        let mut cause = error.source();
        while let Some(error) = cause {
            is_about_credentials |= error.downcast_ref::<CredentialsError>().is_some();
            let text = error.to_string();
            match text.as_str() {
                // The chain of providers, which is no help.
                "other" | "an error occurred while loading credentials" => {}
                "the credential provider was not enabled" => chain.push("none were found".to_owned()),
                _ if chain.contains(&text) => {}
                _ => chain.push(text),
            }
            cause = error.source();
        }
        let kind = match error {
            _ if is_about_credentials => ApiErrorKind::Credentials,
            SdkError::ServiceError(_) => kind_of(&code),
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => ApiErrorKind::Unreachable,
            _ => ApiErrorKind::Refused,
        };
        let message = said.filter(|text| !text.is_empty()).unwrap_or_else(|| match error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            _ if chain.is_empty() => code.clone(),
            _ => chain.join(": "),
        });
        Self { kind, code, message }
    }

    pub(super) fn is_throttling(&self) -> bool {
        self.kind == ApiErrorKind::Throttled
    }

    pub(super) fn is_missing(&self) -> bool {
        self.kind == ApiErrorKind::Missing
    }

    pub(super) fn is_denial(&self) -> bool {
        self.kind == ApiErrorKind::Denied
    }

    /// Returns whether the service returned this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether the request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        self.kind == ApiErrorKind::Unreachable || is_internal(&self.code)
    }

    /// Returns the message. `what` names operation and resource, `action` the IAM action.
    pub(super) fn failure(&self, action: &str, what: &str) -> Failure {
        let service = action.split(':').next().unwrap_or_default();
        let failure = Failure::new(what);
        match self.kind {
            ApiErrorKind::Credentials => failure
                .source(format!("no valid credentials for AWS: {}", self.message))
                .hint("log in (`aws sso login`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --profile")
                .exit_code(Exit::Credentials),
            ApiErrorKind::Denied => failure
                .source(format!("`{action}` is not allowed: {}", self.message))
                .hint(format!("ask for the right to `{action}`; docs/reference/iam-operator.json lists all that are used"))
                .exit_code(Exit::Credentials),
            ApiErrorKind::Throttled => failure
                .source(format!("`{action}` was called too often: {}", self.message))
                .hint("wait a minute and try again"),
            ApiErrorKind::Unreachable => failure
                .source(format!("the service `{service}` does not answer: {}", self.message))
                .hint("check the network, --region and --endpoint-url"),
            ApiErrorKind::Missing => failure.source(self.message.clone()).hint(
                "is it in this account and region, under this name? `covidctl config` shows all names and who set them, `covidctl doctor` what is missing",
            ),
            ApiErrorKind::Refused => {
                let code = if self.code.is_empty() { "" } else { &self.code };
                failure.source(format!("{code} {}", self.message).trim().to_owned())
            }
        }
    }
}

fn kind_of(code: &str) -> ApiErrorKind {
    match code {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidAccessKeyId" => ApiErrorKind::Credentials,
        // Some emulators return only the status.
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "403" => {
            ApiErrorKind::Denied
        }
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "SlowDown"
        | "LimitExceededException" => ApiErrorKind::Throttled,
        "ResourceNotFoundException"
        | "ClusterNotFoundException"
        | "ParameterNotFound"
        | "RepositoryNotFoundException"
        | "DBInstanceNotFound"
        | "DBInstanceNotFoundFault"
        | "TargetGroupNotFound"
        | "InvalidInstanceID.NotFound" => ApiErrorKind::Missing,
        _ => ApiErrorKind::Refused,
    }
}

fn is_internal(code: &str) -> bool {
    matches!(
        code,
        "InternalFailure"
            | "InternalServerError"
            | "InternalError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
    )
}

/// Returns the hint for a missing resource: the stack that creates it.
pub(super) fn stack_hint(stack: &str) -> String {
    let release = if matches!(stack, "pipeline" | "ingest" | "dashboard") { " --release TAG" } else { "" };
    format!("`covidctl --target aws up{release}` stack_hint it, with the stack `{stack}`")
}

/// Adds a message to the error of a request.
pub(super) trait ApiContext<T> {
    /// `action` is the IAM action; `what` names operation and resource.
    fn api_context(self, action: &str, what: impl FnOnce() -> String) -> Result<T>;

    /// Like `api_context`, but a missing resource is `None`.
    fn api_context_optional(self, action: &str, what: impl FnOnce() -> String) -> Result<Option<T>>;
}

impl<T, E, R> ApiContext<T> for std::result::Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug,
{
    fn api_context(self, action: &str, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| ApiError::of(&error).failure(action, &what()))
    }

    fn api_context_optional(self, action: &str, what: impl FnOnce() -> String) -> Result<Option<T>> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if ApiError::of(&error).is_missing() => Ok(None),
            Err(error) => Err(ApiError::of(&error).failure(action, &what())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str) -> ApiError {
        ApiError { kind: kind_of(code), code: code.to_owned(), message: "as the service says it".to_owned() }
    }

    #[test]
    fn each_kind_has_exit_code_and_hint() {
        let facts = |code| {
            let failure = error(code).failure("ecs:RunTask", "cannot start `etl`");
            (failure.exit().code(), failure.to_string(), failure.hint_text().map(str::to_owned))
        };
        let (code, text, hint) = facts("ExpiredTokenException");
        assert_eq!(code, 4);
        assert!(text.starts_with("cannot start `etl`: no valid credentials"), "{text}");
        assert!(hint.unwrap().contains("--profile"));
        let (code, text, hint) = facts("AccessDeniedException");
        assert_eq!(code, 4);
        assert!(text.contains("`ecs:RunTask` is not allowed"), "{text}");
        assert!(hint.unwrap().contains("ecs:RunTask"));
        let (code, text, hint) = facts("SomethingElse");
        assert_eq!((code, hint), (1, None));
        assert_eq!(text, "cannot start `etl`: SomethingElse as the service says it");
        assert!(error("ThrottlingException").is_throttling());
        assert!(error("ResourceNotFoundException").is_missing());
        assert!(error("InternalFailure").may_pass());
    }
}
