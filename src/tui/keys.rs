//! The table of keys. The help and the footer are made from it, so that neither can lie.
//!
//! A key means one thing in one layer; the layer follows from what is on screen. What is not in the table does nothing, except
//! where text is typed.

use std::fmt::{self, Write as _};

use super::command::Command;
use super::model::Screen;

/// A key as the table knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, with Shift where it needs one.
    Char(char),
    /// With Ctrl.
    Ctrl(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// The arrow.
    Up,
    /// The arrow.
    Down,
    /// The arrow.
    Left,
    /// The arrow.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// A function key.
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

/// What is on screen, as far as keys care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// A screen, at its top.
    Screen(Screen),
    /// Something to read that was opened from a screen.
    Page(Screen),
    /// The help.
    Help,
    /// A question.
    Confirm,
    /// A line of text is typed.
    Input,
    /// Something is chosen from a list.
    Choice,
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On all screens and what is opened from them.
    Everywhere,
    /// On one screen, and what is opened from it.
    On(Screen),
    /// On one screen, at its top.
    TopOf(Screen),
    /// Where nothing is typed: lists and texts, with or without something above them.
    Lists,
    /// In the layer alone.
    In(Layer),
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Any of these.
    pub keys: &'static [Key],
    /// Means this.
    pub command: Command,
    /// Here.
    pub scope: Scope,
    /// In words.
    pub help: &'static str,
    /// In one word at the bottom, where it is shown there.
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

/// All keys. Of two that fit, the first one counts.
pub static BINDINGS: &[Binding] = &[
    // What is open above everything.
    bind(&[Char('y')], C::Yes, In(Layer::Confirm), "yes", Some("yes")),
    bind(&[Char('n'), Key::Esc, Key::Enter, Char('q')], C::No, In(Layer::Confirm), "no", Some("no")),
    bind(&[Key::Enter], C::Submit, In(Layer::Input), "that is it", Some("ok")),
    bind(&[Key::Tab], C::Complete, In(Layer::Input), "complete the word", Some("complete")),
    bind(&[Key::Esc, Ctrl('c')], C::Back, In(Layer::Input), "never mind", Some("cancel")),
    bind(&[Char(' ')], C::Toggle, In(Layer::Choice), "choose", Some("choose")),
    bind(&[Key::Enter], C::Submit, In(Layer::Choice), "take it", Some("ok")),
    bind(&[Key::Esc, Char('q')], C::Back, In(Layer::Choice), "back", Some("back")),
    bind(&[Key::Esc, Char('q'), Char('?'), Key::Function(1)], C::Back, In(Layer::Help), "back", Some("back")),
    // Runs.
    bind(&[Key::Enter], C::Open, TopOf(Runs), "phases, tally and reasons", Some("details")),
    bind(&[Char('e')], C::StartEtl, On(Runs), "load the datasets", Some("etl")),
    bind(&[Char('p')], C::StartPipeline, On(Runs), "download, load, report", Some("pipeline")),
    bind(&[Char('w')], C::StartReport, On(Runs), "write a report", None),
    bind(&[Char('a')], C::Again, On(Runs), "run the selected one again", Some("again")),
    bind(&[Char('S')], C::Stop, On(Runs), "stop the selected run", Some("stop")),
    bind(&[Char('l')], C::RunLogs, On(Runs), "follow its log", Some("log")),
    // Logs.
    bind(&[Char(' '), Char('s')], C::Follow, On(Logs), "pause, or follow the newest line", Some("pause")),
    bind(&[Char('/')], C::Search, On(Logs), "search", Some("search")),
    bind(&[Char('n')], C::Next, On(Logs), "next match", None),
    bind(&[Char('N')], C::Previous, On(Logs), "previous match", None),
    bind(&[Char('&')], C::Filter, On(Logs), "show only what matches", Some("filter")),
    bind(&[Char('o')], C::Sources, On(Logs), "choose the sources", Some("sources")),
    bind(&[Char('[')], C::Shorter, On(Logs), "look less far back", None),
    bind(&[Char(']')], C::Longer, On(Logs), "look further back", Some("further back")),
    bind(&[Char('w')], C::Wrap, On(Logs), "break long lines", Some("wrap")),
    bind(&[Char('t')], C::Stamps, On(Logs), "times: of day, whole, none", None),
    bind(&[Char('z')], C::Fold, On(Logs), "unfold traces, or fold them", None),
    bind(&[Char('m')], C::Mark, On(Logs), "draw a line here", None),
    bind(&[Char('C')], C::Clear, On(Logs), "forget the lines", None),
    bind(&[Ctrl('s')], C::Save, On(Logs), "save what is shown", None),
    bind(&[Key::Enter], C::Open, TopOf(Logs), "all of the event", None),
    // Data.
    bind(&[Key::Enter], C::Open, On(Data), "the rejected rows, their raw text", Some("rows")),
    // Reports.
    bind(&[Key::Enter], C::Open, TopOf(Reports), "read it", Some("read")),
    bind(&[Ctrl('s')], C::Save, On(Reports), "save its files here", Some("save")),
    bind(&[Char('w')], C::StartReport, On(Reports), "write a new one", Some("write")),
    // Tunnels.
    bind(&[Char('o')], C::OpenTunnel, On(Tunnels), "open one", Some("open")),
    bind(&[Char('x')], C::CloseTunnel, On(Tunnels), "close the selected one", Some("close")),
    // Overview.
    bind(&[Char('u')], C::BringUp, On(Overview), "bring the target up", Some("up")),
    bind(&[Char('p')], C::StartPipeline, On(Overview), "download, load, report", Some("pipeline")),
    bind(&[Key::Enter], C::Open, On(Overview), "go to what is selected", Some("open")),
    // Everywhere.
    bind(&[Char('?'), Key::Function(1)], C::Help, Everywhere, "the keys", Some("help")),
    bind(&[Char(':')], C::Palette, Everywhere, "type a command", Some("command")),
    bind(&[Char('q')], C::Close, Everywhere, "back; from a screen's top, leave", Some("quit")),
    bind(&[Ctrl('c')], C::Quit, Everywhere, "leave", None),
    bind(&[Key::Esc], C::Back, Everywhere, "back", None),
    bind(&[Char('1')], C::Go(Overview), Everywhere, "Overview", None),
    bind(&[Char('2')], C::Go(Runs), Everywhere, "Runs", None),
    bind(&[Char('3')], C::Go(Logs), Everywhere, "Logs", None),
    bind(&[Char('4')], C::Go(Data), Everywhere, "Data", None),
    bind(&[Char('5')], C::Go(Reports), Everywhere, "Reports", None),
    bind(&[Char('6')], C::Go(Tunnels), Everywhere, "Tunnels", None),
    bind(&[Key::Tab, Key::Right], C::NextScreen, Everywhere, "next screen", None),
    bind(&[Key::BackTab, Key::Left], C::PreviousScreen, Everywhere, "previous screen", None),
    bind(&[Char('c')], C::Copy, Everywhere, "copy what is selected", None),
    bind(&[Char('r'), Char('R')], C::Refresh, Everywhere, "ask again", None),
    bind(&[Ctrl('t')], C::Targets, Everywhere, "another target", None),
    bind(&[Ctrl('l')], C::Redraw, Everywhere, "draw everything anew", None),
    bind(&[Ctrl('z')], C::Suspend, Everywhere, "back to the shell, until `fg`", None),
    // Lists and texts.
    bind(&[Char('k'), Key::Up], C::Up, Lists, "up", None),
    bind(&[Char('j'), Key::Down], C::Down, Lists, "down", None),
    bind(&[Key::PageUp, Ctrl('b')], C::PageUp, Lists, "a page up", None),
    bind(&[Key::PageDown, Ctrl('f')], C::PageDown, Lists, "a page down", None),
    bind(&[Char('g'), Key::Home], C::Top, Lists, "to the beginning", None),
    bind(&[Char('G'), Key::End], C::Bottom, Lists, "to the end", None),
];

impl Scope {
    /// Whether a binding of this scope holds in a layer.
    pub fn holds(self, layer: Layer) -> bool {
        match (self, layer) {
            (In(wanted), layer) => wanted == layer,
            (Lists, layer) => !matches!(layer, Layer::Input | Layer::Confirm),
            (Everywhere, layer) => matches!(layer, Layer::Screen(_) | Layer::Page(_)),
            (On(wanted), layer) => layer == Layer::Screen(wanted) || layer == Layer::Page(wanted),
            (TopOf(wanted), layer) => layer == Layer::Screen(wanted),
        }
    }
}

/// What holds in a layer, in the table's order.
pub fn in_layer(layer: Layer) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.scope.holds(layer))
}

