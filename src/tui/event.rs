//! From what the terminal sends to what the screens understand.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use super::keys::{self, Key, Layer};
use super::msg::{Edit, Msg};

/// How far the wheel goes at once.
const WHEEL: i32 = 3;

/// Escape and the key after it, where they come so close together that the terminal's language cannot tell them from Alt and that
/// key. Alt means nothing here, and on a slow line keys arrive in lumps.
pub(super) fn apart(event: Event) -> Vec<Event> {
    match event {
        Event::Key(key) if key.modifiers.contains(KeyModifiers::ALT) => {
            let plain = KeyEvent { modifiers: key.modifiers - KeyModifiers::ALT, ..key };
            vec![Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)), Event::Key(plain)]
        }
        other => vec![other],
    }
}

/// What an event means with this on top; most mean nothing.
pub(super) fn message(event: &Event, layer: Layer) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_message(*key, layer),
        Event::Paste(text) if layer == Layer::Input => Some(Msg::Edit(Edit::Paste(text.clone()))),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                Some(Msg::Click { column: mouse.column, row: mouse.row })
            }
            MouseEventKind::ScrollUp => Some(Msg::Wheel { lines: -WHEEL }),
            MouseEventKind::ScrollDown => Some(Msg::Wheel { lines: WHEEL }),
            _ => None,
        },
        Event::Resize(width, height) => Some(Msg::Resize { width: *width, height: *height }),
        _ => None,
    }
}

fn key_message(event: KeyEvent, layer: Layer) -> Option<Msg> {
    let key = key(event)?;
    if let Some(command) = keys::find(key, layer) {
        return Some(Msg::Command(command));
    }
    if layer != Layer::Input {
        return None;
    }
    Some(Msg::Edit(match key {
        Key::Char(character) => Edit::Insert(character),
        Key::Backspace | Key::Ctrl('h') => Edit::Backspace,
        Key::Ctrl('w') => Edit::Word,
        Key::Ctrl('u') => Edit::Clear,
        _ => return None,
    }))
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
    use super::super::command::Command;
    use super::super::model::Screen;
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn keys_are_commands_and_where_one_types_they_are_text() {
        let q = pressed(KeyCode::Char('q'), KeyModifiers::NONE);
        let top = Layer::Screen(Screen::Overview);
        assert!(matches!(message(&q, top), Some(Msg::Command(Command::Close))));
        assert!(matches!(message(&q, Layer::Input), Some(Msg::Edit(Edit::Insert('q')))));
        let control = pressed(KeyCode::Char('C'), KeyModifiers::CONTROL);
        assert!(matches!(message(&control, top), Some(Msg::Command(Command::Quit))));
        let lump = apart(pressed(KeyCode::Char('q'), KeyModifiers::ALT));
        assert_eq!(lump, [pressed(KeyCode::Esc, KeyModifiers::NONE), q]);
        let upper = pressed(KeyCode::Char('S'), KeyModifiers::SHIFT);
        assert!(matches!(message(&upper, Layer::Screen(Screen::Runs)), Some(Msg::Command(Command::Stop))));
    }
}
