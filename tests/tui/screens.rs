//! The screens with real data, and the actions on them.

use crate::support::Target;
use crate::terminal::Terminal;

#[test]
fn demo_fills_every_screen_and_q_quits() {
    let target = Target::new();
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&["demo", "--rows", "5000"]));
    let text = terminal.wait("the end of the demo", |text| text.contains("up to date"));
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

    // The details of a run, and the text of a report.
    terminal.press(&["2", "Down", "Enter"]);
    let run = terminal.see("rows");
    assert!(run.contains("5,000 read"), "{run}");
    terminal.press(&["q", "5", "Enter"]);
    terminal.see("Covid-19 en Argentina");

    // Search, help, palette and filter.
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
fn screens_and_messages_are_ascii_in_a_c_locale() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    for locale in ["C", "POSIX"] {
        let terminal = Terminal::new(120, 40);
        terminal.run(target.command(&[]).env("LC_ALL", locale));
        for (key, words) in [
            ("1", "FRESHNESS"),
            ("2", "succeeded"),
            ("3", "run succeeded"),
            ("4", "CONFIRMED BY WEEK"),
            ("6", "none is open"),
        ] {
            terminal.press(&[key]);
            let text = terminal.see(words);
            assert!(text.is_ascii(), "{text}");
        }
        terminal.press(&["?"]);
        let help = terminal.see("keys of Tunnels");
        assert!(help.is_ascii(), "{help}");
        terminal.press(&["Escape", "q"]);
        terminal.ended_with(0);
    }
    let histogram = ["logs", "--histogram", "1m", "--since", "1h"];
    for words in [&["logs", "patterns", "--since", "1h"][..], &histogram, &["tunnel", "--help"], &["--help"]]
    {
        let output = target.command(words).env("LC_ALL", "C").output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{words:?}: {output:?}");
        assert!(output.stdout.is_ascii() && output.stderr.is_ascii(), "{words:?}: {output:?}");
    }
    let unicode = target.command(&histogram).env("LC_ALL", "C.UTF-8").output().unwrap();
    assert!(!unicode.stdout.is_ascii(), "{unicode:?}");
}

#[test]
fn job_starts_after_confirmation_and_never_if_read_only() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let terminal = Terminal::new(120, 40);
    terminal.run(&target.command(&[]));
    terminal.press(&["2"]);
    terminal.see("succeeded");
    terminal.press(&["w"]);
    let question = terminal.see("Write a report?");
    assert!(
        question.contains(target.data().to_str().unwrap()),
        "the question names the location: {question}"
    );
    terminal.press(&["Enter"]);
    terminal.wait("the question to go", |text| !text.contains("Write a report?"));
    terminal.press(&["w", "y"]);
    let notice = |line: &str| line.starts_with(" · report ") && line.trim_end().ends_with("succeeded");
    terminal.wait("the notice", |text| text.lines().any(notice));
    terminal.press(&["q"]);
    terminal.ended_with(0);
    let runs: serde_json::Value = serde_json::from_str(&target.ok(&["runs", "-o", "json"]).out).unwrap();
    let reports = runs.as_array().unwrap().iter().filter(|run| run["kind"] == "report").count();
    assert_eq!(reports, 2, "one by the demo, one confirmed here");

    let terminal = Terminal::new(80, 24);
    let mut command = target.command(&["--read-only"]);
    terminal.run(command.env("NO_COLOR", "1"));
    terminal.press(&["2"]);
    terminal.see("READ-ONLY");
    terminal.press(&["w"]);
    terminal.see("this is read-only");
    // Foreground and background colours; bold and reversed are allowed.
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
fn empty_target_is_brought_up_from_its_hint() {
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
fn mouse_shows_screens_and_selects_rows() {
    let target = Target::new();
    target.ok(&["demo", "--headless", "--rows", "2000"]);
    target.ok(&["up"]);
    let terminal = Terminal::new(80, 24);
    terminal.run(&target.command(&[]));
    let text = terminal.see("2 Runs");
    terminal.click(&text, "2 Runs");
    // The overview shows runs, too, in other rows.
    let has_both = |text: &str| text.contains("90 days") && text.matches("succeeded").count() >= 2;
    let runs = terminal.wait("both runs", has_both);
    // Selects the second row by a click on its kind.
    terminal.click(&runs, "etl");
    let is_selected =
        |line: &str| line.contains("etl") && line.contains("succeeded") && line.contains("\x1b[7m");
    terminal.wait("the selection", |_| terminal.colored().lines().any(is_selected));
    terminal.press(&["Enter"]);
    terminal.see("2,000 read");
    terminal.press(&["q", "q"]);
    terminal.ended_with(0);
}

#[test]
fn small_change_writes_little_to_the_terminal() {
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
