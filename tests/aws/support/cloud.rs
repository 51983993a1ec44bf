//! A deployed pipeline: the parts that the stacks create, in moto, with real ends: tasks that run, a bastion that is an sshd, a
//! database that is a PostgreSQL.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use etl::sample;
use serde_json::json;
use uuid::Uuid;

use super::database::Database;
use super::ecs::Ecs;
use super::lambda::Lambda;
use super::ministack::covidctl;
use super::moto::{ACCOUNT, Moto, between};
use super::policies::principal;
use super::proxy::{Call, Proxy, Reply};
use super::roles::{self, Keys};
use super::server::{self, Server};
use super::sshd::Sshd;
use super::{Said, environment};

/// What the stacks have to be told.
pub(crate) const STACK_WORDS: [&str; 6] = [
    "--parameter",
    "OperatorCidr=198.51.100.7/32",
    "--release",
    "v1",
    "--parameter",
    "ci.Repository=example/covid19",
];

/// The path of the metadata of every task.
const METADATA: &str = "v4/task-of-any-run";

/// Everything of one deployment; it is gone with this value.
pub(crate) struct Cloud {
    pub(crate) moto: Moto,
    pub(crate) proxy: Proxy,
    pub(crate) ecs: Ecs,
    pub(crate) lambda: Lambda,
    _published: Server,
    pub(crate) sshd: Sshd,
    pub(crate) group: String,
    database: Database,
    folder: tempfile::TempDir,
}

impl Cloud {
    /// Deploys all of it, with a sample of so many rows in the bucket. The ministry has published one as well.
    pub(crate) async fn deploy(rows: u64) -> Self {
        Self::build(rows, None).await
    }

    /// The same; with words, on the stacks that this command of `covidctl` creates.
    pub(crate) async fn build(rows: u64, creation: Option<&[&str]>) -> Self {
        let moto = if creation.is_some() { Moto::with_images() } else { Moto::new() };
        let proxy = Proxy::start(moto.clone()).await;
        let database = Database::create().await;
        let (datasets, reports) = (bucket(&moto, "datasets"), bucket(&moto, "reports"));
        let folder = tempfile::tempdir().unwrap();
        if let Some(words) = creation {
            Said::of(covidctl(&proxy.endpoint, moto.region, folder.path(), words)).await.worked();
            roles::deployed(&moto, &proxy).await;
        } else {
            for name in [&datasets, &reports] {
                moto.bucket(name).await;
            }
        }
        if rows > 0 {
            for (name, content) in sample(&folder.path().join("sample"), rows, 1) {
                moto.object(&datasets, &name, content).await;
            }
        }
        let published = sample(&folder.path().join("published"), 2_000, 2);
        let published = Server::start(move |request| match published.get(&request.path) {
            _ if request.path == METADATA => server::Reply::new("200 OK").body(b"{}"),
            _ if request.path == format!("{METADATA}/task") => {
                let now = chrono::Utc::now();
                let pull = json!({ "PullStartedAt": now, "PullStoppedAt": now });
                server::Reply::new("200 OK").body(pull.to_string().as_bytes())
            }
            Some(_) if request.header("if-none-match").is_some() => {
                server::Reply::new("304 Not Modified").with("ETag", "\"one\"")
            }
            Some(content) => server::Reply::new("200 OK").with("ETag", "\"one\"").body(content),
            None => server::Reply::new("404 Not Found").body(b""),
        })
        .await;
        let mut environment = HashMap::from([
            ("STORE_URL".to_owned(), format!("s3://{datasets}")),
            ("REPORTS_URL".to_owned(), format!("s3://{reports}")),
            ("DATABASE_URL".to_owned(), database.url()),
            ("AWS_ENDPOINT_URL".to_owned(), proxy.endpoint.clone()),
            ("AWS_REGION".to_owned(), moto.region.to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned()),
        ]);
        let keys = Keys { region: moto.region, are_deployed: creation.is_some() };
        let mut of_tasks = environment.clone();
        of_tasks.insert(common::env::ECS_METADATA.to_owned(), published.url(METADATA));
        let ecs = Ecs::behind(&proxy, &moto, keys, of_tasks);
        environment.extend([
            ("CASES_URL".to_owned(), published.url("Covid19Casos.zip")),
            ("PROVINCES_URL".to_owned(), published.url("provincias.csv")),
            ("DEPARTMENTS_URL".to_owned(), published.url("departamentos.csv")),
            ("TESTS_URL".to_owned(), published.url("Covid19Determinaciones.zip")),
            ("VACCINATIONS_URL".to_owned(), published.url("Covid19VacunasAgrupadas.csv.zip")),
            ("ETL_CLUSTER".to_owned(), "covid19".to_owned()),
            ("ETL_TASK_DEFINITION".to_owned(), "covid19-etl".to_owned()),
            ("ETL_SUBNETS".to_owned(), "subnet-1,subnet-2".to_owned()),
            ("ETL_SECURITY_GROUPS".to_owned(), "sg-1".to_owned()),
        ]);
        let lambda = Lambda::behind(&proxy, &moto, keys, environment);
        let (group, address) = bastion(&moto, creation.is_some()).await;
        let sshd = Sshd::at(address);
        let cloud = Self { moto, proxy, ecs, lambda, _published: published, sshd, group, database, folder };
        cloud.let_keys_in();
        cloud.print_host_key();
        cloud.write_parameters().await;
        if creation.is_none() {
            cloud.create_the_rest().await;
        }
        cloud
    }

