//! What is typed: editing, the palette and tunnels.

use super::*;
use crate::tui::palette;

fn edit(model: &mut Model, request: InputRequest) {
    update(model, Msg::Edit(request));
}

/// Opens the palette, types into it and accepts the text.
fn submit(model: &mut Model, text: &str) -> Vec<Effect> {
    execute(model, Command::Palette);
    type_text(model, text);
    execute(model, Command::Submit)
}

#[test]
fn input_is_edited_at_the_cursor() {
    let mut model = fresh();
    execute(&mut model, Command::Palette);
    type_text(&mut model, "rns");
    edit(&mut model, InputRequest::GoToPrevChar);
    edit(&mut model, InputRequest::GoToPrevChar);
    type_text(&mut model, "u");
    assert_eq!((input(&model).input.value(), input(&model).input.cursor()), ("runs", 2));
    edit(&mut model, InputRequest::GoToStart);
    edit(&mut model, InputRequest::DeleteNextChar);
    edit(&mut model, InputRequest::GoToEnd);
    edit(&mut model, InputRequest::DeletePrevChar);
    assert_eq!(input(&model).input.value(), "un");
    type_text(&mut model, " logs of");
    edit(&mut model, InputRequest::DeletePrevWord);
    assert_eq!(input(&model).input.value(), "un logs ");
    edit(&mut model, InputRequest::DeleteFromStart);
    assert_eq!((input(&model).input.value(), input(&model).input.cursor()), ("", 0));
}

#[test]
fn input_deletes_whole_graphemes() {
    let mut model = fresh();
    execute(&mut model, Command::Palette);
    type_text(&mut model, "a\u{301}\u{1f469}\u{200d}\u{1f680}");
    edit(&mut model, InputRequest::DeletePrevChar);
    assert_eq!(input(&model).input.value(), "a\u{301}");
    edit(&mut model, InputRequest::DeletePrevChar);
    assert_eq!(input(&model).input.value(), "");
}

#[test]
fn paste_is_inserted_at_the_cursor_without_control_characters_and_limited() {
    let mut model = fresh();
    execute(&mut model, Command::Palette);
    type_text(&mut model, "ad");
    edit(&mut model, InputRequest::GoToPrevChar);
    update(&mut model, Msg::Paste("b\r\n\x1b测c".to_owned()));
    assert_eq!((input(&model).input.value(), input(&model).input.cursor()), ("ab测cd", 4));
    update(&mut model, Msg::Paste("测".repeat(5000)));
    let len = input(&model).input.value().len();
    assert!((1990..=2000).contains(&len), "{len}");
}

#[test]
fn every_palette_command_is_accepted() {
    for (words, _) in palette::commands() {
        let mut model = fixture("runs", SIZE);
        submit(&mut model, words);
        let rejected = match &model.overlay {
            Some(Overlay::Input(input)) if input.purpose == Purpose::Palette => input.error.clone(),
            _ => None,
        };
        assert!(rejected.as_ref().is_none_or(|error| error.starts_with("type ")), "{words}: {rejected:?}");
    }
}

#[test]
fn palette_completes_commands_and_accepts_unambiguous_prefixes() {
    let mut model = fresh();
    execute(&mut model, Command::Palette);
    type_text(&mut model, "ove");
    execute(&mut model, Command::Complete);
    assert_eq!((input(&model).input.value(), input(&model).input.cursor()), ("overview", 8));
    execute(&mut model, Command::Back);
    model.screen = Screen::Data;
    submit(&mut model, "ove");
    assert_eq!(model.screen, Screen::Overview);
    submit(&mut model, "r");
    assert!(input(&model).error.as_ref().unwrap().contains("ambiguous"));
}

#[test]
fn palette_runs_a_command_on_its_screen() {
    let mut model = fresh();
    let effects = submit(&mut model, "search");
    assert_eq!((model.screen, input(&model).purpose), (Screen::Logs, Purpose::Search));
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Request(_, Request::Logs { .. }))),
        "{effects:?}"
    );
}

#[test]
fn since_chooses_the_smallest_sufficient_window() {
    let mut model = fresh();
    let effects = submit(&mut model, "since 2h");
    let follows =
        effects.iter().filter(|effect| matches!(effect, Effect::Request(_, Request::Logs { .. }))).count();
    assert_eq!((follows, model.logs.window), (1, 3), "{effects:?}");
}

#[test]
fn logs_of_follows_the_run_with_the_prefix() {
    let mut model = fixture("runs", SIZE);
    let wanted = model.runs.rows()[2].id;
    let effects = submit(&mut model, &format!("logs of {}", &wanted.to_string()[..8]));
    let is_followed = |effect: &Effect| matches!(effect, Effect::Request(_, Request::Logs { run: Some(run), .. }) if *run == wanted);
    assert!(effects.iter().any(is_followed), "{effects:?}");
    submit(&mut model, "logs of 9f3c");
    assert!(input(&model).error.as_ref().unwrap().contains("several runs"));
}

