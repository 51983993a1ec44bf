//! Each screen with real data in it, and what can be done from it.

use crate::support::Target;
use crate::terminal::Terminal;

#[test]
fn the_demo_fills_every_screen_and_q_leaves_at_once() {
    let target = Target::new();
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&["demo", "--rows", "5000"]));
    let text = terminal.wait("the end of the demo", |text| text.contains("nothing holds it back"));
    for name in ["Overview", "Runs", "Logs", "Data", "Reports", "Tunnels"] {
        assert!(text.lines().nth(1).unwrap().contains(name), "{text}");
    }
    for (key, words) in [
        ("2", "succeeded"),
        ("3", "run succeeded"),
        ("4", "CONFIRMED BY WEEK"),
        ("5", "FILES"),
        ("6", "none is open"),
        ("1", "FRESHNESS"),
    ] {
        terminal.press(&[key]);
        terminal.see(words);
    }

    // One run, opened; one report, read.
    terminal.press(&["2", "Down", "Enter"]);
    let run = terminal.see("rows");
    assert!(run.contains("5,000 read"), "{run}");
    terminal.press(&["q", "5", "Enter"]);
    terminal.see("Covid-19 en Argentina");

    // A search, a filter, help, the palette.
    terminal.press(&["3", "/"]);
    terminal.tmux(&["send-keys", "-t", "t", "-l", "loaded="]);
    terminal.press(&["Enter"]);
    terminal.see("search loaded=");
    terminal.press(&["?"]);
    terminal.see("keys of Logs");
    terminal.press(&["Escape", ":"]);
    terminal.tmux(&["send-keys", "-t", "t", "-l", "grep report"]);
    terminal.press(&["Enter"]);
    terminal.see("filter report");

    terminal.press(&["q"]);
    let left = terminal.ended_with(0);
    assert!(!left.contains("goes on"), "{left}");
    assert_eq!(target.processes(), [""; 0], "PostgreSQL is stopped again");
}

#[test]
fn jobs_are_started_here_after_a_question_and_never_when_read_only() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let terminal = Terminal::new(120, 40);
    terminal.run(&target.command(&[]));
    terminal.press(&["2"]);
    terminal.see("succeeded");
    terminal.press(&["w"]);
    let question = terminal.see("Write a report?");
    assert!(question.contains(target.data().to_str().unwrap()), "it says where: {question}");
    terminal.press(&["Enter"]);
    terminal.wait("the question to go", |text| !text.contains("Write a report?"));
    terminal.press(&["w", "y"]);
    terminal.see("ended well");
    terminal.press(&["q"]);
    terminal.ended_with(0);
    let runs: serde_json::Value = serde_json::from_str(&target.ok(&["runs", "-o", "json"]).out).unwrap();
    let reports = runs.as_array().unwrap().iter().filter(|run| run["kind"] == "report").count();
    assert_eq!(reports, 2, "a no is a no: one by the demo, one from here");

    let terminal = Terminal::new(80, 24);
    let mut command = target.command(&["--read-only"]);
    terminal.run(command.env("NO_COLOR", "1"));
    terminal.press(&["2"]);
    terminal.see("READ-ONLY");
    terminal.press(&["w"]);
    terminal.see("this is read-only");
    // Foreground and background colours; what is bold or reversed stays.
    let text = terminal.colored();
    let colors = (30..=38).chain(40..=48).chain(90..=107);
    for color in colors {
        assert!(
            !text.contains(&format!("\x1b[{color}m")) && !text.contains(&format!(";{color}m")),
            "{text:?}"
        );
    }
    terminal.press(&["q"]);
    terminal.ended_with(0);
}

#[test]
fn where_nothing_is_yet_it_says_what_to_do_and_does_it() {
    let target = Target::new();
    let terminal = Terminal::new(100, 30);
    terminal.run(&target.command(&[]));
    terminal.see("`covidctl up` creates it");
    terminal.press(&["u"]);
    terminal.see("Bring the target up?");
    terminal.press(&["y"]);
    terminal.see("local is up");
    terminal.press(&["q"]);
    terminal.ended_with(0);
    assert_eq!(target.component("postgresql")["state"], "ready");
}

#[test]
fn the_mouse_opens_screens_and_selects_rows() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&[]));
    let text = terminal.see("2 Runs");
    terminal.click(&text, "2 Runs");
    let runs = terminal.wait("both runs", |text| text.matches("succeeded").count() >= 2);
    // The second row, by its kind, and then the same by a key.
    terminal.click(&runs, "etl");
    terminal.press(&["Enter"]);
    terminal.see("2,000 read");
    terminal.press(&["q", "q"]);
    terminal.ended_with(0);
}

#[test]
fn little_goes_over_the_link_where_little_changes() {
    let target = Target::new();
    let terminal = Terminal::new(200, 60);
    let sent = terminal.record();
    terminal.run(&target.command(&[]));
    terminal.see("creates it");
    terminal.press(&["6"]);
    terminal.see("none is open");
    let before = sent();
    for _ in 0..20 {
        terminal.press(&["?"]);
        terminal.see("keys of Tunnels");
        terminal.press(&["Escape"]);
        terminal.wait("the keys to go", |text| !text.contains("keys of Tunnels"));
    }
    let each = (sent() - before) / 40;
    terminal.press(&["q"]);
    terminal.ended_with(0);
    // A 200x60 screen has 12,000 cells, with colours three bytes each.
    assert!(each < 6000, "{each} bytes for a page of keys that comes or goes");
}
