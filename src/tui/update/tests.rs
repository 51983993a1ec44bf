//! Stories told to `update`: what happens, and what is then known and wanted. No terminal, no target, no clock.

mod typing;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::cli::TunnelTarget;
use crate::tui::command::Command;
use crate::tui::effect::{Route, Ticket, Whither};
use crate::tui::keys::Layer;
use crate::tui::model::{Purpose, tunnels};
use crate::tui::msg::{Edit, LogNews, Trouble, TunnelNews};
use crate::tui::scene::{many_lines, scene};
use target::{ActiveRun, JobKind, Location};

const SIZE: (u16, u16) = (80, 24);

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn fresh() -> Model {
    let place = Location { target: "local".into(), location: "/data".into() };
    let zone = chrono::FixedOffset::east_opt(0).unwrap();
    Model::new(place, false, at(0), zone, SIZE)
}

fn does(model: &mut Model, command: Command) -> Vec<Effect> {
    update(model, Msg::Command(command))
}

fn types(model: &mut Model, text: &str) {
    for character in text.chars() {
        update(model, Msg::Edit(Edit::Insert(character)));
    }
}

#[test]
fn it_begins_with_questions_and_asks_again_at_its_pace() {
    let mut model = fresh();
    let asked = update(&mut model, Msg::Tick { now: at(0) });
    let wanted = |effects: &[Effect]| {
        let active = effects.iter().any(|effect| matches!(effect, Effect::LoadActive { .. }));
        let parts = effects.iter().any(|effect| matches!(effect, Effect::LoadParts { .. }));
        (active, parts)
    };
    assert_eq!(wanted(&asked), (true, true));
    assert!(update(&mut model, Msg::Tick { now: at(5) }).is_empty(), "nobody has answered yet");
    let Effect::LoadActive { ticket } = asked[0] else { panic!("{asked:?}") };
    update(&mut model, Msg::Active { ticket, result: Ok(Vec::new()) });
    assert_eq!(wanted(&update(&mut model, Msg::Tick { now: at(6) })), (true, false));
    // A question that hangs is given up at some time, and asked again.
    assert_eq!(wanted(&update(&mut model, Msg::Tick { now: at(31) })), (false, true));
}

#[test]
fn a_run_that_begins_elsewhere_is_seen_at_once_and_quiet_costs_little() {
    let mut model = fresh();
    for effect in update(&mut model, Msg::Tick { now: at(0) }) {
        match effect {
            Effect::LoadActive { ticket } => {
                update(&mut model, Msg::Active { ticket, result: Ok(Vec::new()) })
            }
            Effect::LoadParts { ticket } => {
                let result = Ok((Vec::new(), model.place.clone()));
                update(&mut model, Msg::Parts { ticket, result })
            }
            Effect::LoadRuns { ticket } => update(&mut model, Msg::Runs { ticket, result: Ok(Vec::new()) }),
            _ => Vec::new(),
        };
    }
    let asked = update(&mut model, Msg::Tick { now: at(3) });
    let [Effect::LoadActive { ticket }] = asked[..] else { panic!("only what is cheap: {asked:?}") };
    let active = vec![ActiveRun { run: Uuid::from_u128(1), kind: JobKind::Etl, started_at: at(2) }];
    let asked = update(&mut model, Msg::Active { ticket, result: Ok(active) });
    assert!(asked.iter().any(|effect| matches!(effect, Effect::LoadRuns { .. })), "{asked:?}");
}

#[test]
fn a_stale_answer_changes_nothing() {
    let mut model = fresh();
    update(&mut model, Msg::Tick { now: at(0) });
    let trouble = Trouble { message: "old".into(), hint: None };
    update(&mut model, Msg::Parts { ticket: Ticket(99), result: Err(trouble) });
    assert!(model.overview.parts.trouble().is_none());
    does(&mut model, Command::Go(Screen::Logs));
    let older = model.logs.ticket;
    does(&mut model, Command::Longer);
    update(&mut model, Msg::Logs { ticket: older, news: LogNews::Lines(many_lines(3)) });
    assert_eq!(model.logs.buffer.len(), 0, "these are lines of the window before");
}

#[test]
fn q_leaves_from_the_top_and_goes_back_from_a_page() {
    let mut model = scene("run", SIZE);
    assert_eq!(model.layer(), Layer::Page(Screen::Runs));
    does(&mut model, Command::Close);
    assert_eq!((model.layer(), model.quit), (Layer::Screen(Screen::Runs), false));
    does(&mut model, Command::Close);
    assert!(model.quit);
}

#[test]
fn what_is_wrong_with_a_part_is_read_in_full_and_a_sound_one_leads_to_its_screen() {
    let mut model = scene("overview-aws", SIZE);
    does(&mut model, Command::Bottom);
    does(&mut model, Command::Open);
    let Some(Overlay::Text { title, lines, .. }) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert_eq!(title, "alarms: failed");
    assert!(lines.concat().contains("another code than 0"), "{lines:?}");
    does(&mut model, Command::Back);
    does(&mut model, Command::Up);
    does(&mut model, Command::Open);
    assert_eq!(model.screen, Screen::Tunnels, "the bastion");
}

