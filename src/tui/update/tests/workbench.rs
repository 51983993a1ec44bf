//! Logs as data, the comparison of runs, the database, the checks, and notices.

use super::*;
use crate::tui::domain::{Check, Component, ComponentState, MonthCost, ResourceHistory, Run};
use crate::tui::model::health::Measurements;

/// A model that shows these lines, one a minute.
fn with_lines(lines: &[&str]) -> Model {
    let mut model = fresh();
    model.show(Screen::Logs);
    let effects = update(&mut model, Msg::Tick { now: at(0) });
    let request = effects.iter().find_map(|effect| match effect {
        Effect::Request(id, Request::Logs { .. }) => Some(*id),
        _ => None,
    });
    let request = request.unwrap();
    update(&mut model, Msg::Logs(request, LogEvent::Sources(vec!["etl".to_owned(), "postgres".to_owned()])));
    let event = |(minute, line): (i64, &&str)| {
        let event = crate::tui::domain::Event {
            time: at(minute * 60).timestamp_millis(),
            ingested: 0,
            group: String::new(),
            stream: "run".to_owned(),
            event_id: String::new(),
            message: (*line).to_owned(),
        };
        crate::tui::model::logs::ParsedEvent::new(crate::tui::domain::MergedEvent {
            source: 0,
            event,
            late: None,
        })
    };
    let events = (0..).zip(lines).map(event).collect();
    update(&mut model, Msg::Logs(request, LogEvent::Lines(events)));
    model
}

fn selected(model: &Model) -> String {
    model.logs.buffer.at(model.logs.at).map(|(_, row)| row.text.to_string()).unwrap_or_default()
}

fn enter(model: &mut Model, text: &str) -> Vec<Effect> {
    type_text(model, text);
    execute(model, Command::Submit)
}

const LINES: [&str; 5] = [
    r#"{"level":"INFO","message":"loaded","rows":1}"#,
    r#"{"level":"ERROR","message":"failed","rows":2}"#,
    r#"{"level":"INFO","message":"loaded","rows":3}"#,
    r#"{"level":"ERROR","message":"failed","rows":4}"#,
    "plain",
];

#[test]
fn condition_selects_lines_and_escape_removes_it() {
    let mut model = with_lines(&LINES);
    execute(&mut model, Command::Where);
    enter(&mut model, "level = error and rows > 2");
    assert_eq!((model.logs.buffer.shown(), selected(&model).as_str()), (1, "failed rows=4"));
    execute(&mut model, Command::Back);
    assert_eq!(model.logs.buffer.shown(), 5);
}

#[test]
fn wrong_condition_stays_open_with_the_cursor_at_the_place() {
    let mut model = with_lines(&LINES);
    execute(&mut model, Command::Where);
    enter(&mut model, "level >= loud");
    let input = input(&model);
    assert_eq!(input.input.cursor(), 9);
    assert!(input.error.as_ref().is_some_and(|error| error.contains("`loud` is not a level")), "{input:?}");
    assert_eq!(model.logs.buffer.shown(), 5);
}

#[test]
fn condition_is_completed_from_the_fields_of_the_log() {
    let mut model = with_lines(&LINES);
    execute(&mut model, Command::Where);
    type_text(&mut model, "ro");
    execute(&mut model, Command::Complete);
    assert_eq!(input(&model).input.value(), "rows ");
    type_text(&mut model, "> 1 and lev");
    execute(&mut model, Command::Complete);
    assert_eq!(input(&model).input.value(), "rows > 1 and level ");
}

#[test]
fn errors_and_times_are_selected() {
    let mut model = with_lines(&LINES);
    execute(&mut model, Command::PreviousError);
    assert_eq!(selected(&model), "failed rows=4");
    execute(&mut model, Command::PreviousError);
    assert_eq!(selected(&model), "failed rows=2");
    execute(&mut model, Command::NextError);
    assert_eq!(selected(&model), "failed rows=4");
    assert!(!model.logs.following, "the selection stays");
    execute(&mut model, Command::GoToTime);
    let time = at(120).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    enter(&mut model, &time);
    assert_eq!(selected(&model), "loaded rows=3");
    execute(&mut model, Command::Mark);
    execute(&mut model, Command::NextMark);
    assert!(model.logs.buffer.at(model.logs.at).is_some_and(|(_, row)| row.source.is_none()));
}

