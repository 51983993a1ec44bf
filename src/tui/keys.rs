//! The table of key bindings. The help, the footer, the palette and the reference page are generated from it.
//!
//! A key is its name, as the help shows it: `q`, `Space`, `Ctrl-C`. It has one meaning in a layer; the layer follows from the model. A
//! key that is not bound does nothing, except while text is typed.

use std::fmt::Write as _;

use tui_input::InputRequest;

use super::model::{Command, Layer, Screen};

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

/// Whether a command can be typed into the palette, with its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaletteEntry {
    Unlisted,
    Listed(&'static str),
    /// The palette shows the screen of the binding first.
    Shows(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The names of keys, separated by spaces.
    pub keys: &'static str,
    pub command: Command,
    pub scope: Scope,
    pub help: &'static str,
    /// The word in the footer, if it is listed there.
    pub footer: Option<&'static str>,
    pub palette: PaletteEntry,
}

const fn bind(
    keys: &'static str,
    command: Command,
    scope: Scope,
    help: &'static str,
    footer: Option<&'static str>,
    palette: PaletteEntry,
) -> Binding {
    Binding { keys, command, scope, help, footer, palette }
}

impl Binding {
    /// The words of the command in the palette.
    pub const fn words(&self) -> Option<&'static str> {
        match self.palette {
            Unlisted => None,
            Listed(words) | Shows(words) => Some(words),
        }
    }
}

use Command as C;
use PaletteEntry::{Listed, Shows, Unlisted};
use Scope::{Everywhere, In, Lists, On, TopOf};
use Screen::{Data, Database, Health, Logs, Overview, Reports, Runs, Tunnels};

