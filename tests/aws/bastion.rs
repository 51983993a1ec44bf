//! The bastion in its Auto Scaling group: discovery, host key, replacement.

use std::net::SocketAddrV4;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::support::cloud::{Cloud, give_address, host_keys};
use crate::support::moto::between;
use crate::support::proxy::{Fault, Reply};
use crate::support::step;

/// A tunnel whose events are read.
struct Tunnel {
    child: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Tunnel {
    fn open(cloud: &Cloud, words: &[&str]) -> Self {
        let mut command = tokio::process::Command::from(cloud.covidctl(&["-o", "json", "tunnel"]));
        command.args(words).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, events }
    }

    async fn event(&mut self, kind: &str) -> Value {
        loop {
            let line =
                self.events.next_line().await.unwrap().unwrap_or_else(|| panic!("it ended before `{kind}`"));
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == kind {
                return event;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_key_is_the_one_on_its_console_and_no_other() {
    let cloud = Cloud::deploy(0).await;
    step("a host key that is not on the console is rejected");
    let other = std::fs::read_to_string(cloud.sshd.file("id.pub")).unwrap();
    cloud.print_on_console(&host_keys(&other));
    let refused = cloud.say(&["tunnel", "exec", "master", "--", "true"]).await;
    refused.failed(1, &["its console shows", &cloud.sshd.fingerprint()]);

    step("the host key on the console is accepted and pinned");
    cloud.print_host_key();
    let said = cloud
        .say(&["tunnel", "exec", "master", "--", "sh", "-c", "echo $PGHOST $PGHOSTADDR $PGPORT"])
        .await
        .worked();
    assert!(said.err.contains("matches the instance's console"), "{said:?}");
    let mut words = said.out.split_whitespace();
    assert_eq!((words.next(), words.next()), (Some("127.0.0.1"), Some("127.0.0.1")));
    assert_ne!(words.next().unwrap().parse(), Ok(15432), "another tunnel may have the usual port");

    step("the pinned key suffices, and libpq programs get the connection from the environment");
    cloud.print_on_console("");
    let query = "SELECT current_user || '@' || current_database()";
    let said = cloud.say(&["tunnel", "exec", "replica", "--", "psql", "-XAtc", query]).await.worked();
    let expected = format!("{}@{}", cloud.database_user(), cloud.database_name());
    assert_eq!((said.out.trim(), said.err.as_str()), (expected.as_str(), ""));
    let said = cloud.say(&["tunnel", "exec", "master", "--", "true"]).await.worked();
    assert_eq!(said.err, "", "{said:?}");
}

/// Terminates the group's instance.
async fn terminate(cloud: &mut Cloud) {
    let words = [("AutoScalingGroupNames.member.1", cloud.group.as_str())];
    let groups = cloud.moto.query("autoscaling", "DescribeAutoScalingGroups", "2011-01-01", &words).await;
    let old = between(&groups, "InstanceId").to_owned();
    cloud.sshd.kill();
    let words = [("InstanceId", old.as_str()), ("ShouldDecrementDesiredCapacity", "false")];
    cloud.moto.query("autoscaling", "TerminateInstanceInAutoScalingGroup", "2011-01-01", &words).await;
}

/// Starts an instance with another id, address and host key.
async fn replace(cloud: &mut Cloud) {
    let address = give_address(&cloud.moto, &cloud.group).await;
    cloud.sshd.move_to(SocketAddrV4::new(address, cloud.sshd.address().port()));
    cloud.sshd.change_host_key();
    cloud.sshd.restart();
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_bastion_is_found_and_waiting_connections_are_served() {
    let mut cloud = Cloud::deploy(0).await;
    let mut tunnel = Tunnel::open(&cloud, &["master", "--local-port", "0"]);
    let ready = tunnel.event("ready").await;
    let local = ready["forwardings"][0]["local"].as_str().unwrap().to_owned();
    let port = local.rsplit_once(':').unwrap().1.to_owned();

    step("the instance is terminated");
    terminate(&mut cloud).await;
    tunnel.event("lost").await;

    step("a client connects while there is no bastion");
    let mut psql = tokio::process::Command::new("psql");
    psql.env("PGPASSWORD", cloud.database_password()).kill_on_drop(true);
    psql.args([
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-U",
        &cloud.database_user(),
        "-d",
        "postgres",
        "-Atc",
        "SELECT 7",
    ]);
    let waiting = tokio::spawn(psql.output());

    step("the group starts an instance, whose console is empty at first");
    cloud.print_on_console("");
    replace(&mut cloud).await;
    let waiting_for_console = tunnel.event("waiting-for-console").await;
    assert_eq!(waiting_for_console["at_most"], 300);

    step("the console shows the host key");
    cloud.print_host_key();
    tunnel.event("back").await;
    let output = waiting.await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "7", "{output:?}");

    step("another instance takes its place, whose console shows another key");
    terminate(&mut cloud).await;
    tunnel.event("lost").await;
    let forged = std::fs::read_to_string(cloud.sshd.file("id.pub")).unwrap();
    cloud.print_on_console(&host_keys(&forged));
    let logins = cloud.sshd.log().matches("Accepted publickey").count();
    replace(&mut cloud).await;
    assert_eq!(tunnel.child.wait().await.unwrap().code(), Some(1));
    assert_eq!(
        cloud.sshd.log().matches("Accepted publickey").count(),
        logins,
        "no login with the forged key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bastion_that_nothing_vouches_for_is_refused_by_programs_that_do_not_ask() {
    let cloud = Cloud::deploy(0).await;
    // A young instance would be waited for.
    launched(&cloud, "2022-06-05T00:00:00.000Z").await;
    cloud.print_on_console("");
    let refused = cloud.say(&["psql", "--", "-Atc", "SELECT 7"]).await;
    let command = format!("tunnel exec --host-key {} -- true", cloud.sshd.fingerprint());
    refused.failed(1, &["is not known", "console does not show it", &command]);
    assert!(!cloud.sshd.log().contains("Accepted publickey"), "{}", cloud.sshd.log());
    let words = ["tunnel", "exec", "--host-key", &cloud.sshd.fingerprint(), "--", "true"];
    cloud.say(&words).await.worked();
    assert_eq!(cloud.say(&["psql", "--", "-Atc", "SELECT 7"]).await.worked().out.trim(), "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn group_without_an_instance_is_reported() {
    let cloud = Cloud::deploy(0).await;
    let words = [("AutoScalingGroupName", cloud.group.as_str()), ("MinSize", "0"), ("DesiredCapacity", "0")];
    cloud.moto.query("autoscaling", "UpdateAutoScalingGroup", "2011-01-01", &words).await;
    let said = cloud.say(&["tunnel", "master"]).await;
    said.failed(1, &["no instance of the Auto Scaling group `covid19-bastion` is in service"]);
    let status = cloud.say(&["status"]).await.worked();
    assert!(
        status.out.contains("no instance of the Auto Scaling group `covid19-bastion` is in service"),
        "{status:?}"
    );
}

/// Answers with the bastion's instance as it was launched at this time.
async fn launched(cloud: &Cloud, time: &str) {
    let words = [("AutoScalingGroupNames.member.1", cloud.group.as_str())];
    let groups = cloud.moto.query("autoscaling", "DescribeAutoScalingGroups", "2011-01-01", &words).await;
    let (id, address) = (between(&groups, "InstanceId").to_owned(), *cloud.sshd.address().ip());
    let instance = format!(
        "<item><instanceId>{id}</instanceId><instanceState><code>16</code><name>running</name></instanceState>\
         <ipAddress>{address}</ipAddress><launchTime>{time}</launchTime></item>"
    );
    cloud.proxy.handle("ec2:DescribeInstances", move |_| {
        Some(Reply::Xml(format!(
            "<DescribeInstancesResponse><reservationSet><item><instancesSet>{instance}</instancesSet></item>\
             </reservationSet></DescribeInstancesResponse>"
        )))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn console_without_keys_is_read_again_while_the_instance_boots() {
    let cloud = Cloud::deploy(0).await;
    step("the console of a new instance has no output at first");
    let time = chrono::Utc::now() + chrono::TimeDelta::minutes(10);
    launched(&cloud, &time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)).await;
    let empty = "<GetConsoleOutputResponse><instanceId>i-1</instanceId></GetConsoleOutputResponse>";
    cloud.proxy.fail("ec2:GetConsoleOutput", vec![Fault::Xml(empty); 2]);
    let tunnel = ["tunnel", "exec", "master", "--", "true"];
    let said = cloud.say(&tunnel).await.worked();
    assert!(cloud.proxy.has_failed_all("ec2:GetConsoleOutput"));
    assert!(said.err.contains("matches the instance's console"), "{said:?}");

    step("an old instance has none");
    launched(&cloud, "2022-06-05T00:00:00.000Z").await;
    cloud.print_on_console("");
    std::fs::remove_file(cloud.folder().join("host_keys")).unwrap();
    let said = cloud.say(&["tunnel", "exec", "--trust", "first-use", "master", "--", "true"]).await.worked();
    assert!(said.err.contains("trusted on first use"), "{said:?}");
}
