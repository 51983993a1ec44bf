//! ECS whose tasks are real: each is the pipeline's own program as a process, with the environment that the request names; what it
//! says goes to CloudWatch, and its exit code is the container's.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use uuid::Uuid;

use super::environment;
use super::moto::{ACCOUNT, Moto};
use super::proxy::{Call, Proxy, Reply};
use super::roles::Keys;

/// An operation: a request in, an answer out.
type Operation = fn(&Ecs, &Value) -> Value;

/// The tasks of one cluster.
#[derive(Clone)]
pub(crate) struct Ecs {
    region: &'static str,
    /// Takes the lines of the containers.
    logs: Moto,
    keys: Keys,
    /// What the task definition sets, beside what a request adds.
    environment: Arc<HashMap<String, String>>,
    /// Tasks of other images, by family.
    scripts: Arc<HashMap<&'static str, Script>>,
    tasks: Arc<Mutex<Vec<Task>>>,
    runtime: tokio::runtime::Handle,
}

/// An image that knows nothing of this project: a shell script, with an agent beside its container.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) container: &'static str,
    pub(crate) group: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) text: &'static str,
}

/// The container beside that of a script.
pub(crate) const SIDECAR: &str = "datadog-agent";

struct Task {
    arn: String,
    family: String,
    request: Value,
    child: Option<Child>,
    lines: Option<JoinHandle<()>>,
    created_at: f64,
    stopped: Option<Stopped>,
    by_hand: Option<String>,
}

#[derive(Clone)]
struct Stopped {
    at: f64,
    code: i32,
}

impl Ecs {
    /// Serves the operations of ECS at the proxy.
    pub(crate) fn behind(
        proxy: &Proxy,
        moto: &Moto,
        keys: Keys,
        environment: HashMap<String, String>,
    ) -> Self {
        let ecs = Self {
            region: moto.region,
            logs: moto.through(&proxy.endpoint, &keys.of("covid19-execution")),
            keys,
            environment: Arc::new(environment),
            scripts: Arc::default(),
            tasks: Arc::default(),
            runtime: tokio::runtime::Handle::current(),
        };
        ecs.serve(proxy)
    }

    /// The same, with tasks of these images.
    pub(crate) fn of_scripts(
        proxy: &Proxy,
        moto: &Moto,
        scripts: impl IntoIterator<Item = (&'static str, Script)>,
    ) -> Self {
        let ecs = Self {
            region: moto.region,
            logs: moto.clone(),
            keys: Keys { region: moto.region, are_deployed: false },
            environment: Arc::default(),
            scripts: Arc::new(scripts.into_iter().collect()),
            tasks: Arc::default(),
            runtime: tokio::runtime::Handle::current(),
        };
        ecs.serve(proxy)
    }

    fn serve(self, proxy: &Proxy) -> Self {
        let operations: [(&str, Operation); 4] = [
            ("ecs:RunTask", Self::run),
            ("ecs:DescribeTasks", Self::describe),
            ("ecs:ListTasks", Self::list),
            ("ecs:StopTask", Self::stop),
        ];
        for (name, operation) in operations {
            let ecs = self.clone();
            proxy.handle(name, move |call: &Call| Some(Reply::Json(operation(&ecs, &call.json()))));
        }
        self
    }

    fn run(&self, request: &Value) -> Value {
        let mut tasks = self.tasks.lock().unwrap();
        // The same token is the same request, however often it is repeated.
        let same = tasks.iter().position(|task| task.request["clientToken"] == request["clientToken"]);
        let at = same.unwrap_or_else(|| {
            tasks.push(self.start(request));
            tasks.len() - 1
        });
        json!({ "tasks": [tasks[at].describe()], "failures": [] })
    }

    fn start(&self, request: &Value) -> Task {
        let id = Uuid::new_v4().simple().to_string();
        let cluster = request["cluster"].as_str().unwrap().rsplit('/').next().unwrap();
        let arn = format!("arn:aws:ecs:{}:{ACCOUNT}:task/{cluster}/{id}", self.region);
        let family = request["taskDefinition"].as_str().unwrap().to_owned();
        let container = &request["overrides"]["containerOverrides"][0];
        let name = container["name"].as_str().unwrap().to_owned();
        // What the task definitions have, unless the request has a command of its own.
        let own = [Value::from(if name == "report" { "report" } else { "run" })];
        let words = container["command"].as_array().map_or(&own[..], Vec::as_slice);
        let script = self.scripts.get(family.split(':').next().unwrap());
        let mut command = if let Some(script) = script {
            assert_eq!(name, script.container, "the container whose environment is set");
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &format!("exec >&2; {}", script.text)])
                .env_clear()
                .env("PATH", environment("PATH"));
            shell
        } else {
            let mut program = Command::new(env!("CARGO_BIN_EXE_covidctl"));
            program
                .arg("etl")
                .args(words.iter().map(|word| word.as_str().unwrap()))
                .env_clear()
                .envs(self.environment.iter())
                .env("AWS_ACCESS_KEY_ID", self.keys.of(&family));
            program
        };
        for pair in container["environment"].as_array().into_iter().flatten() {
            command.env(pair["name"].as_str().unwrap(), pair["value"].as_str().unwrap());
        }
        let mut child = command
            .env("LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let (logs, runtime) = (self.logs.clone(), self.runtime.clone());
        let (group, stream) = match script {
            Some(script) => (script.group.to_owned(), format!("{}/{name}/{id}", script.prefix)),
            None => (format!("/ecs/{family}"), format!("{name}/{name}/{id}")),
        };
        let lines = std::thread::spawn(move || {
            runtime.block_on(create_stream(&logs, &group, &stream));
            for line in lines.lines().map_while(Result::ok) {
                runtime.block_on(put(&logs, &group, &stream, &line));
            }
        });
        Task {
            arn,
            family,
            request: request.clone(),
            child: Some(child),
            lines: Some(lines),
            created_at: now(),
            stopped: None,
            by_hand: None,
        }
    }