#[test]
fn pattern_unfolds_to_its_lines() {
    let mut model = with_lines(&LINES);
    execute(&mut model, Command::Patterns);
    assert!(matches!(model.overlay, Some(Overlay::Patterns(_))));
    let templates: Vec<_> =
        model.logs.patterns.iter().map(|pattern| (pattern.template.as_str(), pattern.count)).collect();
    assert_eq!(templates, [("failed rows=<n>", 2), ("loaded rows=<n>", 2), ("plain", 1)]);
    execute(&mut model, Command::Submit);
    assert_eq!((model.logs.buffer.shown(), selected(&model).as_str()), (2, "failed rows=4"));
    execute(&mut model, Command::Back);
    assert_eq!(model.logs.buffer.shown(), 5);
}

#[test]
fn event_is_copied_as_json_with_its_original_message() {
    let mut model = with_lines(&LINES[..1]);
    let effects = execute(&mut model, Command::CopyJson);
    let [Effect::Copy(json)] = effects.as_slice() else { panic!("{effects:?}") };
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        (&json["source"], &json["level"], &json["message"]),
        (&"etl".into(), &"INFO".into(), &LINES[0].into())
    );
}

#[test]
fn log_of_the_server_is_hidden_until_it_is_chosen() {
    let model = with_lines(&LINES);
    let hidden: Vec<_> =
        model.logs.sources.iter().map(|source| (source.name.as_str(), source.hidden)).collect();
    assert_eq!(hidden, [("etl", false), ("postgres", true)]);
}

#[test]
fn end_of_a_run_gives_one_notice() {
    let mut model = fresh();
    let request = |effects: &[Effect], wanted: fn(&Request) -> bool| {
        effects.iter().find_map(|effect| match effect {
            Effect::Request(id, request) if wanted(request) => Some(*id),
            _ => None,
        })
    };
    let run = Uuid::from_u128(7);
    let first = update(&mut model, Msg::Tick { now: at(0) });
    let active = vec![ActiveRun { run, kind: JobKind::Etl, started_at: at(0) }];
    let id = request(&first, |request| *request == Request::Active).unwrap();
    update(&mut model, Msg::Active(id, Ok(active)));
    let next = update(&mut model, Msg::Tick { now: at(4) });
    let id = request(&next, |request| *request == Request::Active).unwrap();
    let reload = update(&mut model, Msg::Active(id, Ok(Vec::new())));
    let id = request(&reload, |request| *request == Request::Runs).unwrap();
    let ended =
        Run { status: "failed".to_owned(), finished_at: Some(at(3)), ..Run::begun(run, "etl", at(0)) };
    let effects = update(&mut model, Msg::Runs(id, Ok(vec![ended])));
    assert_eq!(effects, [Effect::Notify(format!("run etl {} failed", &run.to_string()[..8]))]);
    assert!(model.runs.awaited.is_empty());
}

#[test]
fn run_that_ends_before_it_is_listed_as_active_gives_a_notice() {
    let mut model = fresh();
    let run = Uuid::from_u128(7);
    update(&mut model, Msg::RunStarted(run));
    let effects = update(&mut model, Msg::Done("etl 00000000 succeeded".to_owned()));
    let id = effects.iter().find_map(|effect| match effect {
        Effect::Request(id, Request::Runs) => Some(*id),
        _ => None,
    });
    let ended =
        Run { status: "succeeded".to_owned(), finished_at: Some(at(1)), ..Run::begun(run, "etl", at(0)) };
    let effects = update(&mut model, Msg::Runs(id.unwrap(), Ok(vec![ended])));
    assert_eq!(effects, [Effect::Notify(format!("run etl {} succeeded", &run.to_string()[..8]))]);
    // An older answer about active runs arrives, and a newer one.
    model.runs.wait_for(run);
    assert!(model.runs.awaited.is_empty(), "one notice");
}

#[test]
fn check_that_begins_to_fail_gives_a_notice() {
    let mut model = fresh();
    model.show(Screen::Health);
    let receive = |model: &mut Model, second: i64, check: Check| {
        let effects = update(model, Msg::Tick { now: at(second) });
        let id = effects.iter().find_map(|effect| match effect {
            Effect::Request(id, Request::Checks) => Some(*id),
            _ => None,
        });
        update(model, Msg::Checks(id.unwrap(), Ok(vec![Check::ok("a", "x"), check])))
    };
    assert_eq!(receive(&mut model, 0, Check::ok("database", "x")), []);
    let failed = || Check::failed("database", "text of a log", "covidctl up");
    assert_eq!(receive(&mut model, 40, failed()), [Effect::Notify("the check database fails".to_owned())]);
    assert_eq!(model.health.checks.items()[0].name, "database", "the worst is first");
    assert_eq!(receive(&mut model, 80, failed()), [], "once");
    let component = |state| Component::new("postgresql", state, "x");
    let location = model.location.clone();
    let components = |model: &mut Model, second: i64, state| {
        let effects = update(model, Msg::Tick { now: at(second) });
        let id = effects.iter().find_map(|effect| match effect {
            Effect::Request(id, Request::Components) => Some(*id),
            _ => None,
        });
        update(model, Msg::Components(id.unwrap(), Ok((vec![component(state)], location.clone()))))
    };
    assert_eq!(components(&mut model, 200, ComponentState::Ready), []);
    let effects = components(&mut model, 300, ComponentState::Failed);
    assert_eq!(effects, [Effect::Notify("postgresql fails".to_owned())]);
}

