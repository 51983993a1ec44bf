//! `covidctl logs --file`: conditions, histograms and patterns, on files of every kind and standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Finished, call, covidctl};

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

/// Lines of a load, one a minute; every tenth is an error.
fn lines(count: u32) -> String {
    let line = |number: u32| {
        let level = if number.is_multiple_of(10) { "ERROR" } else { "INFO" };
        let time = format!("2026-03-02T{:02}:{:02}:00.000Z", number / 60, number % 60);
        let fields = json!({ "message": "block cleaned", "rows": number, "reason": "malformed" });
        json!({ "timestamp": time, "level": level, "fields": fields, "target": "etl" }).to_string() + "\n"
    };
    (0..count).map(line).collect()
}

fn ok(args: &[&str]) -> Finished {
    let finished = call(args);
    assert_eq!(finished.code, Some(0), "{args:?}: {}", finished.err);
    finished
}

fn with_input(args: &[&str], input: &[u8]) -> Finished {
    let mut command: Command = covidctl();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn condition_selects_lines_in_the_order_of_the_files() {
    let files = Files::new();
    let text = lines(120);
    let (first, second) =
        (files.write("b.jsonl", &text), files.write("a.jsonl", "level=error rows=7 msg=x\n"));
    let args = ["logs", "-o", "raw", "--where", "level = error and rows >= 5", "--file", &first, &second];
    let out = ok(&args).out;
    let expected: Vec<&str> = text.lines().filter(|line| line.contains("ERROR")).skip(1).collect();
    let mut printed: Vec<&str> = out.lines().collect();
    assert_eq!(printed.pop(), Some("level=error rows=7 msg=x"));
    assert_eq!(printed, expected);
    assert_eq!(ok(&["logs", "-o", "raw", "--file", &first]).out, text, "without a condition, every line");
}

#[test]
fn file_and_standard_input_have_the_formats_of_sources() {
    let files = Files::new();
    let file = files.write("etl.jsonl", lines(3));
    let text = ok(&["logs", "--utc", "--file", &file, "--tail", "1"]).out;
    assert_eq!(text, "2026-03-02 00:02:00.000Z etl.jsonl INFO  block cleaned reason=malformed rows=2\n");
    let out = with_input(&["logs", "--file", "-", "-o", "json"], lines(3).as_bytes()).out;
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 3);
    assert_eq!(
        (&events[1]["time"], &events[1]["source"]),
        (&json!("2026-03-02T00:01:00.000Z"), &json!("stdin"))
    );
    assert_eq!(events[1]["event_id"], format!("-:{}", lines(1).len()));
    let count =
        |args: &[&str]| ok(&[&["logs", "-o", "raw", "--file", &file], args].concat()).out.lines().count();
    assert_eq!(count(&["--since", "2026-03-02T00:01:00Z"]), 2);
    assert_eq!(count(&["--since", "2026-03-02T00:01:00Z", "--until", "2026-03-02T00:02:00Z"]), 1);
    assert_eq!(count(&["-g", "\"rows\":[12]"]), 2);
    assert_eq!(count(&["-x", "ERROR"]), 2);
    assert_eq!(count(&["--filter-pattern", "{ $.level = \"ERROR\" }"]), 1);
}

#[test]
fn trace_is_one_event() {
    let text = "2026-03-02 03:04:05,007 ERROR a :: failed\njava.lang.IllegalStateException: x\n\tat a.b(C.java:1)\nlater\n";
    let args = ["logs", "--file", "-", "-o", "raw", "--where", "exception =~ IllegalState"];
    let out = with_input(&args, text.as_bytes()).out;
    assert_eq!(out, text.trim_end_matches("later\n"));
}

#[test]
fn line_of_a_waiting_writer_is_printed_at_once() {
    let mut command = covidctl();
    command.args(["logs", "--file", "-", "-o", "raw"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(input, "line {number}").unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, format!("line {number}\n"));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn histogram_counts_by_level_with_empty_steps() {
    let files = Files::new();
    let file = files.write("a.jsonl", lines(30) + lines(91).lines().last().unwrap());
    let out = ok(&["logs", "--utc", "--file", &file, "--histogram", "30m"]).out;
    insta::assert_snapshot!(out);
    let out =
        ok(&["logs", "--file", &file, "--histogram", "30m", "-o", "json", "--where", "level = error"]).out;
    let steps: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(steps.as_array().unwrap().len(), 4);
    let expected = json!({ "time": "2026-03-02T00:00:00.000Z", "events": 3, "error": 3, "warn": 0, "info": 0, "debug": 0, "trace": 0, "other": 0 });
    assert_eq!(steps[0], expected);
}

#[test]
fn patterns_have_counts_and_times() {
    let files = Files::new();
    let file = files.write("a.jsonl", lines(30));
    let patterns: Value =
        serde_json::from_str(&ok(&["logs", "patterns", "--file", &file, "-o", "json"]).out).unwrap();
    let expected = json!([
        { "pattern": "block cleaned reason=malformed rows=<n>", "count": 27, "first": "2026-03-02T00:01:00.000Z", "last": "2026-03-02T00:29:00.000Z", "level": "INFO" },
        { "pattern": "block cleaned reason=malformed rows=<n>", "count": 3, "first": "2026-03-02T00:00:00.000Z", "last": "2026-03-02T00:20:00.000Z", "level": "ERROR" },
    ]);
    assert_eq!(patterns, expected);
    let text =
        ok(&["logs", "patterns", "--utc", "--file", &file, "--lines", "2", "--where", "level = error"]).out;
    insta::assert_snapshot!(text);
}

#[test]
fn hostile_text_is_escaped_in_every_output() {
    let hostile = "ERROR \x1b[2J\u{9b}31m \u{202e}x rows=1\n";
    for args in [
        &["logs", "--file", "-"][..],
        &["logs", "--file", "-", "-o", "raw"],
        &["logs", "--file", "-", "-o", "json"],
        &["logs", "patterns", "--file", "-", "--lines", "1"],
        &["logs", "patterns", "--file", "-", "--lines", "1", "-o", "json"],
    ] {
        let out = with_input(args, hostile.as_bytes()).out;
        let is_hostile = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!out.is_empty() && !out.contains(is_hostile), "{args:?}: {out:?}");
    }
    let files = Files::new();
    let file = files.write("\x1b[31mred", "x\n");
    assert!(!ok(&["logs", "--file", &file]).out.contains('\x1b'));
}

#[test]
fn wrong_arguments_point_at_the_place() {
    for (args, code, why) in [
        (&["logs", "--where", "level >= loud"][..], 2, "  level >= loud\n           ^^^^"),
        (&["logs", "--where", "rows > 2 and"], 2, "the name of a field is missing here"),
        (&["logs", "--file", "/nonexistent"], 1, "cannot read `/nonexistent`: No such file"),
        (&["logs", "--file", "/"], 2, "`/` is a directory"),
        (&["logs", "etl", "--file", "x"], 2, "cannot be used with"),
        (&["logs", "--file", "x", "--follow"], 2, "cannot be used with"),
        (&["logs", "--file", "x", "--histogram", "soon"], 2, "`soon` is not a duration"),
        (&["logs", "diff", "one"], 2, "required"),
    ] {
        let finished = call(args);
        assert_eq!((finished.code, finished.out.as_str()), (Some(code), ""), "{args:?}: {}", finished.err);
        assert!(finished.err.contains(why), "{args:?}: {}", finished.err);
    }
    assert!(with_input(&["logs", "--file", "-", "-g", "x"], b"a\n").err.contains("no event matches"));
}
