//! Commands of the Logs screen.

use regex::Regex;

use super::requests;
use crate::tui::domain::to_datetime;
use crate::tui::layout;
use crate::tui::model::logs::{LogRow, Timestamps, WINDOWS};
use crate::tui::model::overlay::{Overlay, Purpose};
use crate::tui::model::{Command, Cursor, Effect, Model, Screen};
use crate::tui::text::pad;

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let view = layout::log_viewport(model);
    let now = model.now.with_timezone(&model.zone);
    let logs = &mut model.logs;
    match command {
        Command::Follow if logs.following => {
            (logs.top, _) = logs.first_visible(view);
            logs.following = false;
        }
        Command::Follow => {
            logs.following = true;
            logs.follow_end();
        }
        Command::NextMatch | Command::PreviousMatch if logs.search.is_some() => {
            let is_found = logs.select_match(command == Command::NextMatch, view);
            if !is_found {
                model.notify("no match");
            }
        }
        Command::Search | Command::NextMatch | Command::PreviousMatch => {
            model.open_input(Purpose::Search, "");
        }
        Command::Filter => {
            let filter = logs.buffer.filter.as_ref().map(ToString::to_string);
            model.open_input(Purpose::Filter, &filter.unwrap_or_default());
        }
        Command::Sources if logs.sources.is_empty() => {
            model.notify("the log sources are not known yet");
        }
        Command::Sources => model.overlay = Some(Overlay::Sources(Cursor::default())),
        Command::Wrap => logs.wrap = !logs.wrap,
        Command::Timestamps => {
            logs.timestamps = match logs.timestamps {
                Timestamps::Time => Timestamps::Full,
                Timestamps::Full => Timestamps::Hidden,
                Timestamps::Hidden => Timestamps::Time,
            };
        }
        Command::Fold => logs.unfolded = !logs.unfolded,
        Command::Mark => {
            let time = now.format("%H:%M:%S").to_string();
            logs.buffer.mark(now.timestamp_millis(), &time);
            logs.follow_end();
        }
        Command::ShortenWindow => {
            logs.window = logs.window.saturating_sub(1);
            return vec![requests::follow_logs(model)];
        }
        Command::ExtendWindow => {
            logs.window = (logs.window + 1).min(WINDOWS.len() - 1);
            return vec![requests::follow_logs(model)];
        }
        Command::Clear => logs.clear(),
        Command::Save => {
            let time = now.format("%Y%m%d_%H%M%S");
            model.open_input(Purpose::SaveLogs, &format!("covidctl-logs-{time}.txt"));
        }
        _ => {}
    }
    Vec::new()
}

pub(super) fn search(model: &mut Model, search: Option<Regex>) -> Vec<Effect> {
    let view = layout::log_viewport(model);
    model.logs.search = search;
    // While following, the newest match is found first.
    let forward = !model.logs.following;
    if let Some(search) = model.logs.search.clone()
        && !model.logs.select_match(forward, view)
    {
        model.notify(format!("no match for {search}"));
    }
    Vec::new()
}

pub(super) fn filter(model: &mut Model, filter: Option<Regex>) -> Vec<Effect> {
    model.logs.set_filter(filter);
    model.show(Screen::Logs);
    Vec::new()
}

/// Shows the whole event of the selected row.
pub(super) fn open(model: &mut Model) {
    let Some((_, row)) = model.logs.buffer.at(model.logs.at) else { return };
    let time = to_datetime(row.time).with_timezone(&model.zone);
    let mut lines = vec![
        format!("time    {}", time.format("%Y-%m-%d %H:%M:%S%.3f %:z")),
        format!("source  {}", source_name(model, row).unwrap_or("-")),
        format!("stream  {}", row.stream),
        format!("level   {}", row.level.name()),
        String::new(),
        row.text.to_string(),
    ];
    lines.extend(row.more.iter().map(ToString::to_string));
    model.overlay = Some(Overlay::text("event".to_owned(), lines));
}

pub(super) fn selected_text(model: &Model) -> Option<String> {
    model.logs.buffer.at(model.logs.at).map(|(_, row)| row_text(model, row))
}

/// All shown rows as text.
pub(super) fn shown_text(model: &Model) -> String {
    let buffer = &model.logs.buffer;
    let rows = (0..buffer.shown()).filter_map(|at| buffer.at(at));
    rows.map(|(_, row)| row_text(model, row) + "\n").collect()
}

fn row_text(model: &Model, row: &LogRow) -> String {
    if row.source.is_none() {
        return format!("---- {} ----", row.text);
    }
    let time = to_datetime(row.time).with_timezone(&model.zone).format("%Y-%m-%d %H:%M:%S%.3f%:z");
    let source = pad(source_name(model, row).unwrap_or("-"), 8);
    let mut text = format!("{time} {source} {} {}", pad(row.level.name(), 5), row.text);
    for line in &row.more {
        text.push_str("\n    ");
        text.push_str(line);
    }
    text
}

fn source_name<'a>(model: &'a Model, row: &LogRow) -> Option<&'a str> {
    model.logs.sources.get(row.source?).map(|source| source.name.as_str())
}