#[test]
fn run_is_compared_with_the_last_good_one_before_it() {
    let mut model = fixture("runs", SIZE);
    execute(&mut model, Command::Bottom);
    assert!(execute(&mut model, Command::CompareRun).is_empty(), "the first run has none before it");
    execute(&mut model, Command::Top);
    let effects = execute(&mut model, Command::CompareRun);
    let [Effect::Request(_, Request::CompareRuns { before, after })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let run = |id: &Uuid| model.runs.history.items().iter().find(|run| run.run_id == *id).unwrap();
    assert_eq!((run(before).kind.as_str(), run(before).status.as_str()), ("etl", "succeeded"));
    assert!(run(before).started_at < run(after).started_at);
}

#[test]
fn session_is_ended_after_a_question_and_not_with_read_only() {
    let mut model = fixture("database", SIZE);
    execute(&mut model, Command::EndSession);
    assert_eq!(confirmation(&model).question, "End this session?");
    let effects = execute(&mut model, Command::Yes);
    assert!(matches!(effects.as_slice(), [Effect::EndSession { terminate: true, .. }]), "{effects:?}");
    execute(&mut model, Command::CancelQuery);
    assert_eq!(execute(&mut model, Command::No), []);
    model.read_only = true;
    execute(&mut model, Command::EndSession);
    assert!(model.overlay.is_none() && model.notice.as_ref().is_some_and(|notice| notice.is_error));
}

#[test]
fn metrics_of_cloudwatch_are_requested_once_a_minute() {
    let requested = |target: &str| {
        let mut model = fixture(target, SIZE);
        model.show(Screen::Health);
        let start = model.now;
        let ticks = (0..60).map(|second| Msg::Tick { now: start + TimeDelta::seconds(second) });
        let mut count = 0;
        for tick in ticks.collect::<Vec<_>>() {
            for effect in update(&mut model, tick) {
                if let Effect::Request(id, Request::Metrics) = effect {
                    count += 1;
                    update(&mut model, Msg::Metrics(id, Ok(Measurements::default())));
                }
            }
        }
        count
    };
    assert_eq!(requested("overview-aws"), 1);
    assert!(requested("overview") > 5, "this machine costs nothing");
}

#[test]
fn cost_is_asked_for_once_and_shown_again_without_a_question() {
    let mut model = fixture("health-aws", SIZE);
    execute(&mut model, Command::Cost);
    assert_eq!(execute(&mut model, Command::No), []);
    execute(&mut model, Command::Cost);
    assert_eq!(confirmation(&model).question, "Ask Cost Explorer what this month costs?");
    let effects = execute(&mut model, Command::Yes);
    let [Effect::Request(id, Request::Cost)] = effects.as_slice() else { panic!("{effects:?}") };
    // The answer is charged: a second question does not replace the first.
    execute(&mut model, Command::Cost);
    assert!(model.overlay.is_none());
    update(&mut model, Msg::Cost(*id, Ok(MonthCost::default())));
    assert!(matches!(model.overlay, Some(Overlay::Text { .. })));
    execute(&mut model, Command::Back);
    assert_eq!(execute(&mut model, Command::Cost), []);
    assert!(matches!(model.overlay, Some(Overlay::Text { .. })), "known");
}

#[test]
fn late_changes_replace_no_overlay() {
    let mut model = fixture("health-aws", SIZE);
    let effects = execute(&mut model, Command::Changes);
    let [Effect::Request(id, Request::Changes)] = effects.as_slice() else { panic!("{effects:?}") };
    execute(&mut model, Command::Help);
    update(&mut model, Msg::Changes(*id, Ok(ResourceHistory::default())));
    assert!(matches!(model.overlay, Some(Overlay::Help(_))));

    let mut local = fixture("health", SIZE);
    assert_eq!(execute(&mut local, Command::Changes), [], "a local target has no account");
}
