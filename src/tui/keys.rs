//! The table of key bindings. The help, the footer and the reference page are generated from it.
//!
//! A key has one meaning in a layer; the layer follows from the model. A key that is not bound does nothing, except while text is
//! typed.

use std::fmt::{self, Write as _};

use tui_input::InputRequest;

use super::action::Command;
use super::screen::{Layer, Screen};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, with Shift if it needs it.
    Char(char),
    /// A letter with Ctrl.
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Function(u8),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(' ') => f.write_str("Space"),
            Self::Char(character) => write!(f, "{character}"),
            Self::Ctrl(character) => write!(f, "Ctrl-{}", character.to_ascii_uppercase()),
            Self::Enter => f.write_str("Enter"),
            Self::Esc => f.write_str("Esc"),
            Self::Tab => f.write_str("Tab"),
            Self::BackTab => f.write_str("Shift-Tab"),
            Self::Backspace => f.write_str("Backspace"),
            Self::Delete => f.write_str("Delete"),
            Self::Up => f.write_str("↑"),
            Self::Down => f.write_str("↓"),
            Self::Left => f.write_str("←"),
            Self::Right => f.write_str("→"),
            Self::PageUp => f.write_str("PgUp"),
            Self::PageDown => f.write_str("PgDn"),
            Self::Home => f.write_str("Home"),
            Self::End => f.write_str("End"),
            Self::Function(number) => write!(f, "F{number}"),
        }
    }
}

/// Where a binding applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On every screen and its pages.
    Everywhere,
    /// On one screen and its pages.
    On(Screen),
    /// On the top level of one screen.
    TopOf(Screen),
    /// In lists and texts, including overlays.
    Lists,
    /// In one layer only.
    In(Layer),
}

#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub keys: &'static [Key],
    pub command: Command,
    pub scope: Scope,
    pub help: &'static str,
    /// The word in the footer, if it is listed there.
    pub footer: Option<&'static str>,
}

const fn bind(
    keys: &'static [Key],
    command: Command,
    scope: Scope,
    help: &'static str,
    footer: Option<&'static str>,
) -> Binding {
    Binding { keys, command, scope, help, footer }
}

use Command as C;
use Key::{Char, Ctrl};
use Scope::{Everywhere, In, Lists, On, TopOf};
use Screen::{Data, Logs, Overview, Reports, Runs, Tunnels};