/// All bindings; the first match wins.
pub static BINDINGS: &[Binding] = &[
    // Overlays.
    bind("y", C::Yes, In(Layer::Confirm), "yes", Some("yes"), Unlisted),
    bind("n Esc Enter q", C::No, In(Layer::Confirm), "no", Some("no"), Unlisted),
    bind("Enter", C::Submit, In(Layer::Input), "accept the text", Some("ok"), Unlisted),
    bind("Tab", C::Complete, In(Layer::Input), "complete the command", Some("complete"), Unlisted),
    bind("Esc Ctrl-C", C::Back, In(Layer::Input), "cancel", Some("cancel"), Unlisted),
    bind("Space", C::Toggle, In(Layer::Choice), "toggle the selected item", Some("toggle"), Unlisted),
    bind("Enter", C::Submit, In(Layer::Choice), "accept the choice", Some("ok"), Unlisted),
    bind("Esc q", C::Back, In(Layer::Choice), "back", Some("back"), Unlisted),
    bind("Esc q ? F1", C::Back, In(Layer::Help), "back", Some("back"), Unlisted),
    // Runs.
    bind("Enter", C::Open, TopOf(Runs), "show the details of the run", Some("details"), Unlisted),
    bind("e", C::StartEtl, On(Runs), "load the datasets", Some("etl"), Listed("run etl")),
    bind("p", C::StartAll, On(Runs), "download, load, report", Some("pipeline"), Unlisted),
    bind("w", C::StartReport, On(Runs), "write a report", None, Unlisted),
    bind("a", C::Rerun, On(Runs), "run the selected job again", Some("again"), Shows("again")),
    bind("S", C::Stop, On(Runs), "stop the selected run", Some("stop"), Shows("stop")),
    bind("d", C::CompareRun, On(Runs), "compare with the last good run before", Some("diff"), Shows("diff")),
    bind("l", C::RunLogs, On(Runs), "follow the log of the run", Some("log"), Shows("run logs")),
    // Logs.
    bind("Space s", C::Follow, On(Logs), "pause or resume following", Some("pause"), Shows("follow")),
    bind("/", C::Search, On(Logs), "search", Some("search"), Shows("search")),
    bind("n", C::NextMatch, On(Logs), "next match", None, Unlisted),
    bind("N", C::PreviousMatch, On(Logs), "previous match", None, Unlisted),
    bind("&", C::Filter, On(Logs), "show matching lines only", Some("filter"), Shows("filter")),
    bind(
        "f",
        C::Where,
        On(Logs),
        "show lines by their fields: level >= warn and rows > 2",
        Some("where"),
        Shows("where"),
    ),
    bind("P", C::Patterns, On(Logs), "group the lines into patterns", Some("patterns"), Shows("patterns")),
    bind("e", C::NextError, On(Logs), "next error", Some("error"), Shows("next error")),
    bind("E", C::PreviousError, On(Logs), "previous error", None, Shows("previous error")),
    bind("T", C::GoToTime, On(Logs), "go to a time", None, Shows("time")),
    bind("o", C::Sources, On(Logs), "choose log sources", Some("sources"), Shows("sources")),
    bind("[", C::ShortenWindow, On(Logs), "shorten the time window", None, Unlisted),
    bind("]", C::ExtendWindow, On(Logs), "extend the time window", Some("older"), Unlisted),
    bind("w", C::Wrap, On(Logs), "wrap long lines", Some("wrap"), Shows("wrap")),
    bind("t", C::Timestamps, On(Logs), "timestamps: time, date and time, none", None, Shows("times")),
    bind("z", C::Fold, On(Logs), "fold or unfold multi-line events", None, Shows("fold")),
    bind("m", C::Mark, On(Logs), "insert a mark", None, Shows("mark")),
    bind("u", C::NextMark, On(Logs), "next mark", None, Unlisted),
    bind("U", C::PreviousMark, On(Logs), "previous mark", None, Unlisted),
    bind("y", C::CopyJson, On(Logs), "copy the selected event as JSON", None, Shows("copy json")),
    bind("C", C::Clear, On(Logs), "clear all lines", None, Shows("clear")),
    bind("Ctrl-S", C::Save, On(Logs), "save the shown lines to a file", None, Listed("save")),
    bind("Enter", C::Open, TopOf(Logs), "show the whole event", None, Unlisted),
    // Data.
    bind("Enter", C::Open, On(Data), "show the rejected rows", Some("rows"), Unlisted),
    // Reports.
    bind("Enter", C::Open, TopOf(Reports), "read the report", Some("read"), Unlisted),
    bind("Ctrl-S", C::Save, On(Reports), "save the report to the current directory", Some("save"), Unlisted),
    bind("w", C::StartReport, On(Reports), "write a new report", Some("write"), Listed("run report")),
    // Tunnels.
    bind("o", C::OpenTunnel, On(Tunnels), "open a tunnel", Some("open"), Shows("tunnel")),
    bind("x", C::CloseTunnel, On(Tunnels), "close the selected tunnel", Some("close"), Shows("close tunnel")),
    // Database.
    bind("Enter", C::Open, On(Database), "show the whole session", Some("session"), Unlisted),
    bind(
        "x",
        C::CancelQuery,
        On(Database),
        "cancel the query of the session",
        Some("cancel"),
        Shows("cancel query"),
    ),
    bind("X", C::EndSession, On(Database), "end the session", Some("end"), Shows("end session")),
    // Health.
    bind("Enter", C::Open, On(Health), "show the whole check", Some("check"), Unlisted),
    bind(
        "v",
        C::Changes,
        On(Health),
        "show who changed a resource on AWS lately",
        Some("changes"),
        Shows("changes"),
    ),
    bind(
        "$",
        C::Cost,
        On(Health),
        "show what the account on AWS costs this month",
        Some("cost"),
        Shows("cost"),
    ),
    // Overview.
    bind("u", C::BringUp, On(Overview), "bring the target up", Some("up"), Listed("up")),
    bind("p", C::StartAll, On(Overview), "download, load, report", Some("pipeline"), Listed("run pipeline")),
    bind("Enter", C::Open, On(Overview), "open the selected component", Some("open"), Unlisted),
    // Everywhere.
    bind("? F1", C::Help, Everywhere, "show the keys", Some("help"), Listed("help")),
    bind(":", C::Palette, Everywhere, "open the command palette", Some("command"), Unlisted),
    bind("q", C::Close, Everywhere, "back; quit from the top level", Some("quit"), Unlisted),
    bind("Ctrl-C", C::Quit, Everywhere, "quit", None, Listed("quit")),
    bind("Esc", C::Back, Everywhere, "back", None, Unlisted),
    bind("1", C::Show(Overview), Everywhere, "Overview", None, Listed("overview")),
    bind("2", C::Show(Runs), Everywhere, "Runs", None, Listed("runs")),
    bind("3", C::Show(Logs), Everywhere, "Logs", None, Listed("logs")),
    bind("4", C::Show(Data), Everywhere, "Data", None, Listed("data")),
    bind("5", C::Show(Reports), Everywhere, "Reports", None, Listed("reports")),
    bind("6", C::Show(Tunnels), Everywhere, "Tunnels", None, Listed("tunnels")),
    bind("7", C::Show(Database), Everywhere, "Database", None, Listed("database")),
    bind("8", C::Show(Health), Everywhere, "Health", None, Listed("health")),
    bind("Tab →", C::NextScreen, Everywhere, "next screen", None, Unlisted),
    bind("Shift-Tab ←", C::PreviousScreen, Everywhere, "previous screen", None, Unlisted),
    bind("c", C::Copy, Everywhere, "copy the selected item", None, Listed("copy")),
    bind("r R", C::Refresh, Everywhere, "refresh", None, Listed("refresh")),
    bind("Ctrl-T", C::Targets, Everywhere, "switch the target", None, Listed("targets")),
    bind("Ctrl-L", C::Redraw, Everywhere, "redraw the screen", None, Unlisted),
    bind("Ctrl-Z", C::Suspend, Everywhere, "suspend; `fg` resumes", None, Unlisted),
    // Lists and texts.
    bind("k ↑", C::Up, Lists, "up", None, Unlisted),
    bind("j ↓", C::Down, Lists, "down", None, Unlisted),
    bind("PgUp Ctrl-B", C::PageUp, Lists, "page up", None, Unlisted),
    bind("PgDn Ctrl-F", C::PageDown, Lists, "page down", None, Unlisted),
    bind("g Home", C::Top, Lists, "go to the top", None, Unlisted),
    bind("G End", C::Bottom, Lists, "go to the bottom", None, Unlisted),
];

