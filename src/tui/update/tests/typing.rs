//! Stories of what is typed: words of the palette, tunnels, names of profiles and targets.

use super::*;

#[test]
fn every_word_of_the_palette_is_understood() {
    for (word, _) in palette::words() {
        let mut model = scene("runs", SIZE);
        does(&mut model, Command::Palette);
        types(&mut model, &word);
        does(&mut model, Command::Submit);
        let refused = match &model.overlay {
            Some(Overlay::Input(input)) if input.purpose == Purpose::Palette => input.error.clone(),
            _ => None,
        };
        assert!(refused.as_ref().is_none_or(|error| error.starts_with("type ")), "{word}: {refused:?}");
    }
}

#[test]
fn words_are_completed_and_a_clear_beginning_is_enough() {
    let mut model = fresh();
    does(&mut model, Command::Palette);
    types(&mut model, "ove");
    does(&mut model, Command::Complete);
    let Some(Overlay::Input(input)) = &model.overlay else { panic!() };
    assert_eq!(input.text, "overview");
    does(&mut model, Command::Back);
    model.screen = Screen::Data;
    does(&mut model, Command::Palette);
    types(&mut model, "ove");
    does(&mut model, Command::Submit);
    assert_eq!(model.screen, Screen::Overview);
    does(&mut model, Command::Palette);
    types(&mut model, "since 2h");
    let effects = does(&mut model, Command::Submit);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Follow { .. })), "{effects:?}");
    assert_eq!(model.logs.window, 3, "the smallest window that reaches so far");
}

#[test]
fn a_tunnel_is_opened_as_typed_and_its_state_follows_what_it_says() {
    let mut model = scene("tunnels", SIZE);
    let id = model.tunnels.all[0].id;
    let note = |up| Msg::Tunnel { id, news: TunnelNews::Note { text: "bastion".into(), up } };
    update(&mut model, note(false));
    assert_eq!(model.tunnels.all[0].state, tunnels::State::Away);
    update(&mut model, note(true));
    assert_eq!(model.tunnels.all[0].state, tunnels::State::Up);
    does(&mut model, Command::OpenTunnel);
    types(&mut model, "5432 nobody");
    assert!(does(&mut model, Command::Submit).is_empty());
    assert!(matches!(&model.overlay, Some(Overlay::Input(input)) if input.error.is_some()));
    let trouble = Some(Trouble { message: "broke".into(), hint: None });
    update(&mut model, Msg::Tunnel { id, news: TunnelNews::Ended { trouble } });
    assert_eq!(model.tunnels.open(), 0);
}

#[test]
fn what_has_a_name_is_tunnelled_to_by_it_where_it_has_one() {
    let mut model = fresh();
    does(&mut model, Command::OpenTunnel);
    types(&mut model, "replica");
    assert!(does(&mut model, Command::Submit).is_empty(), "nobody knows where it is");
    update(&mut model, Msg::Switched { place: Location { target: "aws".into(), location: "1, eu".into() } });
    does(&mut model, Command::OpenTunnel);
    types(&mut model, "replica");
    let wanted = does(&mut model, Command::Submit);
    assert!(
        matches!(wanted.last(), Some(Effect::OpenTunnel { route: Route::Named(TunnelTarget::Replica), .. })),
        "{wanted:?}"
    );
    assert_eq!(model.tunnels.all.len(), 1);
}

#[test]
fn a_profile_and_a_region_are_chosen_by_their_names() {
    let mut model = fresh();
    for (typed, to) in [
        ("profile covid", Whither::Profile("covid".to_owned())),
        ("region sa-east-1", Whither::Region("sa-east-1".to_owned())),
        ("target aws", Whither::Target("aws".to_owned())),
    ] {
        does(&mut model, Command::Palette);
        types(&mut model, typed);
        assert_eq!(does(&mut model, Command::Submit), [Effect::Switch { to }]);
    }
}

#[test]
fn another_target_begins_with_nothing_known() {
    let mut model = scene("data", SIZE);
    let place = Location { target: "aws".into(), location: "1, eu".into() };
    let asked = update(&mut model, Msg::Switched { place });
    assert!(model.data.answer.last.is_none() && model.runs.history.last.is_none());
    assert!(asked.iter().any(|effect| matches!(effect, Effect::LoadData { known: None, .. })), "{asked:?}");
}
