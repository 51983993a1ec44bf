//! Commands of the Logs screen.

use regex::Regex;

use super::requests;
use crate::tui::domain::{Condition, Millis, to_datetime};
use crate::tui::layout;
use crate::tui::model::logs::{LogLevel, LogRow, Timestamps, WINDOWS};
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
            let filter = logs.buffer.filter.grep.as_ref().map(ToString::to_string);
            model.open_input(Purpose::Filter, &filter.unwrap_or_default());
        }
        Command::Where => {
            logs.field_names = logs.buffer.field_names();
            let condition = logs.buffer.filter.condition.as_ref().map(ToString::to_string);
            model.open_input(Purpose::Where, &condition.unwrap_or_default());
        }
        Command::GoToTime => model.open_input(Purpose::Time, ""),
        Command::NextError | Command::PreviousError => {
            let found =
                logs.select_next(|row| row.level == LogLevel::Error, command == Command::NextError, view);
            if !found {
                model.notify("no error among the shown lines");
            }
        }
        Command::NextMark | Command::PreviousMark => {
            let found = logs.select_next(|row| row.source.is_none(), command == Command::NextMark, view);
            if !found {
                model.notify("no mark; m inserts one");
            }
        }
        Command::Patterns => {
            logs.patterns = logs.buffer.patterns();
            if logs.patterns.is_empty() {
                model.notify("no lines to group");
            } else {
                model.overlay = Some(Overlay::Patterns(Cursor::default()));
            }
        }
        Command::CopyJson => return copy_json(model).into_iter().collect(),
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

/// Shows only the rows for which a condition holds.
pub(super) fn filter_by_fields(model: &mut Model, condition: Option<Condition>) -> Vec<Effect> {
    model.logs.set_condition(condition);
    model.show(Screen::Logs);
    Vec::new()
}

/// Selects the first row at or after a time.
pub(super) fn go_to_time(model: &mut Model, time: Millis) -> Vec<Effect> {
    let view = layout::log_viewport(model);
    match model.logs.buffer.at_time(time) {
        Some(position) => {
            let is_older = model.logs.buffer.at(0).is_some_and(|(_, first)| first.time > time);
            model.logs.select(position, view);
            if is_older {
                model.notify("this is the first line in memory; ] looks further back");
            }
        }
        None => model.notify("no line is that new"),
    }
    Vec::new()
}

/// Shows the rows of the chosen pattern.
pub(super) fn unfold_pattern(model: &mut Model, at: usize) -> Vec<Effect> {
    let pattern = model.logs.patterns.get(at).cloned();
    model.logs.patterns.clear();
    model.logs.set_pattern(pattern);
    Vec::new()
}

/// The selected event as JSON, with the message as it was logged.
fn copy_json(model: &mut Model) -> Option<Effect> {
    let (_, row) = model.logs.buffer.at(model.logs.at).filter(|(_, row)| row.source.is_some())?;
    let json = serde_json::json!({
        "time": to_datetime(row.time).to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "source": source_name(model, row),
        "stream": &*row.stream,
        "level": row.level.severity().map(crate::tui::domain::Severity::name),
        "message": row.message(),
    });
    model.notify("copied the event as JSON");
    Some(Effect::Copy(json.to_string()))
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