/// The editing keys of a text input, as in GNU Readline.
static EDITING: &[(&str, InputRequest, &str)] = &[
    ("← Ctrl-B", InputRequest::GoToPrevChar, "move left"),
    ("→ Ctrl-F", InputRequest::GoToNextChar, "move right"),
    ("Home Ctrl-A", InputRequest::GoToStart, "move to the start"),
    ("End Ctrl-E", InputRequest::GoToEnd, "move to the end"),
    ("Backspace Ctrl-H", InputRequest::DeletePrevChar, "delete the character to the left"),
    ("Delete Ctrl-D", InputRequest::DeleteNextChar, "delete the character to the right"),
    ("Ctrl-W", InputRequest::DeletePrevWord, "delete the word to the left"),
    ("Ctrl-U", InputRequest::DeleteFromStart, "delete to the start"),
    ("Ctrl-K", InputRequest::DeleteTillEnd, "delete to the end"),
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

/// Whether a list of keys has one.
fn has(keys: &str, key: &str) -> bool {
    keys.split(' ').any(|name| name == key)
}

pub fn find(key: &str, layer: Layer) -> Option<Command> {
    in_layer(layer).find(|binding| has(binding.keys, key)).map(|binding| binding.command)
}

/// What a key that is no character does to the text of an input.
pub fn edit(key: &str) -> Option<InputRequest> {
    EDITING.iter().find(|(keys, ..)| has(keys, key)).map(|(_, request, _)| *request)
}

/// The bindings as a page of the reference documentation.
pub fn markdown() -> String {
    type Row = (&'static str, &'static str);
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
            _ = writeln!(page, "| `{}` | {help} |", keys.replace(' ', "` `"));
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
            for key in binding.keys.split(' ') {
                let reached = layers().into_iter().any(|layer| find(key, layer) == Some(binding.command));
                assert!(reached, "{key} never runs {:?}", binding.command);
            }
        }
    }

    #[test]
    fn key_has_one_meaning_in_each_layer() {
        for layer in layers() {
            let mut seen = HashSet::new();
            for binding in in_layer(layer) {
                for key in binding.keys.split(' ') {
                    assert!(seen.insert(key), "{key} has two meanings in {layer:?}");
                }
            }
        }
    }

    #[test]
    fn editing_key_is_not_bound_to_a_command_in_inputs() {
        let mut seen = HashSet::new();
        for key in EDITING.iter().flat_map(|(keys, ..)| keys.split(' ')) {
            assert!(seen.insert(key) && find(key, Layer::Input).is_none(), "{key} has two meanings");
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
}
