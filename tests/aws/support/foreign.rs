//! A pipeline that others have deployed, with their names: two clusters, a container with an agent beside it, a bastion with a PEM key,
//! credentials as SSM parameters, a Lambda function, and images that know nothing of this project.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use serde_json::json;
use uuid::Uuid;

use super::database::Database;
use super::ecs::{Ecs, Script, create_stream, put};
use super::moto::{Moto, between};
use super::policies::OPERATOR;
use super::proxy::{Call, Proxy, Reply};
use super::sshd::Sshd;
use super::{Said, environment};

/// The log group of the function.
const FUNCTION_GROUP: &str = "/aws/lambda/downloadFileToS3";

const ECS: &str = "AmazonEC2ContainerServiceV20141113";

pub(crate) struct Foreign {
    pub(crate) moto: Moto,
    pub(crate) proxy: Proxy,
    ecs: Ecs,
    pub(crate) sshd: Sshd,
    pub(crate) database: Database,
    folder: tempfile::TempDir,
}

impl Foreign {
    pub(crate) async fn deploy() -> Self {
        let moto = Moto::new();
        let proxy = Proxy::start(moto.clone()).await;
        let policy: serde_json::Value =
            serde_json::from_str(include_str!("../../../docs/reference/iam-described.json")).unwrap();
        for principal in [OPERATOR, "test"] {
            proxy.set_policies(
                principal,
                vec![("iam-described.json".to_owned(), serde_json::Value::clone(&policy))],
            );
        }
        let text = "echo loading 3 files; echo \"years: ${YEARS:-none}\"; \
                    [ -z \"$WAIT\" ] || exec sleep 600; [ -z \"$BREAK\" ] || { echo 'ERROR no space left'; exit 3; }; \
                    echo loaded 1200 rows";
        let etl =
            Script { container: "python-etl", group: "/ecs/data-pipeline-cluster", prefix: "ecs", text };
        let ecs = Ecs::of_scripts(&proxy, &moto, [("data-pipeline-cluster", etl)]);
        let (database, folder) = (Database::create().await, tempfile::tempdir().unwrap());
        let sshd = bastion(&moto, folder.path()).await;
        let foreign = Self { moto, proxy, ecs, sshd, database, folder };
        foreign.print_host_key();
        foreign.create_databases().await;
        foreign.create_tasks().await;
        foreign.create_function().await;
        foreign
    }

    fn print_host_key(&self) {
        use base64::Engine as _;

        let key = std::fs::read_to_string(self.sshd.file("host.pub")).unwrap();
        let output = base64::engine::general_purpose::STANDARD.encode(super::cloud::host_keys(&key));
        self.proxy.handle("ec2:GetConsoleOutput", move |_| {
            Some(Reply::Xml(format!(
                "<GetConsoleOutputResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><output>{output}</output>\
                 </GetConsoleOutputResponse>"
            )))
        });
    }

    /// The instances are at the address of a real server, which moto cannot be told.
    async fn create_databases(&self) {
        let server = self.database.server();
        let (port, user) = (server.get_port(), server.get_username());
        let instance = |id: &str, source: &str| {
            format!(
                "<DBInstance><DBInstanceIdentifier>{id}</DBInstanceIdentifier><Engine>postgres</Engine>\
                 <EngineVersion>16.10</EngineVersion><DBInstanceStatus>available</DBInstanceStatus>\
                 <Endpoint><Address>127.0.0.1</Address><Port>{port}</Port></Endpoint>{source}</DBInstance>"
            )
        };
        let source =
            "<ReadReplicaSourceDBInstanceIdentifier>database-master</ReadReplicaSourceDBInstanceIdentifier>";
        let all = [
            ("database-master", instance("database-master", "")),
            ("database-replica", instance("database-replica", source)),
        ];
        self.proxy.handle("rds:DescribeDBInstances", move |call: &Call| {
            let wanted = call.parameter("DBInstanceIdentifier");
            let found = all.iter().filter(|(id, _)| wanted.is_none_or(|wanted| wanted == *id));
            let found: String = found.map(|(_, text)| text.as_str()).collect();
            Some(Reply::Xml(format!(
                "<DescribeDBInstancesResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><DescribeDBInstancesResult>\
                 <DBInstances>{found}</DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"
            )))
        });
        for (name, kind, value) in [
            ("/cde/DB_NAME", "String", self.database.name.as_str()),
            ("/cde/DB_USER", "String", user),
            ("/cde/DB_PASS", "SecureString", &self.database.password()),
            ("/cde/GITHUB_TOKEN", "SecureString", "unrelated"),
        ] {
            let body = json!({ "Name": name, "Value": value, "Type": kind });
            self.moto.json("ssm", "AmazonSSM.PutParameter", &body).await;
        }
    }

