//! Serves recorded answers over HTTP in the protocol of each service (`xtask/stacks/replay.py`).

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use target::{AwsSettings, Origin, Recording, SslMode, WithOrigin};

use crate::account::Account;
use crate::clients::Clients;

/// The folder of recorded answers.
const AWS_ANSWERS: &str = "AWS_ANSWERS";

/// The Python that has moto, as `cargo xtask test` has installed it.
const TEST_MOTO: &str = "TEST_MOTO";

tokio::task_local! {
    /// Where the clients of a test record.
    pub(super) static RECORDING: PathBuf;
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// Ends with the process of the tests, which closes its standard input.
struct Server {
    port: u16,
    _child: Child,
    _stdin: ChildStdin,
}

/// Returns the folder of recorded answers, or `None` if the tests on them are skipped.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(AWS_ANSWERS).map(PathBuf::from)
}

/// Returns an account that gets these answers, by service and operation (`ecs.DescribeTasks`), with names of everything.
pub(crate) async fn account(mut answers: BTreeMap<&str, Vec<Value>>) -> Account {
    let no_parameters = || vec![json!({ "data": { "Parameters": [] } })];
    answers.entry("ssm.GetParametersByPath").or_insert_with(no_parameters);
    let port = SERVER.get_or_init(start).port;
    let script = json!(answers).to_string();
    let registered = reqwest::Client::new().post(format!("http://127.0.0.1:{port}/answers")).body(script);
    let path = registered.send().await.unwrap().text().await.unwrap();
    let set = |value: &str| WithOrigin { value: value.to_owned(), origin: Origin::Flag };
    let names = [
        ("metabase/target-group", "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/covid19/1"),
        ("security-groups/bastion", "sg-1"),
    ];
    let settings = AwsSettings {
        target: "aws".to_owned(),
        profile: None,
        region: Some(set("us-east-1")),
        endpoint_url: Some(set(&format!("http://127.0.0.1:{port}{path}"))),
        prefix: set("/covid19"),
        ssl_mode: WithOrigin { value: SslMode::VerifyFull, origin: Origin::Default },
        ssl_root_cert: None,
        names: names.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        stacks: BTreeMap::new(),
        known_hosts: PathBuf::new(),
        recording: RECORDING.try_with(|folder| Recording { folder: folder.clone(), key: None }).ok(),
        description: None,
        records: PathBuf::new(),
        tunnels: PathBuf::new(),
        proxy: None,
    };
    let clients = Clients::load(&settings).await.unwrap();
    Account::of(&settings, clients, "123456789012".to_owned(), String::new()).await.unwrap()
}

fn start() -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/stacks/replay.py");
    let python = std::env::var_os(TEST_MOTO).expect("`cargo xtask test` sets TEST_MOTO");
    let mut child = Command::new(python)
        .args(["-B", "-W", "ignore"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    Server { port: port.trim().parse().unwrap(), _stdin: child.stdin.take().unwrap(), _child: child }
}
