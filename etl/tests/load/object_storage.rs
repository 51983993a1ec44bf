//! An unreachable bucket is reported within seconds.

use common::env;

use crate::fixture::{Ended, Etl, Fixture};

/// The port of the discard service, on which nothing listens.
const CLOSED_ENDPOINT: &str = "http://127.0.0.1:9";

fn run(fixture: &Fixture, credentials: &[(&str, &str)]) -> Ended {
    let mut command = Etl::new("run")
        .env(env::STORE_URL, "s3://covid19-datasets/2022")
        .env(env::DATABASE_URL, &fixture.database.url())
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", CLOSED_ENDPOINT)
        .env("AWS_METADATA_ENDPOINT", CLOSED_ENDPOINT);
    for (name, value) in credentials {
        command = command.env(name, value);
    }
    command.end()
}

#[tokio::test]
async fn unreachable_endpoint() {
    let fixture = Fixture::new().await;
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "a-secret-key")];
    let ended = run(&fixture, &keys).failed(&[
        "s3://covid19-datasets/2022/provincias.csv",
        "Connection refused",
        "AWS_REGION",
    ]);
    assert!(!ended.stderr.contains("a-secret-key"), "{}", ended.stderr);
}

#[tokio::test]
async fn no_credentials_at_all() {
    let fixture = Fixture::new().await;
    run(&fixture, &[]).failed(&["s3://covid19-datasets/2022/provincias.csv", "credentials"]);
}
