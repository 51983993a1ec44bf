//! Translates terminal events to messages.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use tui_input::InputRequest;

use super::keys;
use super::model::{Layer, Msg};

/// Lines that one step of the mouse wheel scrolls.
const WHEEL_LINES: i32 = 3;

/// Splits Alt and a key into Esc and that key. On a slow link both arrive in one read, and the terminal protocol cannot tell them
/// apart; no binding uses Alt.
pub(super) fn split_alt(event: Event) -> Vec<Event> {
    match event {
        Event::Key(key) if key.modifiers.contains(KeyModifiers::ALT) => {
            let plain = KeyEvent { modifiers: key.modifiers - KeyModifiers::ALT, ..key };
            vec![Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)), Event::Key(plain)]
        }
        other => vec![other],
    }
}

pub(super) fn message(event: &Event, layer: Layer) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_message(*key, layer),
        Event::Paste(text) if layer == Layer::Input => Some(Msg::Paste(text.clone())),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                Some(Msg::Click { column: mouse.column, row: mouse.row })
            }
            MouseEventKind::ScrollUp => Some(Msg::Wheel { lines: -WHEEL_LINES }),
            MouseEventKind::ScrollDown => Some(Msg::Wheel { lines: WHEEL_LINES }),
            _ => None,
        },
        Event::Resize(width, height) => Some(Msg::Resize { width: *width, height: *height }),
        _ => None,
    }
}

fn key_message(event: KeyEvent, layer: Layer) -> Option<Msg> {
    let key = key_name(event)?;
    if let Some(command) = keys::find(&key, layer) {
        return Some(Msg::Command(command));
    }
    match event.code {
        _ if layer != Layer::Input => None,
        KeyCode::Char(character) if !event.modifiers.contains(KeyModifiers::CONTROL) => {
            Some(Msg::Edit(InputRequest::InsertChar(character)))
        }
        _ => keys::edit(&key).map(Msg::Edit),
    }
}

/// The name of a key in the table of bindings.
fn key_name(event: KeyEvent) -> Option<String> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.intersects(KeyModifiers::META | KeyModifiers::SUPER) {
        return None;
    }
    let name = match event.code {
        KeyCode::Char(character) if control => {
            return Some(format!("Ctrl-{}", character.to_ascii_uppercase()));
        }
        KeyCode::Char(' ') => "Space",
        KeyCode::Char(character) => return Some(character.to_string()),
        KeyCode::Enter => "Enter",
        KeyCode::Esc => "Esc",
        KeyCode::Tab => "Tab",
        KeyCode::BackTab => "Shift-Tab",
        KeyCode::Backspace => "Backspace",
        KeyCode::Delete => "Delete",
        KeyCode::Up => "↑",
        KeyCode::Down => "↓",
        KeyCode::Left => "←",
        KeyCode::Right => "→",
        KeyCode::PageUp => "PgUp",
        KeyCode::PageDown => "PgDn",
        KeyCode::Home => "Home",
        KeyCode::End => "End",
        KeyCode::F(number) => return Some(format!("F{number}")),
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::{Command, Screen};

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn key_is_a_command_on_a_screen_and_text_in_an_input() {
        let q = pressed(KeyCode::Char('q'), KeyModifiers::NONE);
        let top = Layer::Screen(Screen::Overview);
        assert!(matches!(message(&q, top), Some(Msg::Command(Command::Close))));
        assert!(matches!(message(&q, Layer::Input), Some(Msg::Edit(InputRequest::InsertChar('q')))));
        let control = pressed(KeyCode::Char('C'), KeyModifiers::CONTROL);
        assert!(matches!(message(&control, top), Some(Msg::Command(Command::Quit))));
        let upper = pressed(KeyCode::Char('S'), KeyModifiers::SHIFT);
        assert!(matches!(message(&upper, Layer::Screen(Screen::Runs)), Some(Msg::Command(Command::Stop))));
    }

    #[test]
    fn alt_is_split_into_escape_and_the_key() {
        let q = pressed(KeyCode::Char('q'), KeyModifiers::NONE);
        let split = split_alt(pressed(KeyCode::Char('q'), KeyModifiers::ALT));
        assert_eq!(split, [pressed(KeyCode::Esc, KeyModifiers::NONE), q]);
    }

    #[test]
    fn editing_keys_move_and_delete_in_an_input() {
        let control = |letter| pressed(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let plain = |code| pressed(code, KeyModifiers::NONE);
        for (event, wanted) in [
            (plain(KeyCode::Left), InputRequest::GoToPrevChar),
            (plain(KeyCode::Right), InputRequest::GoToNextChar),
            (plain(KeyCode::Home), InputRequest::GoToStart),
            (plain(KeyCode::End), InputRequest::GoToEnd),
            (plain(KeyCode::Delete), InputRequest::DeleteNextChar),
            (plain(KeyCode::Backspace), InputRequest::DeletePrevChar),
            (control('w'), InputRequest::DeletePrevWord),
            (control('u'), InputRequest::DeleteFromStart),
        ] {
            let msg = message(&event, Layer::Input);
            assert!(matches!(msg, Some(Msg::Edit(request)) if request == wanted), "{event:?}: {msg:?}");
        }
        assert!(message(&plain(KeyCode::Delete), Layer::Screen(Screen::Runs)).is_none());
    }

    #[test]
    fn paste_reaches_inputs_only() {
        let paste = Event::Paste("text".to_owned());
        assert!(matches!(message(&paste, Layer::Input), Some(Msg::Paste(text)) if text == "text"));
        assert!(message(&paste, Layer::Screen(Screen::Logs)).is_none());
    }

    #[test]
    fn every_bound_key_is_the_name_of_a_key() {
        use KeyCode::{BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Left};
        use KeyCode::{PageDown, PageUp, Right, Tab, Up};
        let special = [
            BackTab,
            Backspace,
            Delete,
            Down,
            End,
            Enter,
            Esc,
            Home,
            Left,
            PageDown,
            PageUp,
            Right,
            Tab,
            Up,
            F(1),
        ];
        let pressed = |modifiers| move |code| KeyEvent::new(code, modifiers);
        let plain = (' '..='~').map(Char).chain(special).map(pressed(KeyModifiers::NONE));
        let control = ('a'..='z').map(Char).map(pressed(KeyModifiers::CONTROL));
        let names: Vec<String> = plain.chain(control).filter_map(key_name).collect();
        for key in keys::BINDINGS.iter().flat_map(|binding| binding.keys.split(' ')) {
            assert!(names.iter().any(|name| name == key), "{key}");
        }
    }
}