#[test]
fn tunnel_state_follows_its_events() {
    let mut model = fixture("tunnels", SIZE);
    let tunnel = model.tunnels.all[0].id;
    let status = |up| Msg::Tunnel(tunnel, TunnelEvent::Status { text: "bastion".into(), up });
    update(&mut model, status(false));
    assert_eq!(model.tunnels.all[0].state, TunnelState::Disconnected);
    update(&mut model, status(true));
    assert_eq!(model.tunnels.all[0].state, TunnelState::Open);
    let error = Some(UserError::new("failed", "retry"));
    update(&mut model, Msg::Tunnel(tunnel, TunnelEvent::Ended(error)));
    assert_eq!(model.tunnels.open_count(), 0);
}

#[test]
fn tunnels_in_background_are_shown_beside_own_ones_and_closed_by_click_and_key() {
    let mut model = fixture("tunnels-background", SIZE);
    let processes = |model: &Model| {
        model
            .tunnels
            .all
            .iter()
            .map(|tunnel| tunnel.process.as_ref().map(|process| process.pid))
            .collect::<Vec<_>>()
    };
    assert_eq!(processes(&model), [Some(4811), Some(5207)]);
    assert_eq!((model.tunnels.open_count(), &model.tunnels.all[1].state), (2, &TunnelState::Disconnected));
    execute(&mut model, Command::OpenTunnel);
    type_text(&mut model, "replica");
    execute(&mut model, Command::Submit);
    assert_eq!((processes(&model), model.tunnels.cursor.at), (vec![None, Some(4811), Some(5207)], 0));

    // The first row of the list is the fifth of the screen.
    update(&mut model, Msg::Click { column: 3, row: 5 });
    assert!(execute(&mut model, Command::CloseTunnel).is_empty());
    let closed = execute(&mut model, Command::Yes);
    let is_stopped =
        |effect: &Effect| matches!(effect, Effect::StopTunnelProcess(process) if process.pid == 4811);
    assert!(closed.iter().any(is_stopped), "{closed:?}");

    // It has ended, and the selection stays on the tunnel below it.
    model.tunnels.cursor.at = 2;
    let effects = execute(&mut model, Command::Refresh);
    let request = effects.iter().find_map(|effect| match effect {
        Effect::Request(id, Request::Tunnels) => Some(*id),
        _ => None,
    });
    let left = model.tunnels.background.items()[1..].to_vec();
    update(&mut model, Msg::Tunnels(request.unwrap(), Ok(left)));
    assert_eq!((processes(&model), model.tunnels.cursor.at), (vec![None, Some(5207)], 1));
    assert_eq!(model.tunnels.all[1].counters.unwrap().1.served, 12);
}

#[test]
fn invalid_route_is_rejected() {
    let mut model = fresh();
    execute(&mut model, Command::OpenTunnel);
    type_text(&mut model, "5432 nowhere");
    assert!(execute(&mut model, Command::Submit).is_empty());
    assert!(input(&model).error.is_some());
}

#[test]
fn named_endpoint_is_rejected_on_local_and_opened_on_aws() {
    let mut model = fresh();
    execute(&mut model, Command::OpenTunnel);
    type_text(&mut model, "replica");
    assert!(execute(&mut model, Command::Submit).is_empty(), "local has no named endpoints");
    let aws = Location { target: "aws".into(), location: "1, eu".into(), capabilities: AWS };
    update(&mut model, Msg::TargetSwitched(aws));
    execute(&mut model, Command::OpenTunnel);
    type_text(&mut model, "replica");
    let effects = execute(&mut model, Command::Submit);
    let is_open = |effect: &Effect| matches!(effect, Effect::OpenTunnel { route: Route::Named(name), .. } if name == "replica");
    assert!(effects.iter().any(is_open), "{effects:?}");
    assert_eq!((model.tunnels.all.len(), model.screen), (1, Screen::Tunnels));
}

#[test]
fn target_profile_and_region_are_switched_by_name() {
    let mut model = fresh();
    for (typed, to) in [
        ("profile covid", SwitchTarget::Profile("covid".to_owned())),
        ("region sa-east-1", SwitchTarget::Region("sa-east-1".to_owned())),
        ("target aws", SwitchTarget::Target("aws".to_owned())),
    ] {
        assert_eq!(submit(&mut model, typed), [Effect::SwitchTarget(to)]);
    }
}

#[test]
fn switched_target_starts_without_data() {
    let mut model = fixture("data", SIZE);
    let location = Location { target: "aws".into(), location: "1, eu".into(), capabilities: AWS };
    let effects = update(&mut model, Msg::TargetSwitched(location));
    assert!(model.data.summary.value.is_none() && model.runs.history.value.is_none());
    let loads_all =
        |effect: &Effect| matches!(effect, Effect::Request(_, Request::Data { known_charts: None }));
    assert!(effects.iter().any(loads_all), "{effects:?}");
}