    fn describe(&self, request: &Value) -> Value {
        let mut tasks = self.tasks.lock().unwrap();
        let wanted = |arn: &str| request["tasks"].as_array().unwrap().iter().any(|wanted| wanted == arn);
        let found: Vec<Value> =
            tasks.iter_mut().filter(|task| wanted(&task.arn)).map(Task::describe).collect();
        json!({ "tasks": found, "failures": [] })
    }

    fn list(&self, request: &Value) -> Value {
        let mut tasks = self.tasks.lock().unwrap();
        let stopped = request["desiredStatus"] == "STOPPED";
        let fitting = tasks.iter_mut().filter_map(|task| {
            let is_stopped = task.stopped().is_some();
            let is_wanted = match request["startedBy"].as_str() {
                Some(started_by) => task.request["startedBy"] == started_by,
                None => task.family == request["family"],
            };
            (is_wanted && is_stopped == stopped).then(|| task.arn.clone())
        });
        json!({ "taskArns": fitting.collect::<Vec<_>>() })
    }

    fn stop(&self, request: &Value) -> Value {
        let mut tasks = self.tasks.lock().unwrap();
        let task = tasks.iter_mut().find(|task| task.arn == request["task"]).unwrap();
        task.by_hand = Some(request["reason"].as_str().unwrap_or_default().to_owned());
        if let Some(child) = &task.child {
            _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM);
        }
        json!({ "task": task.describe() })
    }

    /// The groups of the tasks that were started, in order.
    pub(crate) fn groups(&self) -> Vec<Value> {
        self.tasks.lock().unwrap().iter().map(|task| task.request["group"].clone()).collect()
    }

    /// Ends every task that runs; no line is written any more.
    pub(crate) fn end_all(&self) {
        for task in self.tasks.lock().unwrap().iter_mut() {
            if let Some(mut child) = task.child.take() {
                drop(child.kill());
                drop(child.wait());
            }
            if let Some(lines) = task.lines.take() {
                drop(lines.join());
            }
        }
    }
}

impl Task {
    fn stopped(&mut self) -> Option<Stopped> {
        use std::os::unix::process::ExitStatusExt as _;

        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait().unwrap()
        {
            let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
            self.stopped = Some(Stopped { at: now(), code });
            self.child = None;
        }
        self.stopped.clone()
    }

    fn describe(&mut self) -> Value {
        let name = self.request["overrides"]["containerOverrides"][0]["name"].clone();
        let mut task = json!({
            "taskArn": self.arn,
            "taskDefinitionArn": format!("arn:aws:ecs:x:{ACCOUNT}:task-definition/{}:1", self.family),
            "startedBy": self.request["startedBy"],
            "group": self.request["group"],
            "overrides": self.request["overrides"],
            "createdAt": self.created_at,
            "lastStatus": "RUNNING",
            "containers": [{ "name": SIDECAR }, { "name": name }],
        });
        if let Some(Stopped { at, code }) = self.stopped() {
            task["lastStatus"] = json!("STOPPED");
            task["stoppedAt"] = json!(at);
            task["containers"][1]["exitCode"] = json!(code);
            let (stop_code, reason) = match &self.by_hand {
                Some(reason) => ("UserInitiated", reason.as_str()),
                None => ("EssentialContainerExited", "Essential container in task exited"),
            };
            task["stopCode"] = json!(stop_code);
            task["stoppedReason"] = json!(reason);
        }
        task
    }
}

pub(crate) async fn create_stream(moto: &Moto, group: &str, stream: &str) {
    let body = json!({ "logGroupName": group, "logStreamName": stream });
    moto.json("logs", "Logs_20140328.CreateLogStream", &body).await;
}

/// Writes one line, as the log driver does.
pub(crate) async fn put(moto: &Moto, group: &str, stream: &str, line: &str) {
    if line.is_empty() {
        return;
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let time = u64::try_from(time).unwrap();
    let body = json!({
        "logGroupName": group,
        "logStreamName": stream,
        "logEvents": [{ "timestamp": time, "message": line }],
    });
    moto.json("logs", "Logs_20140328.PutLogEvents", &body).await;
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
