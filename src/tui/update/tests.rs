//! Tests of `update`: messages in, model and effects out.

mod typing;
mod workbench;

use chrono::{DateTime, TimeDelta, Utc};
use tui_input::InputRequest;
use uuid::Uuid;

use super::*;
use crate::tui::domain::{ActiveRun, JobKind, Location};
use crate::tui::fixtures::{AWS, LOCAL, fixture, many_lines};
use crate::tui::layout;
use crate::tui::model::logs::LogBuffer;
use crate::tui::model::overlay::{Confirm, Overlay, Purpose, TextInput};
use crate::tui::model::tunnels::TunnelState;
use crate::tui::model::{
    Command, Layer, LogEvent, Request, RequestId, Route, Screen, SwitchTarget, TunnelEvent, UserError,
};

const SIZE: (u16, u16) = (80, 24);

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn fresh() -> Model {
    let location = Location { target: "local".into(), location: "/data".into(), capabilities: LOCAL };
    let zone = chrono::FixedOffset::east_opt(0).unwrap();
    Model::new(location, ["local", "aws"].map(str::to_owned).into(), false, at(0), zone, SIZE)
}

fn execute(model: &mut Model, command: Command) -> Vec<Effect> {
    update(model, Msg::Command(command))
}

fn type_text(model: &mut Model, text: &str) {
    for character in text.chars() {
        update(model, Msg::Edit(InputRequest::InsertChar(character)));
    }
}

#[track_caller]
fn input(model: &Model) -> &TextInput {
    match &model.overlay {
        Some(Overlay::Input(input)) => input,
        other => panic!("no input is open: {other:?}"),
    }
}

#[track_caller]
fn confirmation(model: &Model) -> &Confirm {
    match &model.overlay {
        Some(Overlay::Confirm(confirm)) => confirm,
        other => panic!("no question is open: {other:?}"),
    }
}

#[test]
fn tick_requests_what_is_due_and_not_what_is_pending() {
    let mut model = fresh();
    let effects = update(&mut model, Msg::Tick { now: at(0) });
    let kinds = |effects: &[Effect]| {
        let active = effects.iter().any(|effect| matches!(effect, Effect::Request(_, Request::Active)));
        let components =
            effects.iter().any(|effect| matches!(effect, Effect::Request(_, Request::Components)));
        (active, components)
    };
    assert_eq!(kinds(&effects), (true, true));
    assert!(update(&mut model, Msg::Tick { now: at(5) }).is_empty(), "no response yet");
    let Effect::Request(id, Request::Active) = effects[0] else { panic!("{effects:?}") };
    update(&mut model, Msg::Active(id, Ok(Vec::new())));
    assert_eq!(kinds(&update(&mut model, Msg::Tick { now: at(6) })), (true, false));
    // After the timeout a pending request is repeated.
    assert_eq!(kinds(&update(&mut model, Msg::Tick { now: at(31) })), (false, true));
}

#[test]
fn new_active_run_reloads_and_idle_target_is_polled_for_runs_only() {
    let mut model = fresh();
    for effect in update(&mut model, Msg::Tick { now: at(0) }) {
        match effect {
            Effect::Request(id, Request::Active) => update(&mut model, Msg::Active(id, Ok(Vec::new()))),
            Effect::Request(id, Request::Components) => {
                let response = Ok((Vec::new(), model.location.clone()));
                update(&mut model, Msg::Components(id, response))
            }
            Effect::Request(id, Request::Runs) => update(&mut model, Msg::Runs(id, Ok(Vec::new()))),
            _ => Vec::new(),
        };
    }
    let effects = update(&mut model, Msg::Tick { now: at(3) });
    let [Effect::Request(id, Request::Active)] = effects[..] else {
        panic!("only active runs are due: {effects:?}")
    };
    let active = vec![ActiveRun { run: Uuid::from_u128(1), kind: JobKind::Etl, started_at: at(2) }];
    let effects = update(&mut model, Msg::Active(id, Ok(active)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Request(_, Request::Runs))), "{effects:?}");
}

#[test]
fn stale_response_changes_nothing() {
    let mut model = fresh();
    update(&mut model, Msg::Tick { now: at(0) });
    update(&mut model, Msg::Components(RequestId(99), Err(UserError::new("old", "retry"))));
    assert!(model.overview.components.error.is_none());
    execute(&mut model, Command::Show(Screen::Logs));
    let older = model.logs.request.unwrap();
    execute(&mut model, Command::ExtendWindow);
    update(&mut model, Msg::Logs(older, LogEvent::Lines(many_lines(3))));
    assert_eq!(model.logs.buffer.len(), 0, "lines of the previous window");
}

#[test]
fn close_goes_back_from_a_page_and_quits_from_the_top_level() {
    let mut model = fixture("run", SIZE);
    assert_eq!(model.layer(), Layer::Page(Screen::Runs));
    execute(&mut model, Command::Close);
    assert_eq!((model.layer(), model.quit), (Layer::Screen(Screen::Runs), false));
    execute(&mut model, Command::Close);
    assert!(model.quit);
}