    /// Writes a parameter as a stack would, also in the place of another.
    pub(crate) async fn write(&self, key: &str, value: &str) {
        let body =
            json!({ "Name": format!("/covid19/{key}"), "Value": value, "Type": "String", "Overwrite": true });
        self.moto.json("ssm", "AmazonSSM.PutParameter", &body).await;
    }

    /// Keeps a login as Secrets Manager does, and writes down where.
    pub(crate) async fn keep_login(&self, key: &str, user: &str, password: &str) {
        let login = json!({ "username": user, "password": password }).to_string();
        // As the stacks name it, and with something of its own, because another may have been kept before.
        let of = key.strip_prefix("database/secret/").unwrap_or("master");
        let body =
            json!({ "Name": format!("covid19/database/{of}-{}", Uuid::new_v4()), "SecretString": login });
        let created = self.moto.json("secretsmanager", "secretsmanager.CreateSecret", &body).await;
        self.write(key, created["ARN"].as_str().unwrap()).await;
    }

    /// What the stacks write down.
    async fn write_parameters(&self) {
        let (server, ssh) = (self.database.server(), self.sshd.address().port().to_string());
        let port = server.get_port().to_string();
        for key in ["database/secret/reader", "database/secret/writer"] {
            self.keep_login(key, server.get_username(), &self.database.password()).await;
        }
        for (key, value) in [
            ("subnets/application", "subnet-1,subnet-2"),
            ("security-groups/tasks", "sg-1"),
            ("database/master/endpoint", "127.0.0.1"),
            ("database/replica/endpoint", "127.0.0.1"),
            ("database/port", &port),
            ("database/name", &self.database.name),
            ("bastion/auto-scaling-group", &self.group),
            ("bastion/user", &Sshd::user()),
            ("bastion/port", &ssh),
        ] {
            self.write(key, value).await;
        }
    }

    async fn create_the_rest(&self) {
        for group in [
            "/aws/lambda/covid19-download",
            "/ecs/covid19-etl",
            "/ecs/covid19-report",
            "/ecs/covid19-metabase",
        ] {
            self.moto.json("logs", "Logs_20140328.CreateLogGroup", &json!({ "logGroupName": group })).await;
        }
        let rule = json!({ "Name": "covid19-download", "ScheduleExpression": "cron(30 11 * * ? *)" });
        self.moto.json("events", "AWSEvents.PutRule", &rule).await;
        let master = [
            ("DBInstanceIdentifier", "covid19-master"),
            ("DBInstanceClass", "db.t4g.medium"),
            ("Engine", "postgres"),
            ("AllocatedStorage", "20"),
            ("MasterUsername", "covid19"),
            ("MasterUserPassword", "not-used-here"),
        ];
        self.moto.query("rds", "CreateDBInstance", "2014-10-31", &master).await;
        self.create_replica().await;
    }

    /// Creates the replica, which moto cannot delete with a stack.
    pub(crate) async fn create_replica(&self) {
        let replica =
            [("DBInstanceIdentifier", "covid19-replica"), ("SourceDBInstanceIdentifier", "covid19-master")];
        self.moto.query("rds", "CreateDBInstanceReadReplica", "2014-10-31", &replica).await;
    }

    /// A key that is handed over by EC2 Instance Connect is really let in.
    fn let_keys_in(&self) {
        let authorized = self.sshd.file("authorized_keys");
        self.proxy.handle("ec2-instance-connect:SendSSHPublicKey", move |call: &Call| {
            let key = call.json()["SSHPublicKey"].as_str().unwrap().trim().to_owned();
            let mut file = std::fs::File::options().append(true).open(&authorized).unwrap();
            std::io::Write::write_all(&mut file, format!("{key}\n").as_bytes()).unwrap();
            Some(Reply::Json(json!({ "RequestId": "1", "Success": true })))
        });
    }

    /// The console shows the host's key, as cloud-init prints it.
    pub(crate) fn print_host_key(&self) {
        let key = std::fs::read_to_string(self.sshd.file("host.pub")).unwrap();
        self.print_on_console(&host_keys(&key));
    }

    /// The machine prints this on its console.
    pub(crate) fn print_on_console(&self, text: &str) {
        use base64::Engine as _;

        let output = base64::engine::general_purpose::STANDARD.encode(text);
        let output = if text.is_empty() { String::new() } else { format!("<output>{output}</output>") };
        self.proxy.handle("ec2:GetConsoleOutput", move |_| {
            Some(Reply::Xml(format!(
                "<GetConsoleOutputResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>1</requestId>\
                 <instanceId>i-1</instanceId><timestamp>2022-06-05T00:00:00.000Z</timestamp>{output}\
                 </GetConsoleOutputResponse>"
            )))
        });
    }

