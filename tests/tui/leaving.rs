//! Every way out leaves the shell clean, and children as they should be.

use clap::{CommandFactory as _, FromArgMatches as _};
use covidctl::cli::Cli;
use covidctl::settings::Settings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::Target;
use crate::terminal::Terminal;

#[test]
fn signals_give_the_terminal_back_and_are_told_by_the_code() {
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
fn it_can_be_stopped_and_goes_on_and_the_window_may_change_meanwhile() {
    let target = Target::new();
    let terminal = Terminal::new(100, 30);
    terminal.run(&target.command(&[]));
    terminal.see("creates it");
    for round in 0..2 {
        if round == 0 {
            terminal.press(&["C-z"]);
        } else {
            // The same from elsewhere.
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

/// No test by itself: the program that the next one starts, whose screens break after they were drawn.
#[test]
#[ignore = "the next test starts it, in a terminal"]
fn breaks() {
    let matches = Cli::command().get_matches_from(["covidctl", "--data-dir", "/nowhere"]);
    let settings = Settings::resolve(&Cli::from_arg_matches(&matches).unwrap().globals, &matches).unwrap();
    let target = covidctl::connect::target(&settings, std::sync::Arc::new(|_| {})).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let screens = covidctl::tui::run(&settings, target, |_| Some(Box::pin(async { panic!("it broke") })));
    drop(runtime.block_on(screens));
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let terminal = Terminal::new(80, 24);
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    program.args(["leaving::breaks", "--exact", "--ignored", "--nocapture"]).env("RUST_BACKTRACE", "0");
    terminal.run(&program);
    let text = terminal.ended_with(101);
    assert!(text.contains("it broke"), "the report can be read: {text}");
}

#[test]
fn a_lost_terminal_is_the_end() {
    let target = Target::new();
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&[]));
    terminal.see("creates it");
    let child = Pid::from_raw(terminal.child());
    drop(terminal);
    // It is gone when there is nothing to signal any more; the harness bounds the wait.
    while kill(child, None).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn a_database_that_hangs_stops_no_key() {
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

/// A server that does not answer; it goes on in the end, so that it can be stopped.
struct Hung(Pid);

impl Drop for Hung {
    fn drop(&mut self) {
        kill(self.0, Signal::SIGCONT).ok();
    }
}

#[test]
fn what_goes_on_is_named() {
    let target = Target::new();
    target.ok(&["up"]);
    let terminal = Terminal::new(120, 30);
    // So many rows that the sample is certainly being made when somebody leaves.
    terminal.run(&target.command(&["demo", "--rows", "50000000"]));
    terminal.see("writing a sample");
    terminal.wait("the run", |text| text.contains("1 in progress"));
    terminal.press(&["q"]);
    terminal.ended_with(0);
    assert!(
        target.processes().iter().all(|line| !line.contains("covidctl-run")),
        "a sample ends with the demo"
    );

    // Somebody else's run is nobody's to end.
    let mut other = target.command(&["demo", "--headless", "--rows", "50000000"]);
    let mut other = other.stderr(std::process::Stdio::null()).spawn().unwrap();
    terminal.run(&target.command(&[]));
    terminal.wait("the run", |text| text.contains("1 in progress"));
    terminal.press(&["q"]);
    let text = terminal.ended_with(0);
    assert!(text.contains("sample goes on"), "{text}");
    kill(Pid::from_raw(other.id().cast_signed()), Signal::SIGTERM).unwrap();
    other.wait().unwrap();
}