    async fn create_tasks(&self) {
        let moto = &self.moto;
        let vpc = moto.query("ec2", "CreateVpc", "2016-11-15", &[("CidrBlock", "10.0.0.0/16")]).await;
        let vpc = between(&vpc, "vpcId").to_owned();
        let subnet = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
        let subnet = moto.query("ec2", "CreateSubnet", "2016-11-15", &subnet).await;
        let group = [("VpcId", vpc.as_str()), ("GroupName", "tasks"), ("GroupDescription", "tasks")];
        let group = moto.query("ec2", "CreateSecurityGroup", "2016-11-15", &group).await;
        let (subnet, group) =
            (between(&subnet, "subnetId").to_owned(), between(&group, "groupId").to_owned());
        for name in ["data-pipeline-cluster", "dashboard-cluster"] {
            moto.json("ecs", &format!("{ECS}.CreateCluster"), &json!({ "clusterName": name })).await;
        }
        let agent =
            json!({ "name": super::ecs::SIDECAR, "image": "agent", "memory": 64, "essential": false });
        let etl = self
            .register(
                "data-pipeline-cluster",
                &[agent, container("python-etl", "/ecs/data-pipeline-cluster")],
            )
            .await;
        let dashboard =
            self.register("dashboard-cluster", &[container("metabase", "/ecs/dashboard-cluster")]).await;
        let network = json!({ "awsvpcConfiguration": { "subnets": [subnet], "securityGroups": [group] } });
        let service = json!({
            "cluster": "dashboard-cluster", "serviceName": "metabase", "taskDefinition": dashboard,
            "desiredCount": 0, "networkConfiguration": network,
        });
        moto.json("ecs", &format!("{ECS}.CreateService"), &service).await;
        let cluster = format!("arn:aws:ecs:{}:123456789012:cluster/data-pipeline-cluster", moto.region);
        let network = json!({ "awsvpcConfiguration": { "Subnets": [subnet], "SecurityGroups": [group], "AssignPublicIp": "DISABLED" } });
        let target = json!({
            "Id": "etl", "Arn": cluster, "RoleArn": "arn:aws:iam::123456789012:role/events",
            "EcsParameters": { "TaskDefinitionArn": etl, "LaunchType": "FARGATE", "NetworkConfiguration": network },
        });
        self.schedule("nightly", &target).await;
    }

    async fn register(&self, family: &str, containers: &[serde_json::Value]) -> String {
        let definition = json!({ "family": family, "containerDefinitions": containers });
        let answer = self.moto.json("ecs", &format!("{ECS}.RegisterTaskDefinition"), &definition).await;
        for container in containers {
            if let Some(group) = container["logConfiguration"]["options"]["awslogs-group"].as_str() {
                let body = json!({ "logGroupName": group });
                self.moto.json("logs", "Logs_20140328.CreateLogGroup", &body).await;
            }
        }
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    async fn schedule(&self, rule: &str, target: &serde_json::Value) {
        let body = json!({ "Name": rule, "ScheduleExpression": "cron(0 3 * * ? *)" });
        self.moto.json("events", "AWSEvents.PutRule", &body).await;
        self.moto.json("events", "AWSEvents.PutTargets", &json!({ "Rule": rule, "Targets": [target] })).await;
    }

    /// A function that writes what Lambda's do, and fails every second time.
    async fn create_function(&self) {
        let name = "downloadFileToS3";
        let function = json!({
            "FunctionName": name, "State": "Active", "Runtime": "python3.13",
            "FunctionArn": format!("arn:aws:lambda:{}:123456789012:function:{name}", self.moto.region),
        });
        let listed = json!({ "Functions": [function] });
        self.proxy.handle("lambda:ListFunctions", move |_| Some(Reply::Json(listed.clone())));
        self.proxy.handle("lambda:GetFunctionConfiguration", move |_| Some(Reply::Json(function.clone())));
        self.moto
            .json("logs", "Logs_20140328.CreateLogGroup", &json!({ "logGroupName": FUNCTION_GROUP }))
            .await;
        let (moto, runtime) = (self.moto.clone(), tokio::runtime::Handle::current());
        let invocations = std::sync::atomic::AtomicU32::new(0);
        self.proxy.handle("lambda:InvokeFunction", move |_| {
            let id = Uuid::new_v4();
            let is_good = invocations.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2);
            let moto = moto.clone();
            runtime.spawn(async move { invoke(&moto, id, is_good).await });
            Some(Reply::Accepted(id))
        });
    }