/// All bindings; the first match wins.
pub static BINDINGS: &[Binding] = &[
    // Overlays.
    bind(&[Char('y')], C::Yes, In(Layer::Confirm), "yes", Some("yes")),
    bind(&[Char('n'), Key::Esc, Key::Enter, Char('q')], C::No, In(Layer::Confirm), "no", Some("no")),
    bind(&[Key::Enter], C::Submit, In(Layer::Input), "accept the text", Some("ok")),
    bind(&[Key::Tab], C::Complete, In(Layer::Input), "complete the command", Some("complete")),
    bind(&[Key::Esc, Ctrl('c')], C::Back, In(Layer::Input), "cancel", Some("cancel")),
    bind(&[Char(' ')], C::Toggle, In(Layer::Choice), "toggle the selected item", Some("toggle")),
    bind(&[Key::Enter], C::Submit, In(Layer::Choice), "accept the choice", Some("ok")),
    bind(&[Key::Esc, Char('q')], C::Back, In(Layer::Choice), "back", Some("back")),
    bind(&[Key::Esc, Char('q'), Char('?'), Key::Function(1)], C::Back, In(Layer::Help), "back", Some("back")),
    // Runs.
    bind(&[Key::Enter], C::Open, TopOf(Runs), "show the details of the run", Some("details")),
    bind(&[Char('e')], C::StartEtl, On(Runs), "load the datasets", Some("etl")),
    bind(&[Char('p')], C::StartPipeline, On(Runs), "download, load, report", Some("pipeline")),
    bind(&[Char('w')], C::StartReport, On(Runs), "write a report", None),
    bind(&[Char('a')], C::Rerun, On(Runs), "run the selected job again", Some("again")),
    bind(&[Char('S')], C::Stop, On(Runs), "stop the selected run", Some("stop")),
    bind(&[Char('l')], C::RunLogs, On(Runs), "follow the log of the run", Some("log")),
    // Logs.
    bind(&[Char(' '), Char('s')], C::Follow, On(Logs), "pause or resume following", Some("pause")),
    bind(&[Char('/')], C::Search, On(Logs), "search", Some("search")),
    bind(&[Char('n')], C::NextMatch, On(Logs), "next match", None),
    bind(&[Char('N')], C::PreviousMatch, On(Logs), "previous match", None),
    bind(&[Char('&')], C::Filter, On(Logs), "show matching lines only", Some("filter")),
    bind(&[Char('o')], C::Sources, On(Logs), "choose log sources", Some("sources")),
    bind(&[Char('[')], C::ShortenWindow, On(Logs), "shorten the time window", None),
    bind(&[Char(']')], C::ExtendWindow, On(Logs), "extend the time window", Some("older")),
    bind(&[Char('w')], C::Wrap, On(Logs), "wrap long lines", Some("wrap")),
    bind(&[Char('t')], C::Timestamps, On(Logs), "timestamps: time, date and time, none", None),
    bind(&[Char('z')], C::Fold, On(Logs), "fold or unfold multi-line events", None),
    bind(&[Char('m')], C::Mark, On(Logs), "insert a mark", None),
    bind(&[Char('C')], C::Clear, On(Logs), "clear all lines", None),
    bind(&[Ctrl('s')], C::Save, On(Logs), "save the shown lines to a file", None),
    bind(&[Key::Enter], C::Open, TopOf(Logs), "show the whole event", None),
    // Data.
    bind(&[Key::Enter], C::Open, On(Data), "show the rejected rows", Some("rows")),
    // Reports.
    bind(&[Key::Enter], C::Open, TopOf(Reports), "read the report", Some("read")),
    bind(&[Ctrl('s')], C::Save, On(Reports), "save the report to the current directory", Some("save")),
    bind(&[Char('w')], C::StartReport, On(Reports), "write a new report", Some("write")),
    // Tunnels.
    bind(&[Char('o')], C::OpenTunnel, On(Tunnels), "open a tunnel", Some("open")),
    bind(&[Char('x')], C::CloseTunnel, On(Tunnels), "close the selected tunnel", Some("close")),
    // Overview.
    bind(&[Char('u')], C::BringUp, On(Overview), "bring the target up", Some("up")),
    bind(&[Char('p')], C::StartPipeline, On(Overview), "download, load, report", Some("pipeline")),
    bind(&[Key::Enter], C::Open, On(Overview), "open the selected component", Some("open")),
    // Everywhere.
    bind(&[Char('?'), Key::Function(1)], C::Help, Everywhere, "show the keys", Some("help")),
    bind(&[Char(':')], C::Palette, Everywhere, "open the command palette", Some("command")),
    bind(&[Char('q')], C::Close, Everywhere, "back; quit from the top level", Some("quit")),
    bind(&[Ctrl('c')], C::Quit, Everywhere, "quit", None),
    bind(&[Key::Esc], C::Back, Everywhere, "back", None),
    bind(&[Char('1')], C::Show(Overview), Everywhere, "Overview", None),
    bind(&[Char('2')], C::Show(Runs), Everywhere, "Runs", None),
    bind(&[Char('3')], C::Show(Logs), Everywhere, "Logs", None),
    bind(&[Char('4')], C::Show(Data), Everywhere, "Data", None),
    bind(&[Char('5')], C::Show(Reports), Everywhere, "Reports", None),
    bind(&[Char('6')], C::Show(Tunnels), Everywhere, "Tunnels", None),
    bind(&[Key::Tab, Key::Right], C::NextScreen, Everywhere, "next screen", None),
    bind(&[Key::BackTab, Key::Left], C::PreviousScreen, Everywhere, "previous screen", None),
    bind(&[Char('c')], C::Copy, Everywhere, "copy the selected item", None),
    bind(&[Char('r'), Char('R')], C::Refresh, Everywhere, "refresh", None),
    bind(&[Ctrl('t')], C::Targets, Everywhere, "switch the target", None),
    bind(&[Ctrl('l')], C::Redraw, Everywhere, "redraw the screen", None),
    bind(&[Ctrl('z')], C::Suspend, Everywhere, "suspend; `fg` resumes", None),
    // Lists and texts.
    bind(&[Char('k'), Key::Up], C::Up, Lists, "up", None),
    bind(&[Char('j'), Key::Down], C::Down, Lists, "down", None),
    bind(&[Key::PageUp, Ctrl('b')], C::PageUp, Lists, "page up", None),
    bind(&[Key::PageDown, Ctrl('f')], C::PageDown, Lists, "page down", None),
    bind(&[Char('g'), Key::Home], C::Top, Lists, "go to the top", None),
    bind(&[Char('G'), Key::End], C::Bottom, Lists, "go to the bottom", None),
];

/// The editing keys of a text input, as in GNU Readline.
static EDITING: &[(&[Key], InputRequest, &str)] = &[
    (&[Key::Left, Ctrl('b')], InputRequest::GoToPrevChar, "move left"),
    (&[Key::Right, Ctrl('f')], InputRequest::GoToNextChar, "move right"),
    (&[Key::Home, Ctrl('a')], InputRequest::GoToStart, "move to the start"),
    (&[Key::End, Ctrl('e')], InputRequest::GoToEnd, "move to the end"),
    (&[Key::Backspace, Ctrl('h')], InputRequest::DeletePrevChar, "delete the character to the left"),
    (&[Key::Delete, Ctrl('d')], InputRequest::DeleteNextChar, "delete the character to the right"),
    (&[Ctrl('w')], InputRequest::DeletePrevWord, "delete the word to the left"),
    (&[Ctrl('u')], InputRequest::DeleteFromStart, "delete to the start"),
    (&[Ctrl('k')], InputRequest::DeleteTillEnd, "delete to the end"),
];

