//! Every exit restores the terminal and leaves the right processes running.

use clap::{CommandFactory as _, FromArgMatches as _};
use covidctl::cli::Cli;
use covidctl::settings::Settings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::Target;
use crate::terminal::Terminal;

#[test]
fn signal_restores_the_terminal_and_sets_the_exit_code() {
    let target = Target::new();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let terminal = Terminal::new(80, 24);
        terminal.run(&target.command(&[]));
        terminal.see("creates it");
        kill(Pid::from_raw(terminal.child()), signal).unwrap();
        terminal.ended_with(code);
    }
}

#[test]
fn suspended_screens_resume_in_a_resized_window() {
    let target = Target::new();
    let terminal = Terminal::new(100, 30);
    terminal.run(&target.command(&[]));
    terminal.see("creates it");
    for round in 0..2 {
        if round == 0 {
            terminal.press(&["C-z"]);
        } else {
            // The signal from another process.
            kill(Pid::from_raw(terminal.child()), Signal::SIGTSTP).unwrap();
        }
        terminal.see("Stopped");
        terminal.tmux(&["resize-window", "-t", "t", "-x", "90", "-y", "24"]);
        terminal.shell("clear; fg");
        let text = terminal.see("1 Overview");
        assert!(!text.contains("Stopped"), "{text}");
    }
    terminal.press(&["6"]);
    terminal.see("none is open");
    terminal.press(&["C-c"]);
    terminal.ended_with(0);
}

/// Not a test: the program that the next test runs, whose screens panic after the first frame.
#[test]
#[ignore = "run by the next test in a terminal"]
fn panics() {
    let matches = Cli::command().get_matches_from(["covidctl", "--data-dir", "/nowhere"]);
    let settings = Settings::resolve(&Cli::from_arg_matches(&matches).unwrap().globals, &matches).unwrap();
    let target = covidctl::connect::target(&settings, std::sync::Arc::new(|_| {})).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let work = async { panic!("deliberate panic") };
    let screens = covidctl::tui::run(&settings, target, |_| Some(Box::pin(work)));
    drop(runtime.block_on(screens));
}

#[test]
fn panic_restores_the_terminal_before_its_message() {
    let terminal = Terminal::new(80, 24);
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    program.args(["exit::panics", "--exact", "--ignored", "--nocapture"]).env("RUST_BACKTRACE", "0");
    terminal.run(&program);
    let text = terminal.ended_with(101);
    assert!(text.contains("deliberate panic"), "{text}");
}

#[test]
fn hangup_ends_the_screens() {
    let target = Target::new();
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&[]));
    terminal.see("creates it");
    let child = Pid::from_raw(terminal.child());
    drop(terminal);
    // The process has ended when it can no longer be signalled. The harness limits the wait.
    while kill(child, None).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn screens_end_with_hang_up_status_when_the_terminal_goes_away() {
    let target = Target::new();
    let terminal = Terminal::new(80, 24);
    let (code, log) = (target.data().with_extension("code"), target.data().with_extension("log"));
    // The shell survives, and writes the status down.
    terminal.shell("trap '' HUP");
    let mut shell = std::process::Command::new("bash");
    let program = target.command(&[]);
    let words: Vec<_> = program.get_args().map(|word| word.display().to_string()).collect();
    let line = format!(
        "{} {} 2>{}; echo $? >{}",
        program.get_program().display(),
        words.join(" "),
        log.display(),
        code.display()
    );
    terminal.run(shell.args(["-c", &line]));
    terminal.see("creates it");
    drop(terminal);
    let written = || std::fs::read_to_string(&code).unwrap_or_default();
    while !written().ends_with('\n') {
        std::thread::yield_now();
    }
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(written(), "129\n", "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn screens_need_a_terminal_that_moves_the_cursor() {
    let target = Target::new();
    for term in ["dumb", ""] {
        let terminal = Terminal::new(80, 24);
        terminal.run(target.command(&[]).env("TERM", term));
        terminal.see("hint: ");
        terminal.ended_with(2);
    }
}

#[test]
fn keys_work_while_the_database_hangs() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let server = Hung(Pid::from_raw(target.postmaster().unwrap()));
    kill(server.0, Signal::SIGSTOP).unwrap();
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&[]));
    terminal.see("1 Overview");
    for (key, words) in [("2", "e etl"), ("4", "PUBLISHED"), ("6", "none is open"), ("?", "keys of Tunnels")]
    {
        terminal.press(&[key]);
        terminal.see(words);
    }
    terminal.press(&["Escape", "q"]);
    terminal.ended_with(0);
    drop(server);
}

/// A stopped server process; continued on drop, so that it can be shut down.
struct Hung(Pid);

impl Drop for Hung {
    fn drop(&mut self) {
        kill(self.0, Signal::SIGCONT).ok();
    }
}

#[test]
fn exit_lists_runs_that_continue() {
    let target = Target::new();
    target.ok(&["up"]);
    let terminal = Terminal::new(120, 30);
    // Enough rows that the sample is still being generated at the exit.
    terminal.run(&target.command(&["demo", "--rows", "50000000"]));
    terminal.see("writing a sample");
    terminal.wait("the run", |text| text.contains("1 active"));
    terminal.press(&["q"]);
    terminal.ended_with(0);
    assert!(
        target.processes().iter().all(|line| !line.contains("covidctl-run")),
        "the sample job ends with the demo"
    );

    // The run of another process continues.
    let mut other = target.command(&["demo", "--headless", "--rows", "50000000"]);
    let mut other = other.stderr(std::process::Stdio::null()).spawn().unwrap();
    terminal.run(&target.command(&[]));
    terminal.wait("the run", |text| text.contains("1 active"));
    terminal.press(&["q"]);
    let text = terminal.ended_with(0);
    assert!(text.contains("sample goes on"), "{text}");
    kill(Pid::from_raw(other.id().cast_signed()), Signal::SIGTERM).unwrap();
    other.wait().unwrap();
}