#[test]
fn again_means_the_same_years() {
    // The third row is the load that succeeded; the first one goes on, and nothing is started beside it.
    let mut model = scene("runs", SIZE);
    model.active.last = Some(Vec::new());
    does(&mut model, Command::Down);
    does(&mut model, Command::Down);
    does(&mut model, Command::Again);
    let Some(Overlay::Confirm(confirm)) = &model.overlay else { panic!("{:?}", model.overlay) };
    assert!(confirm.touches.contains(&("years".to_owned(), "2022".to_owned())), "{confirm:?}");
    assert_eq!(confirm.then, [Effect::Start { kinds: vec![JobKind::Etl], years: Some("2022".to_owned()) }]);
}

#[test]
fn the_stacks_are_not_created_by_a_key() {
    let mut model = scene("overview-aws", SIZE);
    does(&mut model, Command::BringUp);
    assert!(model.overlay.is_none() && model.notice.as_ref().is_some_and(|notice| notice.bad));
}

#[test]
fn nothing_is_changed_without_a_yes() {
    for (name, command) in [
        ("runs", Command::Stop),
        ("runs", Command::StartReport),
        ("overview", Command::BringUp),
        ("tunnels", Command::CloseTunnel),
    ] {
        let mut model = scene(name, SIZE);
        assert!(does(&mut model, command).is_empty(), "{command:?}");
        let Some(Overlay::Confirm(confirm)) = model.overlay.clone() else {
            panic!("{command:?} does not ask")
        };
        let touched: Vec<&str> = confirm.touches.iter().map(|(name, _)| name.as_str()).collect();
        assert!(touched.contains(&"target") && touched.contains(&"place"), "{touched:?}");
        assert!(does(&mut model, Command::No).is_empty());
        assert_eq!(model.overlay, None);
        does(&mut model, command);
        assert_eq!(does(&mut model, Command::Yes), confirm.then);
        assert!(!confirm.then.is_empty());
    }
}

#[test]
fn read_only_forbids_every_change_and_says_why() {
    for binding in crate::tui::keys::BINDINGS.iter().filter(|binding| binding.command.changes()) {
        let mut model = scene("read-only", SIZE);
        assert!(does(&mut model, binding.command).is_empty());
        assert_eq!(model.overlay, None, "{:?}", binding.command);
        assert!(model.notice.unwrap().hint.unwrap().contains("--read-only"));
    }
}

#[test]
fn a_job_is_not_started_twice() {
    let mut model = scene("runs", SIZE);
    assert!(model.active.last.as_ref().is_some_and(|active| active[0].kind == JobKind::Etl));
    does(&mut model, Command::StartEtl);
    assert_eq!(model.overlay, None);
    assert!(model.notice.unwrap().text.contains("running already"));
}

#[test]
fn a_run_that_is_asked_to_end_says_so_until_it_has() {
    let mut model = scene("confirm", SIZE);
    let run = model.selected_run().unwrap();
    assert_eq!(does(&mut model, Command::Yes), [Effect::Stop { run }]);
    assert_eq!(model.stopping, [run]);
    let asked = does(&mut model, Command::Refresh);
    let ticket = asked.iter().find_map(|effect| match effect {
        Effect::LoadActive { ticket } => Some(*ticket),
        _ => None,
    });
    update(&mut model, Msg::Active { ticket: ticket.unwrap(), result: Ok(Vec::new()) });
    assert!(model.stopping.is_empty());
}

#[test]
fn whoever_looks_at_a_run_keeps_looking_at_it_when_others_come() {
    let mut model = scene("runs", SIZE);
    does(&mut model, Command::Down);
    does(&mut model, Command::Down);
    let run = model.selected_run();
    let mut active = model.active.last.clone().unwrap();
    active.push(ActiveRun { run: Uuid::from_u128(7), kind: JobKind::Report, started_at: at(0) });
    let mut history = model.runs.history.last.clone().unwrap();
    let mut newer = history[1].clone();
    newer.run_id = Uuid::from_u128(8);
    history.insert(0, newer);
    let ticket = model.ticket();
    model.runs.history.ask(ticket, model.now);
    update(&mut model, Msg::Runs { ticket, result: Ok(history) });
    assert_eq!(model.selected_run(), run);
}

