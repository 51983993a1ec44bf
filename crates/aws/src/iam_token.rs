//! Tokens of IAM, which log in to RDS instead of passwords: presigned requests, computed without asking AWS.

use aws_config::SdkConfig;
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use common::failure::{Exit, Failure, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tunnel::Endpoint;

/// What a query of a URL may hold unescaped beside letters and digits (RFC 3986, section 2.3).
const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns a token for a role of the database at this endpoint. RDS accepts it for 15 minutes, or until the credentials end.
pub(super) async fn sign(config: &SdkConfig, endpoint: &Endpoint, role: &str) -> Result<String> {
    let token = async {
        // The generator puts the name into a URL as it is.
        let role = utf8_percent_encode(role, UNESCAPED).to_string();
        let database =
            Config::builder().hostname(&endpoint.host).port(endpoint.port.into()).username(role).build()?;
        AuthTokenGenerator::new(database).auth_token(config).await
    };
    token.await.map(|token| token.to_string()).map_err(|error| {
        Failure::new(format!("cannot sign an IAM token for the role `{role}`"))
            .source(error)
            .hint("log in (`aws sso login`), or --profile")
            .exit_code(Exit::Credentials)
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_config::Region;
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_async::time::StaticTimeSource;

    use super::*;

    fn config(session_token: Option<&str>) -> SdkConfig {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token.map(str::to_owned),
            None,
            "test",
        );
        // 2022-06-05T03:12:40Z
        let time = UNIX_EPOCH + Duration::from_secs(1_654_398_760);
        SdkConfig::builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .time_source(StaticTimeSource::new(time))
            .build()
    }

    /// The signatures were computed by botocore's `generate_db_auth_token` at the same time with the same credentials.
    #[tokio::test]
    async fn token_is_the_one_that_the_aws_cli_signs() {
        let endpoint = Endpoint {
            host: "covid19-master.abcdefghijkl.us-east-1.rds.amazonaws.com".to_owned(),
            port: 5432,
        };
        for (session_token, role, signature) in [
            (None, "ana", "53af7ee22ec9fc64ec4de8109d3bf206360df724514f81f62ca21885cfa76bdc"),
            (
                Some("token/with+signs="),
                "ana@example.org",
                "2036b163a3ed0f5b5ef97a0e21202caa9923c93b28fcd83ce0aff88ff0f2bb09",
            ),
        ] {
            let token = sign(&config(session_token), &endpoint, role).await.unwrap();
            let (host, query) = token.split_once("/?").unwrap();
            assert_eq!(host, format!("{}:5432", endpoint.host));
            let mut parameters: Vec<_> = query.split('&').collect();
            parameters.sort_unstable();
            let mut expected = vec![
                "Action=connect".to_owned(),
                format!("DBUser={}", utf8_percent_encode(role, UNESCAPED)),
                "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
                "X-Amz-Credential=AKIDEXAMPLE%2F20220605%2Fus-east-1%2Frds-db%2Faws4_request".to_owned(),
                "X-Amz-Date=20220605T031240Z".to_owned(),
                "X-Amz-Expires=900".to_owned(),
            ];
            expected.extend(
                session_token
                    .map(|token| format!("X-Amz-Security-Token={}", utf8_percent_encode(token, UNESCAPED))),
            );
            expected.push(format!("X-Amz-Signature={signature}"));
            expected.push("X-Amz-SignedHeaders=host".to_owned());
            assert_eq!(parameters, expected);
        }
    }

    #[tokio::test]
    async fn missing_credentials_are_reported() {
        let config = SdkConfig::builder().region(Region::new("us-east-1")).build();
        let endpoint = Endpoint { host: "db.example".to_owned(), port: 5432 };
        let failure = sign(&config, &endpoint, "ana").await.unwrap_err();
        assert_eq!(failure.exit(), Exit::Credentials);
        assert!(failure.to_string().contains("role `ana`"), "{failure}");
    }
}