impl Scope {
    pub fn applies(self, layer: Layer) -> bool {
        match (self, layer) {
            (In(wanted), layer) => wanted == layer,
            (Lists, layer) => !matches!(layer, Layer::Input | Layer::Confirm),
            (Everywhere, layer) => matches!(layer, Layer::Screen(_) | Layer::Page(_)),
            (On(wanted), layer) => layer == Layer::Screen(wanted) || layer == Layer::Page(wanted),
            (TopOf(wanted), layer) => layer == Layer::Screen(wanted),
        }
    }
}

/// The bindings that apply in a layer, in the order of the table.
pub fn in_layer(layer: Layer) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.scope.applies(layer))
}

pub fn find(key: Key, layer: Layer) -> Option<Command> {
    in_layer(layer).find(|binding| binding.keys.contains(&key)).map(|binding| binding.command)
}

/// What a key does to the text of an input.
pub fn edit(key: Key) -> Option<InputRequest> {
    if let Char(character) = key {
        return Some(InputRequest::InsertChar(character));
    }
    EDITING.iter().find(|(keys, ..)| keys.contains(&key)).map(|(_, request, _)| *request)
}

/// The bindings as a page of the reference documentation.
pub fn markdown() -> String {
    type Row = (&'static [Key], &'static str);
    fn bound(applies: impl Fn(Scope) -> bool) -> impl Iterator<Item = Row> {
        let bindings = BINDINGS.iter().filter(move |binding| applies(binding.scope));
        bindings.map(|binding| (binding.keys, binding.help))
    }
    let mut page =
        "# Keys\n\nGenerated by `cargo xtask pictures`; `?` shows the same on every screen.\n".to_owned();
    let mut section = |title: &str, rows: &mut dyn Iterator<Item = Row>| {
        // Writing to a string cannot fail.
        _ = write!(page, "\n## {title}\n\n| Key | Action |\n| --- | --- |\n");
        for (keys, help) in rows {
            let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            _ = writeln!(page, "| {} | {help} |", names.join(" "));
        }
    };
    section("Everywhere", &mut bound(|scope| scope == Everywhere));
    section("Lists and texts", &mut bound(|scope| scope == Lists));
    let editing = EDITING.iter().map(|(keys, _, help)| (*keys, *help));
    section("Text input", &mut bound(|scope| scope == In(Layer::Input)).chain(editing));
    for screen in Screen::ALL {
        section(screen.name(), &mut bound(|scope| scope == On(screen) || scope == TopOf(screen)));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn layers() -> Vec<Layer> {
        let screens = Screen::ALL.into_iter().flat_map(|screen| [Layer::Screen(screen), Layer::Page(screen)]);
        screens.chain([Layer::Help, Layer::Confirm, Layer::Input, Layer::Choice]).collect()
    }

    #[test]
    fn every_bound_key_reaches_its_command_in_some_layer() {
        for binding in BINDINGS {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty());
            for key in binding.keys {
                let reached = layers().into_iter().any(|layer| find(*key, layer) == Some(binding.command));
                assert!(reached, "{key} never runs {:?}", binding.command);
            }
        }
    }

    #[test]
    fn key_has_one_meaning_in_each_layer() {
        for layer in layers() {
            let mut seen = HashSet::new();
            for binding in in_layer(layer) {
                for key in binding.keys {
                    assert!(seen.insert(*key), "{key} has two meanings in {layer:?}");
                }
            }
        }
    }

    #[test]
    fn editing_key_is_not_bound_to_a_command_in_inputs() {
        let mut seen = HashSet::new();
        for key in EDITING.iter().flat_map(|(keys, ..)| *keys) {
            assert!(seen.insert(*key) && find(*key, Layer::Input).is_none(), "{key} has two meanings");
        }
    }

    #[test]
    fn every_layer_can_be_left() {
        for layer in layers() {
            let out = in_layer(layer)
                .any(|binding| matches!(binding.command, C::Back | C::No | C::Close | C::Quit));
            assert!(out, "{layer:?}");
        }
    }

    #[test]
    fn reference_page_matches_the_bindings() {
        let page = include_str!("../../docs/reference/keys.md");
        assert_eq!(page, markdown(), "run `cargo xtask pictures`");
    }

    #[test]
    fn control_keys_differ_from_letters() {
        assert_eq!(find(Ctrl('c'), Layer::Screen(Logs)), Some(C::Quit));
        assert_eq!(find(Char('c'), Layer::Input), None);
    }
}
