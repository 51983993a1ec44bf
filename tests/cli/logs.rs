//! Logs of the local target. Most tests write the files themselves, in the form in which jobs do.

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

/// A target's folder of logs, without anything that runs.
struct Logs {
    target: Target,
    /// A minute ago.
    start: DateTime<Utc>,
}

impl Logs {
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

    /// Notes what a run does, as its start does.
    fn kind(&self, run: &str, kind: &str) {
        let note = json!({ "kind": kind, "started_at": Utc::now() });
        std::fs::write(self.target.data().join(format!("logs/{run}.json")), note.to_string()).unwrap();
    }

    fn append(&self, run: &str, text: &str) {
        let mut file = File::options().create(true).append(true).open(self.file(run)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Two runs, whose lines take turns, a second apart.
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

    fn call(&self, words: &[&str]) -> Finished {
        self.target.command(&[&["logs"], words].concat()).output().unwrap().into()
    }

    /// The messages that are shown, without time and source.
    #[track_caller]
    fn shown(&self, words: &[&str]) -> Vec<String> {
        let said = self.call(words);
        assert_eq!(said.code, Some(0), "{words:?}: {}", said.err);
        said.out.lines().map(|line| line.split("INFO  ").last().unwrap().to_owned()).collect()
    }

    fn follow(&self, words: &[&str]) -> (Child, BufReader<ChildStdout>) {
        let mut command = self.target.command(&[&["logs", "--follow"], words].concat());
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

/// Ends a child as Ctrl-C does, and gives its code and what it said on standard error.
fn interrupt(mut child: Child) -> (Option<i32>, String) {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn sources_are_merged_in_the_order_of_time() {
    let logs = Logs::two_runs();
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
fn programs_get_json_lines_with_stable_names() {
    let logs = Logs::two_runs();
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
    assert_eq!(logs.call(&["-o", "json"]).out, out, "ids and times are the same the next time");
}

#[test]
fn what_is_shown_can_be_chosen() {
    let logs = Logs::two_runs();
    let numbers = |words: &[&str]| -> String {
        logs.shown(words).iter().map(|line| line.chars().last().unwrap()).collect()
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
fn nothing_to_show_is_explained_and_no_error() {
    let logs = Logs::two_runs();
    for (words, why) in [
        (&["metabase"][..], "there is no log of metabase yet"),
        (&["etl", "lambda"], "there is no log of lambda yet"),
        (&["--since", "1s"], "no events from etl"),
        (&["-g", "nowhere"], "none of 10 events matches"),
    ] {
        let said = logs.call(words);
        assert_eq!(said.code, Some(0), "{words:?}");
        assert!(said.err.contains(why), "{words:?}: {}", said.err);
        assert_eq!(said.out.is_empty(), !words.contains(&"etl"), "{words:?}");
    }
}

#[test]
fn wrong_words_are_refused_in_a_sentence() {
    let logs = Logs::two_runs();
    for (words, code, why) in [
        (
            &["nonsense"][..],
            2,
            "there is no log source `nonsense`\n\nhint: the sources are lambda, etl, report, metabase",
        ),
        (&["--run", "99999999"], 1, "there is no log of a run `99999999`\n\nhint: "),
        (&["--run", ""], 1, "there is no log of a run ``"),
        (&["--since", "soon"], 2, "`soon` is not a time such as 10m"),
        (&["-g", "a(b"], 2, "`a(b` is not a regular expression: unclosed group"),
        (&["-C", "2"], 2, "--grep"),
        (&["--utc", "--local"], 2, "cannot be used with"),
        (&["--until", "1h"], 2, "(--until) is not after the beginning (--since)"),
        (&["--filter-pattern", "[ip, user]"], 2, "cannot apply the filter pattern `[ip, user]`\n\nhint: "),
        (&["etl", "--run", ETL], 2, "cannot be used with"),
        (&["-o", "xml"], 2, "xml"),
    ] {
        let said = logs.call(words);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{words:?}: {}", said.err);
        assert!(said.err.contains(why), "{words:?}: {}", said.err);
    }
    let said = logs.target.call(&["-o", "raw", "status"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let nothing = Target::new();
    let said = nothing.call(&["logs", "--follow"]);
    assert_eq!(said.code, Some(125));
    assert!(said.err.contains("\n\nhint: covidctl up"), "{}", said.err);
}

#[test]
fn whatever_a_log_says_cannot_steer_the_terminal() {
    let logs = Logs::new();
    logs.append(ETL, "\x1b[2Jwiped \u{9b}31m \u{202e}turned\x07\n");
    logs.append(ETL, &line(0, "IN\x1b[0mFO", "title \x1b]0;mine\x07 and\rover"));
    for form in ["text", "json", "raw"] {
        let said = logs.call(&["-o", form]);
        assert_eq!(said.out.lines().count(), 2, "{form}: {}", said.out);
        let hostile = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!said.out.contains(hostile), "{form}: {:?}", said.out);
        assert!(said.out.contains("wiped"), "{form}: {}", said.out);
    }
    assert!(logs.call(&["-o", "text"]).out.contains("\\u{1b}[2Jwiped"));
    let first = logs.call(&["-o", "json"]).out;
    let first: Value =
        serde_json::from_str(first.lines().find(|line| line.contains("wiped")).unwrap()).unwrap();
    assert_eq!(first["message"], "\x1b[2Jwiped \u{9b}31m \u{202e}turned\x07", "programs get what was logged");
}

#[test]
fn colour_is_for_those_who_want_it() {
    let logs = Logs::two_runs();
    assert!(!logs.call(&["etl"]).out.contains('\x1b'));
    assert!(logs.call(&["etl", "--color", "always"]).out.contains("\x1b[36metl\x1b[0m"));
}

#[test]
fn everything_that_is_written_meanwhile_is_shown_exactly_once() {
    const FILES: usize = 4;
    const EACH: usize = 5000;
    let logs = Logs::new();
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
                    // Some lines arrive in two pieces, some bear a time that is long over.
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
    // The line after all others shows that nothing came in between.
    logs.append(ETL, &line(0, "INFO", "last"));
    assert!(next(&mut out)["message"].as_str().unwrap().contains("\"last\""));
    let (code, said) = interrupt(child);
    assert_eq!((code, said.as_str()), (Some(130), "error: interrupted\n"));
}

#[test]
fn a_half_written_line_waits_for_its_other_half_and_new_files_are_noticed() {
    let logs = Logs::new();
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
fn a_reader_that_has_enough_ends_it_quietly() {
    let logs = Logs::two_runs();
    for words in [&["--follow"][..], &[]] {
        let mut command = logs.target.command(&[&["logs"], words].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nothing more is ever written; the program has to notice by itself.
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn a_run_is_followed_from_its_first_line_to_its_end() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let run = target.ok(&["run", "etl", "--force", "--no-wait"]).out.trim().to_owned();
    let said = target.ok(&["logs", "--run", &run, "--follow", "-o", "json"]);
    let events: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["stream"] == run && event["source"] == "etl"), "{}", said.out);
    let log = std::fs::read_to_string(target.data().join(format!("logs/{run}.jsonl"))).unwrap();
    let shown: Vec<&str> = events.iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert_eq!(shown, log.lines().collect::<Vec<_>>(), "all of it, in its order");

    // One that fails passes its code on, also afterwards.
    let run =
        target.ok(&["run", "report", "--no-wait", "--env", "REPORT_LANG=klingon"]).out.trim().to_owned();
    for words in [&["logs", "--follow", "--run", &run][..], &["logs", "--follow", "--run", "latest"]] {
        let said = target.call(words);
        assert_eq!(said.code, Some(1), "nobody took its own code down: {}", said.err);
        assert!(said.out.contains("report") && said.out.contains("klingon"), "{}", said.out);
    }
    assert_eq!(target.call(&["logs", "--run", &run]).code, Some(0), "showing it is no failure");
}
