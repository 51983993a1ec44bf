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
    pub(super) kind: ApiErrorKind,
    /// Error code of the service.
    pub(super) code: String,
    pub(super) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiErrorKind {
    /// Missing, invalid or expired.
    Credentials,
    Denied,
    Throttled,
    /// No response.
    Unreachable,
    /// An error inside the service.
    Internal,
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
        for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
            is_about_credentials |= cause.is::<CredentialsError>();
            let text = cause.to_string();
            match text.as_str() {
                // The chain of providers, which is no help.
                "other" | "an error occurred while loading credentials" => {}
                "the credential provider was not enabled" => chain.push("none were found".to_owned()),
                _ if chain.contains(&text) => {}
                _ => chain.push(text),
            }
        }
        let message = said.filter(|text| !text.is_empty()).unwrap_or_else(|| match error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            _ if chain.is_empty() => code.clone(),
            _ => chain.join(": "),
        });
        let kind = match error {
            _ if is_about_credentials => ApiErrorKind::Credentials,
            SdkError::ServiceError(_) => kind_of(&code, &message),
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => ApiErrorKind::Unreachable,
            _ => ApiErrorKind::Refused,
        };
        Self { kind, code, message }
    }

    /// Returns whether the request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self.kind, ApiErrorKind::Unreachable | ApiErrorKind::Internal)
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
            ApiErrorKind::Internal | ApiErrorKind::Refused => {
                failure.source(format!("{} {}", self.code, self.message).trim().to_owned())
            }
        }
    }
}

fn kind_of(code: &str, message: &str) -> ApiErrorKind {
    // Services spell the same code with and without these words.
    match code.trim_end_matches("Exception").trim_end_matches("Fault") {
        "ExpiredToken"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "InvalidAccessKeyId" => ApiErrorKind::Credentials,
        // Some emulators return only the status.
        "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" | "403" => ApiErrorKind::Denied,
        "Throttling"
        | "Throttled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "RequestThrottled"
        | "SlowDown" => ApiErrorKind::Throttled,
        "InternalFailure" | "InternalServerError" | "InternalError" | "ServiceUnavailable" => {
            ApiErrorKind::Internal
        }
        code if code.ends_with("NotFound") => ApiErrorKind::Missing,
        // CloudFormation has no code for a missing stack.
        "ValidationError" if message.contains("does not exist") => ApiErrorKind::Missing,
        _ => ApiErrorKind::Refused,
    }
}

/// Returns the hint for a missing resource: the stack that creates it.
pub(super) fn stack_hint(stack: &str) -> String {
    let release = if matches!(stack, "pipeline" | "ingest" | "dashboard") { " --release TAG" } else { "" };
    format!("`covidctl up{release}` creates it, with the stack `{stack}`")
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
            Err(error) if ApiError::of(&error).kind == ApiErrorKind::Missing => Ok(None),
            answer => answer.api_context(action, what).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str) -> ApiError {
        let message = "as the service says it".to_owned();
        ApiError { kind: kind_of(code, &message), code: code.to_owned(), message }
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
        assert_eq!(error("ThrottlingException").kind, ApiErrorKind::Throttled);
        for code in ["ResourceNotFoundException", "DBInstanceNotFoundFault", "InvalidInstanceID.NotFound"] {
            assert_eq!(error(code).kind, ApiErrorKind::Missing, "{code}");
        }
        let missing_stack = kind_of("ValidationError", "Stack with id covid19-network does not exist");
        assert_eq!(missing_stack, ApiErrorKind::Missing);
        assert!(error("InternalFailure").may_pass());
    }
}