#[test]
fn open_shows_the_detail_of_a_failed_component_and_the_screen_of_a_healthy_one() {
    let mut model = fixture("overview-aws", SIZE);
    execute(&mut model, Command::Bottom);
    execute(&mut model, Command::Open);
    let Some(Overlay::Text { title, lines, .. }) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert_eq!(title, "alarms: failed");
    assert!(lines.concat().contains("non-zero exit code"), "{lines:?}");
    execute(&mut model, Command::Back);
    execute(&mut model, Command::Up);
    execute(&mut model, Command::Open);
    assert_eq!(model.screen, Screen::Tunnels, "the bastion");
}

#[test]
fn rerun_of_a_load_has_the_same_years() {
    // The third row is the successful load. The first one is active, and excludes another.
    let mut model = fixture("runs", SIZE);
    model.runs.active.value = Some(Vec::new());
    execute(&mut model, Command::Down);
    execute(&mut model, Command::Down);
    execute(&mut model, Command::Rerun);
    let confirm = confirmation(&model);
    assert!(confirm.details.contains(&("years", "2022".to_owned())), "{confirm:?}");
    assert_eq!(
        confirm.effects,
        [Effect::StartJobs { kinds: vec![JobKind::Etl], years: Some("2022".to_owned()) }]
    );
}

#[test]
fn bring_up_on_aws_is_left_to_the_command_line() {
    let mut model = fixture("overview-aws", SIZE);
    execute(&mut model, Command::BringUp);
    assert!(model.overlay.is_none() && model.notice.as_ref().is_some_and(|notice| notice.is_error));
}

#[test]
fn changes_need_a_confirmation_that_names_the_target() {
    for (name, command) in [
        ("runs", Command::Stop),
        ("runs", Command::StartReport),
        ("overview", Command::BringUp),
        ("tunnels", Command::CloseTunnel),
        ("tunnels-background", Command::CloseTunnel),
    ] {
        let mut model = fixture(name, SIZE);
        assert!(execute(&mut model, command).is_empty(), "{command:?}");
        let confirm = confirmation(&model).clone();
        let names: Vec<&str> = confirm.details.iter().map(|(name, _)| *name).collect();
        assert!(names.contains(&"target") && names.contains(&"location"), "{names:?}");
        assert!(execute(&mut model, Command::No).is_empty());
        assert!(model.overlay.is_none());
        execute(&mut model, command);
        assert_eq!(execute(&mut model, Command::Yes), confirm.effects);
        assert!(!confirm.effects.is_empty());
    }
}

#[test]
fn read_only_rejects_every_change_with_a_hint() {
    for binding in crate::tui::keys::BINDINGS.iter().filter(|binding| binding.command.changes_target()) {
        let mut model = fixture("read-only", SIZE);
        assert!(execute(&mut model, binding.command).is_empty());
        assert!(model.overlay.is_none(), "{:?}", binding.command);
        assert!(model.notice.unwrap().hint.unwrap().contains("--read-only"));
    }
}

#[test]
fn start_is_rejected_while_the_job_is_running() {
    let mut model = fixture("runs", SIZE);
    assert!(model.runs.active.value.as_ref().is_some_and(|active| active[0].kind == JobKind::Etl));
    execute(&mut model, Command::StartEtl);
    assert!(model.overlay.is_none());
    assert!(model.notice.unwrap().text.contains("already running"));
}

#[test]
fn stopped_run_is_marked_as_stopping_until_it_ends() {
    let mut model = fixture("confirm", SIZE);
    let run = model.runs.selected().unwrap();
    assert_eq!(execute(&mut model, Command::Yes), [Effect::StopRun(run)]);
    assert_eq!(model.runs.stopping, [run]);
    let effects = execute(&mut model, Command::Refresh);
    let id = effects.iter().find_map(|effect| match effect {
        Effect::Request(id, Request::Active) => Some(*id),
        _ => None,
    });
    update(&mut model, Msg::Active(id.unwrap(), Ok(Vec::new())));
    assert!(model.runs.stopping.is_empty());
}

#[test]
fn selection_stays_on_its_run_when_newer_ones_arrive() {
    let mut model = fixture("runs", SIZE);
    execute(&mut model, Command::Down);
    execute(&mut model, Command::Down);
    let run = model.runs.selected();
    let mut active = model.runs.active.value.clone().unwrap();
    active.push(ActiveRun { run: Uuid::from_u128(7), kind: JobKind::Report, started_at: at(0) });
    let mut history = model.runs.history.value.clone().unwrap();
    let mut newer = history[1].clone();
    newer.run_id = Uuid::from_u128(8);
    history.insert(0, newer);
    let Effect::Request(id, _) = requests::start(&mut model, Request::Runs) else { panic!() };
    update(&mut model, Msg::Runs(id, Ok(history)));
    assert_eq!(model.runs.selected(), run);
}