#[test]
fn following_keeps_the_end_in_sight_and_a_pause_stays_where_it_is() {
    let mut model = scene("logs", SIZE);
    let ticket = model.logs.ticket;
    let lines = |count| Msg::Logs { ticket, news: LogNews::Lines(many_lines(count)) };
    update(&mut model, lines(200));
    assert_eq!(model.logs.at, model.logs.buffer.shown() - 1);
    does(&mut model, Command::Up);
    assert!(!model.logs.following, "who goes up wants to read");
    let (at, top) = (model.logs.at, model.logs.top);
    update(&mut model, lines(200));
    assert_eq!((model.logs.at, model.logs.top), (at, top));
    does(&mut model, Command::Bottom);
    assert!(model.logs.following);
}

#[test]
fn lines_that_are_dropped_do_not_move_what_is_read() {
    let mut model = scene("logs", SIZE);
    let ticket = model.logs.ticket;
    model.logs.buffer = crate::tui::model::logs::Buffer::bounded(300, usize::MAX);
    update(&mut model, Msg::Logs { ticket, news: LogNews::Lines(many_lines(300)) });
    does(&mut model, Command::PageUp);
    let read = model.logs.buffer.at(model.logs.at).map(|(number, _)| number);
    update(&mut model, Msg::Logs { ticket, news: LogNews::Lines(many_lines(100)) });
    assert_eq!(model.logs.buffer.at(model.logs.at).map(|(number, _)| number), read);
}

#[test]
fn a_search_is_shown_while_it_is_typed_and_never_mind_forgets_it() {
    let mut model = scene("logs", SIZE);
    does(&mut model, Command::Search);
    types(&mut model, "rows (");
    assert_eq!(model.logs.search.as_ref().unwrap().as_str(), "rows ", "an unfinished group is not searched");
    does(&mut model, Command::Submit);
    let Some(Overlay::Input(input)) = &model.overlay else { panic!("it is still typed") };
    assert!(input.error.as_ref().unwrap().contains("not a regular expression"));
    does(&mut model, Command::Back);
    assert!(model.logs.search.is_none() && model.overlay.is_none());
    does(&mut model, Command::Filter);
    types(&mut model, "REJECTED");
    does(&mut model, Command::Submit);
    assert_eq!(model.logs.buffer.shown(), 0, "capitals are meant");
    does(&mut model, Command::Back);
    assert!(model.logs.buffer.shown() > 0);
}

#[test]
fn a_click_selects_and_tabs_are_clicked_too() {
    let mut model = scene("runs", SIZE);
    update(&mut model, Msg::Click { column: 3, row: 6 });
    assert_eq!(model.runs.cursor.at, 2);
    update(&mut model, Msg::Click { column: 3, row: 23 });
    assert_eq!(model.runs.cursor.at, 2);
    let (_, start, _) = crate::tui::layout::tabs().nth(4).unwrap();
    update(&mut model, Msg::Click { column: start + 2, row: 1 });
    assert_eq!(model.screen, Screen::Reports);
}

#[test]
fn a_bad_notice_goes_with_the_next_key_and_a_good_one_exited() {
    let mut model = fresh();
    update(&mut model, Msg::Failed { trouble: Trouble { message: "broke".into(), hint: None } });
    update(&mut model, Msg::Tick { now: at(30) });
    assert!(model.notice.is_some());
    does(&mut model, Command::Down);
    assert!(model.notice.is_none());
    update(&mut model, Msg::Done { text: "done".into() });
    update(&mut model, Msg::Tick { now: at(30) + NOTICE + TimeDelta::seconds(1) });
    assert!(model.notice.is_none());
}

#[test]
fn charts_that_are_known_are_not_asked_for_and_stay() {
    let mut model = scene("data", SIZE);
    let known = model.data.known();
    assert!(known.is_some());
    let later = model.now + TimeDelta::seconds(20);
    let asked = update(&mut model, Msg::Tick { now: later });
    let ticket = asked.iter().find_map(|effect| match effect {
        Effect::LoadData { ticket, known: asked } if *asked == known => Some(*ticket),
        _ => None,
    });
    let mut answer = model.data.answer.last.clone().unwrap();
    answer.charts = None;
    update(&mut model, Msg::Data { ticket: ticket.unwrap(), result: Ok(answer) });
    assert!(model.data.answer.last.unwrap().charts.is_some());
}

#[test]
fn any_commands_in_any_order_leave_a_model_that_can_be_drawn() {
    use proptest::prelude::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    let commands: Vec<Command> = crate::tui::keys::BINDINGS
        .iter()
        .map(|binding| binding.command)
        .filter(|command| !matches!(command, Command::Quit | Command::Close | Command::Suspend))
        .collect();
    let theme = crate::tui::theme::Theme { color: true, light: false };
    let story = proptest::collection::vec(0..commands.len(), 0..60);
    proptest!(ProptestConfig::with_cases(32), |(story in story, width in 40_u16..130, height in 10_u16..40)| {
        let mut model = scene("overview", (width, height));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        for command in story {
            does(&mut model, commands[command]);
            terminal.draw(|frame| crate::tui::view::view(&model, theme, frame)).unwrap();
        }
    });
}