    /// The program, on this deployment and with nothing of the user's own.
    pub(crate) fn covidctl(&self, words: &[&str]) -> Command {
        self.covidctl_on("aws", words)
    }

    fn covidctl_on(&self, target: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_covidctl"));
        command
            .env_clear()
            .env("PATH", environment("PATH"))
            .env("HOME", self.folder.path())
            .env("AWS_ACCESS_KEY_ID", principal(words))
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .args(self.words(target))
            .args(words)
            .stdin(std::process::Stdio::null());
        command
    }

    /// The words that lead a command here.
    pub(crate) fn words(&self, target: &str) -> Vec<String> {
        let config = self.folder.path().join("config.toml");
        if !config.exists() {
            std::fs::write(&config, "").unwrap();
        }
        let mut words = self.words_of_target(target);
        words.extend(["--config".to_owned(), config.to_str().unwrap().to_owned()]);
        words
    }

    /// The same, with the configuration file of the user.
    pub(crate) fn words_of_target(&self, target: &str) -> Vec<String> {
        [
            ("--target", target),
            ("--region", self.moto.region),
            ("--endpoint-url", &self.proxy.endpoint),
            ("--ssl-mode", "disable"),
        ]
        .iter()
        .flat_map(|(name, value)| [(*name).to_owned(), (*value).to_owned()])
        .collect()
    }

    /// Runs it to its end, on a target of the configuration file.
    pub(crate) async fn say_to(&self, target: &str, words: &[&str]) -> Said {
        Said::of(self.covidctl_on(target, words)).await
    }

    /// Writes the configuration file.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.folder.path().join("config.toml"), text).unwrap();
    }

    /// Runs it to its end.
    pub(crate) async fn say(&self, words: &[&str]) -> Said {
        Said::of(self.covidctl(words)).await
    }

    /// A superuser's URL of the deployment's database.
    pub(crate) fn database_url(&self) -> String {
        self.database.url()
    }

    pub(crate) fn database_user(&self) -> String {
        self.database.server().get_username().to_owned()
    }

    pub(crate) fn database_port(&self) -> String {
        self.database.server().get_port().to_string()
    }

    pub(crate) fn database_name(&self) -> &str {
        &self.database.name
    }

    pub(crate) fn database_password(&self) -> String {
        self.database.password()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.ecs.end_all();
        self.lambda.end_all();
    }
}

/// The end of cloud-init's output.
pub(crate) fn host_keys(key: &str) -> String {
    let key = key.trim();
    format!("boot\n-----BEGIN SSH HOST KEY KEYS-----\n{key}\n-----END SSH HOST KEY KEYS-----\nlogin:\n")
}

/// The files of a sample, by name.
pub(crate) fn sample(out: &Path, rows: u64, seed: u64) -> HashMap<String, Vec<u8>> {
    sample::write(&sample::Options { rows, seed, dirty: 0.01, doses: 0, out: out.to_owned() }, &|_| {})
        .unwrap();
    let files = std::fs::read_dir(out).unwrap().flatten();
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

pub(crate) fn bucket(moto: &Moto, of: &str) -> String {
    format!("covid19-{of}-{ACCOUNT}-{}", moto.region)
}

/// A group of one, whose instance has an Elastic IP: in moto, a loopback address.
async fn bastion(moto: &Moto, is_there: bool) -> (String, SocketAddrV4) {
    let group = "covid19-bastion".to_owned();
    if !is_there {
        create_group(moto, &group).await;
    }
    let address = give_address(moto, &group).await;
    let port = std::net::TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port();
    (group, SocketAddrV4::new(address, port))
}

async fn create_group(moto: &Moto, group: &str) {
    let zone = format!("{}a", moto.region);
    let launch =
        [("LaunchConfigurationName", "bastion"), ("ImageId", "ami-12c6146b"), ("InstanceType", "t3.micro")];
    moto.query("autoscaling", "CreateLaunchConfiguration", "2011-01-01", &launch).await;
    let words = [
        ("AutoScalingGroupName", group),
        ("LaunchConfigurationName", "bastion"),
        ("MinSize", "1"),
        ("MaxSize", "1"),
        ("DesiredCapacity", "1"),
        ("AvailabilityZones.member.1", &zone),
    ];
    moto.query("autoscaling", "CreateAutoScalingGroup", "2011-01-01", &words).await;
}

/// Gives the instance that is in service an Elastic IP.
pub(crate) async fn give_address(moto: &Moto, group: &str) -> Ipv4Addr {
    let words = [("AutoScalingGroupNames.member.1", group)];
    let groups = moto.query("autoscaling", "DescribeAutoScalingGroups", "2011-01-01", &words).await;
    let instance = between(&groups, "InstanceId").to_owned();
    let allocated = moto.query("ec2", "AllocateAddress", "2016-11-15", &[("Domain", "vpc")]).await;
    let (address, allocation) = (between(&allocated, "publicIp"), between(&allocated, "allocationId"));
    let words = [("InstanceId", instance.as_str()), ("AllocationId", allocation)];
    moto.query("ec2", "AssociateAddress", "2016-11-15", &words).await;
    address.parse().unwrap()
}