/// What a key means in a layer.
pub fn find(key: Key, layer: Layer) -> Option<Command> {
    in_layer(layer).find(|binding| binding.keys.contains(&key)).map(|binding| binding.command)
}

/// The table as a page of the documents.
pub fn markdown() -> String {
    let mut page = "# Keys\n\nMade from the program's own table by `cargo xtask pictures`; `?` shows the same on every screen.\n".to_owned();
    let mut part = |title: &str, holds: &dyn Fn(Scope) -> bool| {
        // Writing into a string cannot fail.
        _ = write!(page, "\n## {title}\n\n| key | what it does |\n| --- | --- |\n");
        for binding in BINDINGS.iter().filter(|binding| holds(binding.scope)) {
            let names: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
            _ = writeln!(page, "| {} | {} |", names.join(" "), binding.help);
        }
    };
    part("Everywhere", &|scope| scope == Everywhere);
    part("Lists and texts", &|scope| scope == Lists);
    for screen in Screen::ALL {
        part(screen.name(), &|scope| scope == On(screen) || scope == TopOf(screen));
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
    fn every_key_in_the_table_leads_to_its_command_somewhere() {
        for binding in BINDINGS {
            assert!(!binding.help.is_empty() && !binding.keys.is_empty());
            for key in binding.keys {
                let reached = layers().into_iter().any(|layer| find(*key, layer) == Some(binding.command));
                assert!(reached, "{key} never means {:?}", binding.command);
            }
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_layer() {
        for layer in layers() {
            let mut seen = HashSet::new();
            for binding in in_layer(layer) {
                for key in binding.keys {
                    assert!(seen.insert(*key), "{key} means two things in {layer:?}");
                }
            }
        }
    }

    #[test]
    fn every_layer_has_a_way_out() {
        for layer in layers() {
            let out = in_layer(layer)
                .any(|binding| matches!(binding.command, C::Back | C::No | C::Close | C::Quit));
            assert!(out, "{layer:?}");
        }
    }

    #[test]
    fn the_page_of_the_documents_is_this_table() {
        let page = include_str!("../../docs/reference/keys.md");
        assert_eq!(page, markdown(), "`cargo xtask pictures` writes it anew");
    }

    #[test]
    fn control_characters_are_no_text() {
        assert_eq!(find(Ctrl('c'), Layer::Screen(Logs)), Some(C::Quit));
        assert_eq!(find(Char('c'), Layer::Input), None);
    }
}
