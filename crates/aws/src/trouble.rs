//! What went wrong with a call to AWS, in words: the action, the resource, why, and what to do about it.
//!
//! The services have hundreds of error types; what an operator can do about them fits into a few kinds. Nothing here retries.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use common::failure::{Exit, Failure, Result};

/// A call that failed.
#[derive(Debug)]
pub(super) struct Trouble {
    kind: Kind,
    /// The service's own name for it.
    code: String,
    /// What the service, or the network, said.
    message: String,
}

/// What can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There are no credentials, or they are not valid (any more).
    Credentials,
    /// They do not allow this.
    Denied,
    /// Too many requests.
    Throttled,
    /// Nobody answered.
    Unreachable,
    /// What was asked for does not exist.
    Missing,
    /// Anything else that the service said.
    Refused,
}

impl Trouble {
    /// Reads what the SDK says.
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
                // The SDK's words for whom it has asked, which say nothing.
                "other" | "an error occurred while loading credentials" => {}
                "the credential provider was not enabled" => chain.push("none were found".to_owned()),
                _ if chain.contains(&text) => {}
                _ => chain.push(text),
            }
            cause = error.source();
        }
        let kind = match error {
            _ if is_about_credentials => Kind::Credentials,
            SdkError::ServiceError(_) => kind_of(&code),
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => Kind::Unreachable,
            _ => Kind::Refused,
        };
        let message = said.filter(|text| !text.is_empty()).unwrap_or_else(|| match error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            _ if chain.is_empty() => code.clone(),
            _ => chain.join(": "),
        });
        Self { kind, code, message }
    }

    /// Whether there were too many requests.
    pub(super) fn is_throttling(&self) -> bool {
        self.kind == Kind::Throttled
    }

    /// Whether what was asked for does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }

    /// Whether the credentials do not allow it.
    pub(super) fn is_denial(&self) -> bool {
        self.kind == Kind::Denied
    }

    /// Whether the service calls it so.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// What the service said.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it may pass by itself.
    pub(super) fn may_pass(&self) -> bool {
        self.kind == Kind::Unreachable || is_internal(&self.code)
    }

    /// In words. `what` says what could not be done, and on what; `action` is what a policy calls it.
    pub(super) fn failure(&self, action: &str, what: &str) -> Failure {
        let service = action.split(':').next().unwrap_or_default();
        let failure = Failure::new(what);
        match self.kind {
            Kind::Credentials => failure
                .source(format!("no valid credentials for AWS: {}", self.message))
                .hint("log in (`aws sso login`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --profile")
                .exit_code(Exit::Credentials),
            Kind::Denied => failure
                .source(format!("`{action}` is not allowed: {}", self.message))
                .hint(format!("ask for the right to `{action}`; docs/reference/iam-operator.json lists all that are used"))
                .exit_code(Exit::Credentials),
            Kind::Throttled => failure
                .source(format!("`{action}` was called too often: {}", self.message))
                .hint("wait a minute and try again"),
            Kind::Unreachable => failure
                .source(format!("the service `{service}` does not answer: {}", self.message))
                .hint("check the network, --region and --endpoint-url"),
            Kind::Missing => failure.source(self.message.clone()).hint(
                "is it in this account and region, under this name? `covidctl config` shows all names and who set them, `covidctl doctor` what is missing",
            ),
            Kind::Refused => {
                let code = if self.code.is_empty() { "" } else { &self.code };
                failure.source(format!("{code} {}", self.message).trim().to_owned())
            }
        }
    }
}

fn kind_of(code: &str) -> Kind {
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
        | "InvalidAccessKeyId" => Kind::Credentials,
        // An emulator's answer to some services has no better name than the status.
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "403" => {
            Kind::Denied
        }
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "SlowDown"
        | "LimitExceededException" => Kind::Throttled,
        "ResourceNotFoundException"
        | "ClusterNotFoundException"
        | "ParameterNotFound"
        | "RepositoryNotFoundException"
        | "DBInstanceNotFound"
        | "DBInstanceNotFoundFault"
        | "TargetGroupNotFound"
        | "InvalidInstanceID.NotFound" => Kind::Missing,
        _ => Kind::Refused,
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

/// Who brings what is not there yet.
pub(super) fn brings(stack: &str) -> String {
    let release = if matches!(stack, "pipeline" | "ingest" | "dashboard") { " --release TAG" } else { "" };
    format!("`covidctl --target aws up{release}` brings it, with the stack `{stack}`")
}

/// Turns a failed call into a failure in words.
pub(super) trait OrTrouble<T> {
    /// `action` is what a policy calls it; `what` says what could not be done.
    fn or_trouble(self, action: &str, what: impl FnOnce() -> String) -> Result<T>;

    /// The same, and nothing where what was asked for does not exist.
    fn or_missing(self, action: &str, what: impl FnOnce() -> String) -> Result<Option<T>>;
}

impl<T, E, R> OrTrouble<T> for std::result::Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug,
{
    fn or_trouble(self, action: &str, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Trouble::of(&error).failure(action, &what()))
    }

    fn or_missing(self, action: &str, what: impl FnOnce() -> String) -> Result<Option<T>> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if Trouble::of(&error).is_missing() => Ok(None),
            Err(error) => Err(Trouble::of(&error).failure(action, &what())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(code: &str) -> Trouble {
        Trouble { kind: kind_of(code), code: code.to_owned(), message: "as the service says it".to_owned() }
    }

    #[test]
    fn each_kind_has_its_own_code_and_hint() {
        let facts = |code| {
            let failure = trouble(code).failure("ecs:RunTask", "cannot start `etl`");
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
        assert!(trouble("ThrottlingException").is_throttling());
        assert!(trouble("ResourceNotFoundException").is_missing());
        assert!(trouble("InternalFailure").may_pass());
    }
}
