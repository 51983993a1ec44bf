//! The Logs screen.

use super::commands::open_input;
use crate::tui::command::Command;
use crate::tui::effect::Effect;
use crate::tui::model::logs::{Logs, Stamps, WINDOWS, buffer};
use crate::tui::model::{Model, Overlay, Purpose};
use crate::tui::text;

/// Does what a command of this screen says.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let (width, height) = (usize::from(model.width), model.body().saturating_sub(1).max(1));
    let logs = &mut model.logs;
    match command {
        Command::Follow => {
            if logs.following {
                (logs.top, _) = logs.first_in_sight(width, height);
            }
            logs.following = !logs.following;
            if logs.following {
                logs.at = logs.buffer.shown().saturating_sub(1);
            } else {
                logs.settle(width, height);
            }
        }
        Command::Search => {
            open_input(model, Purpose::Search, "");
        }
        Command::Filter => {
            let text = logs.filter.as_ref().map(|filter| filter.as_str().to_owned()).unwrap_or_default();
            open_input(model, Purpose::Filter, &text);
        }
        Command::Next | Command::Previous => {
            if logs.search.is_none() {
                open_input(model, Purpose::Search, "");
            } else if !logs.find(command == Command::Next, width, height) {
                model.say("nothing matches");
            }
        }
        Command::Sources if logs.sources.is_empty() => model.say("the sources are not known yet"),
        Command::Sources => model.overlay = Some(Overlay::Sources { at: 0 }),
        Command::Wrap => {
            logs.wrap = !logs.wrap;
            logs.settle(width, height);
        }
        Command::Stamps => {
            logs.stamps = match logs.stamps {
                Stamps::Day => Stamps::Whole,
                Stamps::Whole => Stamps::None,
                Stamps::None => Stamps::Day,
            };
        }
        Command::Fold => {
            logs.unfolded = !logs.unfolded;
            logs.exceptions.clear();
            logs.settle(width, height);
        }
        Command::Mark => {
            let time = model.now.with_timezone(&model.zone).format("%H:%M:%S").to_string();
            logs.buffer.mark(model.now.timestamp_millis(), &time);
            if logs.following {
                logs.at = logs.buffer.shown().saturating_sub(1);
            }
        }
        Command::Shorter | Command::Longer => {
            let last = WINDOWS.len() - 1;
            let window =
                if command == Command::Longer { logs.window + 1 } else { logs.window.saturating_sub(1) };
            logs.window = window.min(last);
            return vec![follow(model)];
        }
        Command::Clear => {
            logs.buffer.clear();
            logs.exceptions.clear();
            (logs.at, logs.top) = (0, 0);
        }
        Command::Save => {
            let stamp = model.now.with_timezone(&model.zone).format("%Y%m%d_%H%M%S");
            open_input(model, Purpose::SaveLogs, &format!("covidctl-logs-{stamp}.txt"));
        }
        _ => {}
    }
    Vec::new()
}

/// Follows from the beginning of the window on, with nothing on screen yet.
pub(super) fn follow(model: &mut Model) -> Effect {
    let ticket = model.ticket();
    let logs = &mut model.logs;
    (logs.ticket, logs.asked, logs.caught_up) = (ticket, true, false);
    logs.buffer.clear();
    logs.exceptions.clear();
    for source in &mut logs.sources {
        source.came = 0;
    }
    (logs.at, logs.top, logs.note) = (0, 0, None);
    let since = WINDOWS[logs.window].0.map_or(0, |window| model.now.timestamp_millis() - window);
    Effect::Follow { ticket, since, run: logs.run }
}

/// Unfolds the selected row, or opens all of it.
pub(super) fn open(model: &mut Model) {
    let Some((_, row)) = model.logs.buffer.at(model.logs.at) else { return };
    let time = logs::to_datetime(row.time).with_timezone(&model.zone);
    let source = row.source.and_then(|source| model.logs.sources.get(source));
    let mut lines = vec![
        format!("time    {}", time.format("%Y-%m-%d %H:%M:%S%.3f %:z")),
        format!("source  {}", source.map_or("-", |source| source.name.as_str())),
        format!("stream  {}", row.stream),
        format!("level   {}", row.level.word()),
        String::new(),
        row.text.to_string(),
    ];
    lines.extend(row.more.iter().map(ToString::to_string));
    model.overlay = Some(Overlay::Text { title: "event".to_owned(), lines, top: 0 });
}

/// The selected row, as text.
pub(super) fn selected_text(model: &Model) -> Option<String> {
    let (_, row) = model.logs.buffer.at(model.logs.at)?;
    Some(row_text(&model.logs, row, model.zone))
}

/// All that is shown, as text.
pub(super) fn shown_text(model: &Model) -> String {
    let logs = &model.logs;
    let rows = (0..logs.buffer.shown()).filter_map(|at| logs.buffer.at(at));
    rows.fold(String::new(), |mut all, (_, row)| {
        all.push_str(&row_text(logs, row, model.zone));
        all.push('\n');
        all
    })
}

fn row_text(logs: &Logs, row: &buffer::Row, zone: chrono::FixedOffset) -> String {
    let time = logs::to_datetime(row.time).with_timezone(&zone).format("%Y-%m-%d %H:%M:%S%.3f%:z");
    let Some(source) = row.source else { return format!("---- {} ----", row.text) };
    let name = logs.sources.get(source).map_or("-", |source| source.name.as_str());
    let mut line = format!("{time} {} {} {}", text::pad(name, 8), text::pad(row.level.word(), 5), row.text);
    for more in &row.more {
        line.push_str("\n    ");
        line.push_str(more);
    }
    line
}