    /// The program, with the user's home of this deployment and nothing else.
    pub(crate) fn covidctl(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_covidctl"));
        command
            .env_clear()
            .env("PATH", environment("PATH"))
            .env("HOME", self.folder.path())
            .env("AWS_ACCESS_KEY_ID", OPERATOR)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .args(words)
            .stdin(std::process::Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) async fn say(&self, words: &[&str]) -> Said {
        Said::of(self.covidctl(words)).await
    }

    /// The configuration file of the user.
    pub(crate) fn config(&self) -> std::path::PathBuf {
        self.folder.path().join(".config/covidctl/config.toml")
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.ecs.end_all();
    }
}

fn container(name: &str, group: &str) -> serde_json::Value {
    json!({
        "name": name, "image": format!("example/{name}"), "memory": 512, "essential": true,
        "logConfiguration": { "logDriver": "awslogs", "options": {
            "awslogs-group": group, "awslogs-region": "x", "awslogs-stream-prefix": "ecs",
        } },
    })
}

/// An instance with an Elastic IP, in moto a loopback address, whose key pair is a PEM file in the user's home.
async fn bastion(moto: &Moto, home: &Path) -> Sshd {
    let words = [
        ("ImageId", "ami-12c6146b"),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("KeyName", "BastionHost"),
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", "Bastion Host"),
    ];
    let created = moto.query("ec2", "RunInstances", "2016-11-15", &words).await;
    let instance = between(&created, "instanceId").to_owned();
    let allocated = moto.query("ec2", "AllocateAddress", "2016-11-15", &[("Domain", "vpc")]).await;
    let address: Ipv4Addr = between(&allocated, "publicIp").parse().unwrap();
    let words = [("InstanceId", instance.as_str()), ("AllocationId", between(&allocated, "allocationId"))];
    moto.query("ec2", "AssociateAddress", "2016-11-15", &words).await;
    let port = std::net::TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port();
    let sshd = Sshd::at(SocketAddrV4::new(address, port));
    let folder = home.join(".ssh");
    std::fs::create_dir(&folder).unwrap();
    let key = folder.join("BastionHost.pem");
    let words = ["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"];
    assert!(Command::new("ssh-keygen").args(words).arg(&key).status().unwrap().success());
    std::fs::copy(folder.join("BastionHost.pem.pub"), sshd.file("authorized_keys")).unwrap();
    sshd
}

/// Writes what Lambda logs of an invocation.
async fn invoke(moto: &Moto, id: Uuid, is_good: bool) {
    let stream = format!("2022/06/05/[$LATEST]{}", Uuid::new_v4().simple());
    create_stream(moto, FUNCTION_GROUP, &stream).await;
    let work = if is_good { "downloaded 3 files" } else { "[ERROR] HTTPError: 503" };
    let lines = [
        format!("START RequestId: {id} Version: $LATEST"),
        work.to_owned(),
        format!("END RequestId: {id}"),
        format!("REPORT RequestId: {id}\tDuration: 15.00 ms\tBilled Duration: 16 ms\tMemory Size: 128 MB"),
    ];
    for line in lines {
        put(moto, FUNCTION_GROUP, &stream, &line).await;
    }
}
