//! Translates terminal events to messages.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use super::keys::{self, Key};
use super::msg::Msg;
use super::screen::Layer;

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
    let key = key(event)?;
    match keys::find(key, layer) {
        Some(command) => Some(Msg::Command(command)),
        None if layer == Layer::Input => keys::edit(key).map(Msg::Edit),
        None => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.intersects(KeyModifiers::META | KeyModifiers::SUPER) {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(character) if control => Key::Ctrl(character.to_ascii_lowercase()),
        KeyCode::Char(character) => Key::Char(character),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::F(number) => Key::Function(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tui_input::InputRequest;

    use super::super::action::Command;
    use super::super::screen::Screen;
    use super::*;

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
}
