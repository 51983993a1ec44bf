//! `covidctl logs` on the local target. Most tests write the log files themselves, in the format of the jobs.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::{Finished, Target};

const ETL: &str = "11111111-0000-4000-8000-000000000001";
const REPORT: &str = "22222222-0000-4000-8000-000000000002";

/// The log folder of a target without running processes.
struct LogFolder {
    target: Target,
    /// One minute ago.
    start: DateTime<Utc>,
}

impl LogFolder {
    fn new() -> Self {
        let target = Target::new();
        std::fs::create_dir_all(target.data().join("logs")).unwrap();
        std::fs::write(target.data().join("covidctl.json"), r#"{"layout":1,"port":null,"keep":false}"#)
            .unwrap();
        Self { target, start: Utc::now() - TimeDelta::minutes(1) }
    }

    fn file(&self, run: &str) -> PathBuf {
        self.target.data().join(format!("logs/{run}.jsonl"))
    }

    /// Writes the metadata of a run.
    fn kind(&self, run: &str, kind: &str) {
        let note = json!({ "kind": kind, "started_at": Utc::now() });
        std::fs::write(self.target.data().join(format!("logs/{run}.json")), note.to_string()).unwrap();
    }

    fn append(&self, run: &str, text: &str) {
        let mut file = File::options().create(true).append(true).open(self.file(run)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Two runs with alternating lines, one second apart.
    fn two_runs() -> Self {
        let logs = Self::new();
        logs.kind(ETL, "etl");
        logs.kind(REPORT, "report");
        for number in 0..10 {
            let run = if number % 2 == 0 { ETL } else { REPORT };
            let level = if number == 5 { "ERROR" } else { "INFO" };
            logs.append(
                run,
                &line_at(logs.start + TimeDelta::seconds(number), level, &format!("event {number}")),
            );
        }
        logs
    }

    fn call(&self, args: &[&str]) -> Finished {
        self.target.command(&[&["logs"], args].concat()).output().unwrap().into()
    }

    /// Returns the printed messages, without time and source.
    #[track_caller]
    fn shown(&self, args: &[&str]) -> Vec<String> {
        let output = self.call(args);
        assert_eq!(output.code, Some(0), "{args:?}: {}", output.err);
        output.out.lines().map(|line| line.split("INFO  ").last().unwrap().to_owned()).collect()
    }

    fn follow(&self, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
        let mut command = self.target.command(&[&["logs", "--follow"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        (child, out)
    }
}

fn line(seconds: i64, level: &str, message: &str) -> String {
    line_at(Utc::now() + TimeDelta::seconds(seconds), level, message)
}

fn line_at(time: DateTime<Utc>, level: &str, message: &str) -> String {
    let timestamp = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({ "timestamp": timestamp, "level": level, "message": message }).to_string() + "\n"
}

fn next(lines: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

/// Interrupts a child as Ctrl-C does and returns its exit code and standard error.
fn interrupt(mut child: Child) -> (Option<i32>, String) {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let mut output = String::new();
    child.stderr.take().unwrap().read_to_string(&mut output).unwrap();
    (child.wait().unwrap().code(), output)
}

#[test]
fn logs_of_two_sources_are_merged_by_time() {
    let logs = LogFolder::two_runs();
    let expected: Vec<String> = (0..10).map(|number| format!("event {number}")).collect();
    let shown = logs.shown(&["-o", "raw"]);
    let messages: Vec<String> = shown
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(messages, expected);

    let text = logs.call(&["--utc", "report"]).out;
    let first = text.lines().next().unwrap();
    assert!(first.ends_with("Z report INFO  event 1"), "{first}");
    assert_eq!(text.lines().count(), 5);
    assert!(!text.contains("etl"));
    let both = logs.call(&["--utc", "report", "etl"]).out;
    assert!(both.contains("Z etl    INFO  event 0\n") && both.contains("Z report ERROR event 5\n"), "{both}");
}

#[test]
fn logs_json_has_stable_fields() {
    let logs = LogFolder::two_runs();
    let out = logs.call(&["-o", "json"]).out;
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 10);
    let mut names: Vec<&String> = events[0].as_object().unwrap().keys().collect();
    names.sort();
    let expected = ["event_id", "group", "ingested", "late", "level", "message", "source", "stream", "time"];
    assert_eq!(names, expected);
    let fact = |name: &str| events[5][name].as_str().unwrap();
    assert_eq!((fact("source"), fact("group"), fact("stream")), ("report", "/ecs/covid19-report", REPORT));
    assert_eq!((fact("level"), &events[5]["late"]), ("ERROR", &json!(false)));
    for name in ["time", "ingested"] {
        let time = fact(name);
        assert!(time.len() == 24 && time.as_bytes()[19] == b'.' && time.ends_with('Z'), "{time}");
        time.parse::<DateTime<Utc>>().unwrap();
    }
    assert_eq!(events[0]["event_id"], format!("{ETL}:0"));
    assert_eq!(logs.call(&["-o", "json"]).out, out, "ids and times are stable");
}

#[test]
fn logs_options_select_events() {
    let logs = LogFolder::two_runs();
    let numbers = |args: &[&str]| -> String {
        logs.shown(args).iter().map(|line| line.chars().last().unwrap()).collect()
    };
    assert_eq!(numbers(&["--tail", "3"]), "789");
    assert_eq!(numbers(&["--tail", "0"]), "");
    assert_eq!(numbers(&["-g", "event [27]$"]), "27");
    assert_eq!(numbers(&["-g", "ERROR", "-C", "1"]), "456");
    assert_eq!(numbers(&["-g", "event [27]", "-C", "1"]), "123-678");
    assert_eq!(numbers(&["-g", "event [36]", "-C", "1"]), "234567");
    assert_eq!(numbers(&["-x", "event [0-7]", "-x", "9"]), "8");
    assert_eq!(numbers(&["--filter-pattern", "{ $.level = \"ERROR\" }"]), "5");
    assert_eq!(numbers(&["--filter", "?3 ?4"]).matches(['3', '4']).count(), 2);
    let at = |second| (logs.start + TimeDelta::seconds(second)).to_rfc3339_opts(SecondsFormat::Micros, true);
    assert_eq!(numbers(&["--since", &at(4), "--until", &at(7)]), "456");
    assert_eq!(numbers(&["--until", "30m", "--since", "1h"]), "");
    assert_eq!(numbers(&["--since", "2020-01-01", "--until", "now"]), "0123456789");
    assert_eq!(numbers(&["--run", &ETL[..8]]), "02468");
    assert_eq!(numbers(&["--run", "latest"]), "13579");
}

#[test]
fn logs_without_events_explains_and_succeeds() {
    let logs = LogFolder::two_runs();
    for (args, why) in [
        (&["metabase"][..], "there is no log of metabase yet"),
        (&["etl", "lambda"], "there is no log of lambda yet"),
        (&["--since", "1s"], "no events from etl"),
        (&["-g", "nowhere"], "none of 10 events matches"),
    ] {
        let output = logs.call(args);
        assert_eq!(output.code, Some(0), "{args:?}");
        assert!(output.err.contains(why), "{args:?}: {}", output.err);
        assert_eq!(output.out.is_empty(), !args.contains(&"etl"), "{args:?}");
    }
}

#[test]
fn logs_wrong_arguments_fail_with_one_sentence() {
    let logs = LogFolder::two_runs();
    for (args, code, why) in [
        (
            &["nonsense"][..],
            2,
            "there is no log source `nonsense`\n\nhint: the sources are lambda, etl, report, metabase, postgres",
        ),
        (&["--run", "99999999"], 1, "there is no log of a run `99999999`\n\nhint: "),
        (&["--run", ""], 1, "there is no log of a run ``"),
        (&["--since", "soon"], 2, "`soon` is not a time such as 10m"),
        (&["-g", "a(b"], 2, "`a(b` is not a regular expression: unclosed group"),
        (&["-C", "2"], 2, "--grep"),
        (&["--utc", "--local"], 2, "cannot be used with"),
        (&["--until", "1h"], 2, "(--until) is not after the start (--since)"),
        (&["--filter-pattern", "[ip, user]"], 2, "cannot apply the filter pattern `[ip, user]`\n\nhint: "),
        (&["etl", "--run", ETL], 2, "cannot be used with"),
        (&["-o", "xml"], 2, "xml"),
    ] {
        let output = logs.call(args);
        assert_eq!((output.code, output.out.as_str()), (Some(code), ""), "{args:?}: {}", output.err);
        assert!(output.err.contains(why), "{args:?}: {}", output.err);
    }
    let output = logs.target.call(&["-o", "raw", "status"]);
    assert_eq!(output.code, Some(2), "{}", output.err);
    let nothing = Target::new();
    let output = nothing.call(&["logs", "--follow"]);
    assert_eq!(output.code, Some(125));
    assert!(output.err.contains("\n\nhint: covidctl up"), "{}", output.err);
}

#[test]
fn logs_escape_control_characters() {
    let logs = LogFolder::new();
    logs.append(ETL, "\x1b[2Jwiped \u{9b}31m \u{202e}turned\x07\n");
    logs.append(ETL, &line(0, "IN\x1b[0mFO", "title \x1b]0;mine\x07 and\rover"));
    for form in ["text", "json", "raw"] {
        let output = logs.call(&["-o", form]);
        assert_eq!(output.out.lines().count(), 2, "{form}: {}", output.out);
        let hostile = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!output.out.contains(hostile), "{form}: {:?}", output.out);
        assert!(output.out.contains("wiped"), "{form}: {}", output.out);
    }
    assert!(logs.call(&["-o", "text"]).out.contains("\\u{1b}[2Jwiped"));
    let first = logs.call(&["-o", "json"]).out;
    let first: Value =
        serde_json::from_str(first.lines().find(|line| line.contains("wiped")).unwrap()).unwrap();
    assert_eq!(
        first["message"], "\x1b[2Jwiped \u{9b}31m \u{202e}turned\x07",
        "JSON has the original message"
    );
}

#[test]
fn logs_color_only_on_request() {
    let logs = LogFolder::two_runs();
    assert!(!logs.call(&["etl"]).out.contains('\x1b'));
    assert!(logs.call(&["etl", "--color", "always"]).out.contains("\x1b[36metl\x1b[0m"));
}

#[test]
fn logs_follow_prints_concurrent_writes_exactly_once() {
    const FILES: usize = 4;
    const EACH: usize = 5000;
    let logs = LogFolder::new();
    logs.append(ETL, &line(0, "INFO", "ready"));
    let (child, mut out) = logs.follow(&["-o", "json", "--since", "1h"]);
    let ready = next(&mut out);
    assert!(ready["message"].as_str().unwrap().contains("ready"), "it follows");

    let runs: Vec<String> = (0..FILES).map(|file| format!("{file}{}", &ETL[1..])).collect();
    for (number, run) in runs.iter().enumerate() {
        logs.kind(run, if number % 2 == 0 { "etl" } else { "report" });
    }
    let mut seen = HashSet::new();
    std::thread::scope(|scope| {
        for run in &runs {
            let logs = &logs;
            scope.spawn(move || {
                for number in 0..EACH {
                    // Some lines arrive in two pieces, some have an old timestamp.
                    let late = if number % 100 == 7 { -600 } else { 0 };
                    let line = line(late, "INFO", &format!("{run}#{number}"));
                    let (first, rest) = line.split_at(if number % 10 == 0 { 20 } else { 0 });
                    logs.append(run, first);
                    logs.append(run, rest);
                }
            });
        }
        let mut newest: DateTime<Utc> = ready["time"].as_str().unwrap().parse().unwrap();
        while seen.len() < FILES * EACH {
            let event = next(&mut out);
            let time: DateTime<Utc> = event["time"].as_str().unwrap().parse().unwrap();
            assert_eq!(event["late"], json!(time < newest), "{event}");
            newest = newest.max(time);
            let message: Value = serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
            let message = message["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(event["stream"].as_str().unwrap()), "{event}");
            assert!(seen.insert(message), "twice: {event}");
        }
    });
    // The next line is the last one, so there was nothing in between.
    logs.append(ETL, &line(0, "INFO", "last"));
    assert!(next(&mut out)["message"].as_str().unwrap().contains("\"last\""));
    let (code, output) = interrupt(child);
    assert_eq!((code, output.as_str()), (Some(130), "error: interrupted\n"));
}

#[test]
fn logs_follow_waits_for_incomplete_line_and_finds_new_files() {
    let logs = LogFolder::new();
    let (child, mut out) = logs.follow(&["-o", "json"]);
    let whole = line(0, "INFO", "in two halves");
    let (first, second) = whole.split_at(40);
    logs.append(ETL, first);
    logs.kind(REPORT, "report");
    logs.append(REPORT, "another file\n");
    let other = next(&mut out);
    assert_eq!((&other["message"], &other["source"]), (&json!("another file"), &json!("report")));
    logs.append(ETL, second);
    assert_eq!(next(&mut out)["message"], whole.trim_end());
    assert_eq!(interrupt(child).0, Some(130));
}

#[test]
fn logs_closed_pipe_exits_quietly() {
    let logs = LogFolder::two_runs();
    for args in [&["--follow"][..], &[]] {
        let mut command = logs.target.command(&[&["logs"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nothing more is written, so the program must detect the closed pipe itself.
        drop(child.stdout.take());
        let mut output = String::new();
        child.stderr.take().unwrap().read_to_string(&mut output).unwrap();
        assert_eq!((child.wait().unwrap().code(), output.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn logs_follow_run_prints_all_lines_and_exits_with_its_code() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let run = target.ok(&["run", "etl", "--force", "--no-wait"]).out.trim().to_owned();
    let output = target.ok(&["logs", "--run", &run, "--follow", "-o", "json"]);
    let events: Vec<Value> = output.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["stream"] == run && event["source"] == "etl"), "{}", output.out);
    let log = std::fs::read_to_string(target.data().join(format!("logs/{run}.jsonl"))).unwrap();
    let shown: Vec<&str> = events.iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert_eq!(shown, log.lines().collect::<Vec<_>>(), "all lines, in order");

    // The exit code of a failed run is returned, also after its end.
    let run =
        target.ok(&["run", "report", "--no-wait", "--env", "REPORT_LANG=klingon"]).out.trim().to_owned();
    for args in [&["logs", "--follow", "--run", &run][..], &["logs", "--follow", "--run", "latest"]] {
        let output = target.call(args);
        assert_eq!(output.code, Some(1), "no client recorded its code: {}", output.err);
        assert!(output.out.contains("report") && output.out.contains("klingon"), "{}", output.out);
    }
    assert_eq!(target.call(&["logs", "--run", &run]).code, Some(0), "printing the log succeeds");
}
