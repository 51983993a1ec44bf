//! A hundred thousand events, written while they are followed: late, out of order, and with throttled and lost requests.

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::Arc;

use chrono::Utc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::sync::Semaphore;

use crate::support::cloud::Cloud;
use crate::support::ecs::create_stream;
use crate::support::proxy::Fault;

const GROUPS: [&str; 4] =
    ["/aws/lambda/covid19-download", "/ecs/covid19-etl", "/ecs/covid19-report", "/ecs/covid19-metabase"];
const BATCHES: usize = 10;
const BATCH: usize = 2_500;
const EVENTS: usize = GROUPS.len() * BATCHES * BATCH;

/// In the last batch, one of this many events is this many milliseconds late.
const LATE_EVERY: usize = 50;
const LATE: i64 = 40_000;

/// Writes a group's events, one batch after the other, each event a little out of order.
async fn write(cloud: Arc<Cloud>, group: &'static str, shown: Arc<Semaphore>) {
    for stream in ["one", "two"] {
        create_stream(&cloud.moto, group, stream).await;
    }
    for batch in 0..BATCHES {
        if batch + 1 == BATCHES {
            // Something newer has been shown by now, so what is old in the last batch is certainly late.
            shown.acquire().await.unwrap().forget();
        }
        let now = Utc::now().timestamp_millis();
        let event = |number: usize| {
            let wobble = i64::try_from(number * 7919 % 1500).unwrap();
            let age = if number.is_multiple_of(LATE_EVERY) && batch + 1 == BATCHES { LATE } else { wobble };
            (now - age, format!("{group} {batch} {number}"))
        };
        // The service requires chronological order within a batch; from batch to batch, times go back.
        let mut events: Vec<(i64, String)> = (0..BATCH).map(event).collect();
        events.sort_unstable();
        let event = |(time, message)| json!({ "timestamp": time, "message": message });
        let body = json!({
            "logGroupName": group,
            "logStreamName": if batch % 2 == 0 { "one" } else { "two" },
            "logEvents": events.into_iter().map(event).collect::<Vec<_>>(),
        });
        cloud.moto.json("logs", "Logs_20140328.PutLogEvents", &body).await;
        // More than the retries of the client absorb.
        if batch % 5 == 0 {
            let throttled = || Fault::Refused(400, "ThrottlingException", "Rate exceeded");
            cloud.proxy.fail("logs:FilterLogEvents", [throttled(), throttled(), Fault::Reset]);
        }
    }
}

struct Follower {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    shown: Vec<Value>,
    /// A permit for each group's writer, given when the first event is shown.
    first: Arc<Semaphore>,
}

impl Follower {
    fn start(cloud: &Cloud) -> Self {
        let command = cloud.covidctl(&["logs", "--follow", "-o", "json"]);
        let mut command = tokio::process::Command::from(command);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, shown: Vec::with_capacity(EVENTS), first: Arc::new(Semaphore::new(0)) }
    }

    async fn next(&mut self) -> bool {
        let Some(line) = self.lines.next_line().await.unwrap() else { return false };
        self.shown.push(serde_json::from_str(&line).unwrap());
        if self.shown.len() == 1 {
            self.first.add_permits(GROUPS.len());
        }
        true
    }

    /// Reads until this many events have been shown; the test command ends a hung test.
    async fn until(&mut self, count: usize) {
        while self.shown.len() < count {
            assert!(self.next().await, "it ended after {} events", self.shown.len());
        }
    }

    /// Interrupts the follower and reads the rest of its output.
    async fn end(mut self) -> Vec<Value> {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        kill(Pid::from_raw(id), Signal::SIGINT).unwrap();
        while self.next().await {}
        assert_eq!(self.child.wait().await.unwrap().code(), Some(130));
        self.shown
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundred_thousand_events_are_shown_once_and_in_order() {
    let cloud = Arc::new(Cloud::deploy(0).await);
    let mut follower = Follower::start(&cloud);
    let writers =
        GROUPS.map(|group| tokio::spawn(write(Arc::clone(&cloud), group, Arc::clone(&follower.first))));
    let reading = tokio::spawn(async move {
        follower.until(EVENTS).await;
        follower.end().await
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let shown = reading.await.unwrap();

    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    let messages: HashSet<String> = shown.iter().map(|event| text(event, "message")).collect();
    let ids: HashSet<String> = shown.iter().map(|event| text(event, "event_id")).collect();
    assert_eq!((shown.len(), messages.len(), ids.len()), (EVENTS, EVENTS, EVENTS), "lost or doubled");
    let (mut newest, mut late) = (String::new(), 0);
    for event in &shown {
        // Times have the same format and length, so they sort as text.
        let time = text(event, "time");
        assert_eq!(event["late"], time < newest, "{event} after {newest}");
        late += usize::from(time < newest);
        newest = newest.max(time);
    }
    assert!(late > 0, "nothing came late");
}
