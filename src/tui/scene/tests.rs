//! Every scene, drawn: as a picture in text that a person reviews, and by rules that hold for all of them.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::tui::theme::Theme;
use crate::tui::view::view;

const COLORED: Theme = Theme { color: true, light: false };

fn drawn(name: &str, size: (u16, u16), theme: Theme) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let model = scene(name, size);
    terminal.draw(|frame| view(&model, theme, frame)).unwrap();
    terminal.backend().clone()
}

#[test]
fn every_screen_and_every_box_at_both_sizes() {
    for name in NAMES {
        for size in [(80, 24), (120, 40)] {
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), drawn(name, size, COLORED));
            });
        }
    }
}

#[test]
fn the_names_of_the_screens_are_in_the_header_at_every_size() {
    for name in NAMES {
        for size in [(80, 24), (120, 40), (250, 70), (60, 12)] {
            let text = drawn(name, size, COLORED).to_string();
            let header: String = text.lines().take(2).collect();
            for screen in Screen::ALL {
                assert!(header.contains(screen.name()), "{name} at {size:?}: {header}");
            }
        }
    }
}

#[test]
fn any_size_can_be_drawn() {
    for name in NAMES {
        for width in [1, 10, 39, 40, 57, 80, 250] {
            for height in [1, 5, 9, 10, 11, 17, 24, 70] {
                drawn(name, (width, height), COLORED);
            }
        }
    }
}

#[test]
fn nothing_hostile_is_in_a_cell_and_the_next_line_is_where_it_should_be() {
    for size in [(80, 24), (120, 40), (250, 70)] {
        let target = drawn("logs-hostile", size, COLORED);
        for cell in target.buffer().content() {
            let hostile = |character: char| {
                character.is_control()
                    || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            };
            assert!(!cell.symbol().chars().any(hostile), "{:?}", cell.symbol());
        }
        let text = target.to_string();
        assert!(text.contains("the line after all of them"), "{text}");
        assert!(text.contains("\\u{1b}[2J"), "{text}");
    }
}

#[test]
fn without_colour_nothing_has_a_colour_and_everything_can_be_told_apart() {
    let plain = Theme { color: false, light: false };
    for name in NAMES {
        for cell in drawn(name, (80, 24), plain).buffer().content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name}");
        }
    }
    // A failed run is told by a sign and a word.
    let runs = drawn("runs", (120, 40), plain).to_string();
    assert!(runs.contains('✗') && runs.contains("failed"), "{runs}");
}