#[test]
fn following_shows_the_newest_line_and_pausing_keeps_the_position() {
    let mut model = fixture("logs", SIZE);
    let id = model.logs.request.unwrap();
    let lines = |count| Msg::Logs(id, LogEvent::Lines(many_lines(count)));
    update(&mut model, lines(200));
    assert_eq!(model.logs.at, model.logs.buffer.shown() - 1);
    execute(&mut model, Command::Up);
    assert!(!model.logs.following, "moving up pauses");
    let (at, top) = (model.logs.at, model.logs.top);
    update(&mut model, lines(200));
    assert_eq!((model.logs.at, model.logs.top), (at, top));
    execute(&mut model, Command::Bottom);
    assert!(model.logs.following);
}

#[test]
fn dropped_lines_do_not_move_the_selection() {
    let mut model = fixture("logs", SIZE);
    let id = model.logs.request.unwrap();
    model.logs.buffer = LogBuffer::with_limits(300, usize::MAX);
    update(&mut model, Msg::Logs(id, LogEvent::Lines(many_lines(300))));
    execute(&mut model, Command::PageUp);
    let read = model.logs.buffer.at(model.logs.at).map(|(number, _)| number);
    update(&mut model, Msg::Logs(id, LogEvent::Lines(many_lines(100))));
    assert_eq!(model.logs.buffer.at(model.logs.at).map(|(number, _)| number), read);
}

#[test]
fn search_is_incremental_and_cancelling_removes_it() {
    let mut model = fixture("logs", SIZE);
    execute(&mut model, Command::Search);
    type_text(&mut model, "rows (");
    assert_eq!(model.logs.search.as_ref().unwrap().as_str(), "rows ", "an incomplete group is not searched");
    execute(&mut model, Command::Submit);
    assert!(input(&model).error.as_ref().unwrap().contains("not a regular expression"));
    execute(&mut model, Command::Back);
    assert!(model.logs.search.is_none() && model.overlay.is_none());
    execute(&mut model, Command::Filter);
    type_text(&mut model, "REJECTED");
    execute(&mut model, Command::Submit);
    assert_eq!(model.logs.buffer.shown(), 0, "an upper-case letter makes the filter case-sensitive");
    execute(&mut model, Command::Back);
    assert!(model.logs.buffer.shown() > 0);
}

#[test]
fn click_selects_a_row_or_shows_a_screen() {
    let mut model = fixture("runs", SIZE);
    update(&mut model, Msg::Click { column: 3, row: 7 });
    assert_eq!(model.runs.cursor.at, 2);
    update(&mut model, Msg::Click { column: 3, row: 23 });
    assert_eq!(model.runs.cursor.at, 2);
    let (_, start, _) = layout::tabs(SIZE.0).nth(4).unwrap();
    update(&mut model, Msg::Click { column: start + 2, row: 1 });
    assert_eq!(model.screen, Screen::Reports);
}

#[test]
fn error_disappears_at_the_next_key_and_a_notice_after_its_duration() {
    let mut model = fresh();
    update(&mut model, Msg::Failed(UserError::new("failed", "retry")));
    update(&mut model, Msg::Tick { now: at(30) });
    assert!(model.notice.is_some());
    execute(&mut model, Command::Down);
    assert!(model.notice.is_none());
    update(&mut model, Msg::Done("done".into()));
    update(&mut model, Msg::Tick { now: at(30) + NOTICE_DURATION + TimeDelta::seconds(1) });
    assert!(model.notice.is_none());
}

#[test]
fn known_charts_are_not_requested_again_and_are_kept() {
    let mut model = fixture("data", SIZE);
    let known = model.data.known_charts();
    assert!(known.is_some());
    let later = model.now + TimeDelta::seconds(20);
    let effects = update(&mut model, Msg::Tick { now: later });
    let id = effects.iter().find_map(|effect| match effect {
        Effect::Request(id, Request::Data { known_charts }) if *known_charts == known => Some(*id),
        _ => None,
    });
    let mut summary = model.data.summary.value.clone().unwrap();
    summary.charts = None;
    update(&mut model, Msg::Data(id.unwrap(), Ok(summary)));
    assert!(model.data.summary.value.unwrap().charts.is_some());
}

#[test]
fn any_sequence_of_commands_leaves_a_model_that_can_be_drawn() {
    use proptest::prelude::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    let commands: Vec<Command> = crate::tui::keys::BINDINGS
        .iter()
        .map(|binding| binding.command)
        .filter(|command| !matches!(command, Command::Quit | Command::Close | Command::Suspend))
        .collect();
    let theme = crate::tui::theme::Theme { color: true, light: false };
    let sequence = proptest::collection::vec(0..commands.len(), 0..60);
    proptest!(ProptestConfig::with_cases(32), |(sequence in sequence, width in 40_u16..130, height in 10_u16..40)| {
        let mut model = fixture("overview", (width, height));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        for command in sequence {
            execute(&mut model, commands[command]);
            terminal.draw(|frame| crate::tui::view::view(&model, theme, frame)).unwrap();
        }
    });
}
