//! `--iam`: tokens instead of passwords, in private files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::cloud::Cloud;
use crate::support::step;

/// How libpq reads a token for a role at the emulator's database.
fn token_of(role: &str, cloud_port: &str) -> String {
    format!("127.0.0.1\\:{cloud_port}/?Action=connect&DBUser={role}&X-Amz-")
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_tunnels_log_in_with_tokens() {
    let cloud = Cloud::deploy(0).await;
    cloud.print_host_key();
    let port = cloud.database_port();

    step("a command finds the token in its password file");
    let script = "cat \"$PGPASSFILE\"; stat -c %a \"$PGPASSFILE\"; echo \"$PGUSER@$PGDATABASE\"";
    let words = ["tunnel", "exec", "--iam=ana", "master", "--", "sh", "-c", script];
    let said = cloud.say(&words).await.worked();
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with(&format!("*:*:*:*:{}", token_of("ana", &port))), "{said:?}");
    let expected = format!("ana@{}", cloud.database_name());
    assert_eq!(&lines[1..], ["600", expected.as_str()], "{said:?}");
    assert!(!said.err.contains("X-Amz"), "{said:?}");

    step("psql logs in as the role with the token, which this database takes for a wrong password");
    let said = cloud.say(&["psql", "--iam=ana", "--", "-XAtc", "SELECT 7"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    for words in ["password authentication failed for user \"ana\"", "password retrieved from file"] {
        assert!(said.err.contains(words), "{said:?}");
    }
    cloud.say(&["--read-only", "psql", "--iam"]).await.failed(2, &["--read-only"]);
    let away = ["tunnel", "exec", "--iam", "--bastion", "b", "-L", "0:a:1", "--", "true"];
    assert_eq!(cloud.say(&away).await.code, Some(2));

    step("a tunnel in the background prints a connection string with the file, and removes it at its end");
    let folder = cloud.folder().join("sockets");
    let words =
        ["-o", "json", "tunnel", "start", "--iam=ana", "--local-port", "0", "master", "--unix-socket"];
    let started = cloud.say(&[&words[..], &[folder.to_str().unwrap()]].concat()).await.worked();
    let ready: Value = serde_json::from_str(&started.out).unwrap();
    let forwarding = &ready["forwardings"][0];
    let connection = forwarding["connection"].as_str().unwrap();
    assert!(
        connection.contains(&format!(" user=ana dbname={} passfile=", cloud.database_name())),
        "{connection}"
    );
    let file = Path::new(connection.split("passfile=").nth(1).unwrap().split(' ').next().unwrap());
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    let local = forwarding["local"].as_str().unwrap().rsplit(':').next().unwrap();
    let token = token_of("ana", &port);
    let lines =
        [format!("127.0.0.1:{local}:*:ana:{token}"), format!("{}:{port}:*:ana:{token}", folder.display())];
    for (line, expected) in text.lines().zip(&lines) {
        assert!(line.starts_with(expected), "{text}");
    }
    assert_eq!(text.lines().count(), 2, "{text}");
    let list = cloud.say(&["-o", "json", "tunnel", "list"]).await.worked();
    assert!(!list.out.contains("X-Amz"), "{list:?}");
    cloud.say(&["tunnel", "stop"]).await.worked();
    assert!(!file.exists(), "{}", file.display());
}
