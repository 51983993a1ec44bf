//! What is published: how fresh, how much, its curve, its provinces, and what was rejected on the way.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::layout;
use super::super::model::Model;
use super::super::model::data::{Answer, Charts, Page};
use super::super::text::{cells, fit, width};
use super::super::theme::Theme;
use super::table::{Table, cell, column, number};
use super::{chart, covered, empty, line, title, titled, unanswered};
use crate::db::checks;
use common::text::{age, size, thousands};

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    if let Some(page) = &model.data.page {
        return rejected(model, page, theme, frame, area);
    }
    line(frame, area, 0, titled("PUBLISHED", &model.data.answer, model, theme));
    let Some(answer) = &model.data.answer.last else {
        return unanswered(&model.data.answer, theme, frame, area, 2);
    };
    line(frame, area, 3, gate(answer, theme, usize::from(area.width)));
    let Some(published) = &answer.published else {
        return empty(
            frame,
            area,
            2,
            "nothing is published yet; p on the Overview loads the datasets",
            theme.faint(),
        );
    };
    let loaded = published.finished_at.map(|at| age(at, model.now)).unwrap_or_default();
    let date =
        published.dataset_updated_on.map_or_else(|| "unknown date".to_owned(), |date| date.to_string());
    let years = published.years.clone().unwrap_or_default();
    let run: String = published.run_id.to_string().chars().take(8).collect();
    let text = format!("data of {date} · years {years} · published {loaded} by run {run}");
    line(frame, area, 1, Line::raw(format!(" {}", fit(&cells(&text), usize::from(area.width) - 2))));
    line(frame, area, 2, tables(answer, theme, usize::from(area.width)));
    let upper = u16::try_from(layout::data_upper(model)).unwrap_or(area.height).min(area.height);
    if let Some(charts) = &answer.charts {
        let half = area.width / 2;
        let left = Rect { y: area.y + 4, height: upper.saturating_sub(5), width: half, ..area };
        curve(charts, theme, frame, left);
        let right = Rect { x: area.x + half + 1, width: area.width - half - 2, ..left };
        provinces(charts, theme, frame, right);
    }
    let lower = Rect { y: area.y + upper, height: area.height - upper, ..area };
    issues(model, theme, frame, lower);
}

fn tables(answer: &Answer, theme: Theme, columns: usize) -> Line<'static> {
    let table = |table: &super::super::model::data::Table| {
        let bytes = size(u64::try_from(table.size).unwrap_or(0));
        format!("{} {} ({bytes})", cells(&table.name), thousands(table.rows))
    };
    let room = columns.saturating_sub(2);
    // What is not there matters more than how large the rest is.
    let mut left_out = cells(&answer.left_out.join(" · "));
    if !left_out.is_empty() {
        left_out.push_str(" · ");
    }
    let left_out = fit(&left_out, room);
    let words: Vec<String> = answer.tables.iter().map(table).collect();
    let words = fit(&words.join(" · "), room - width(&left_out));
    Line::from(vec![Span::raw(" "), Span::styled(left_out, theme.warn()), Span::styled(words, theme.faint())])
}

/// What the publish gate found: the last load if it was refused, else the checks of the published one.
fn gate(answer: &Answer, theme: Theme, columns: usize) -> Line<'static> {
    let (text, style) = if let Some(run) = &answer.refused {
        let id: String = run.run_id.to_string().chars().take(8).collect();
        let why = run.error.as_deref().unwrap_or("checks of the publish gate failed");
        (format!("the last load, {id}, was refused: {why}"), theme.bad())
    } else if answer.checks.is_empty() {
        return Line::default();
    } else {
        let anomaly = answer.checks.iter().find(|check| check.is_anomaly());
        let (why, style) = anomaly.map_or_else(
            || (String::new(), theme.faint()),
            |check| (format!(": {}", check.message), theme.warn()),
        );
        (format!("checks: {}{why}", checks::summary(&answer.checks)), style)
    };
    Line::styled(format!(" {}", fit(&cells(&text), columns.saturating_sub(2))), style)
}

/// Confirmed cases by week.
fn curve(charts: &Charts, theme: Theme, frame: &mut Frame, area: Rect) {
    line(frame, area, 0, title("CONFIRMED BY WEEK", "", theme));
    let (Some((first, _)), Some((last, _))) = (charts.weeks.first(), charts.weeks.last()) else {
        return empty(frame, area, 1, "no case is confirmed", theme.faint());
    };
    if area.height < 4 || area.width < 24 {
        return;
    }
    let values: Vec<u64> = charts.weeks.iter().map(|(_, cases)| u64::try_from(*cases).unwrap_or(0)).collect();
    let highest = thousands(i64::try_from(values.iter().copied().max().unwrap_or(0)).unwrap_or(0));
    let label = u16::try_from(highest.len() + 2).unwrap_or(0);
    line(frame, area, 1, Line::styled(format!(" {highest}"), theme.faint()));
    line(frame, area, area.height - 2, Line::styled(format!(" {:>1$}", 0, highest.len()), theme.faint()));
    let plot = Rect {
        x: area.x + label,
        y: area.y + 1,
        width: area.width.saturating_sub(label + 1),
        height: area.height - 2,
    };
    chart::columns(frame, plot, &values, theme.accent());
    let room = usize::from(plot.width).saturating_sub(10);
    let dates = format!("{first}{:>room$}", last.to_string());
    line(
        frame,
        Rect { x: plot.x, width: plot.width, ..area },
        area.height - 1,
        Line::styled(dates, theme.faint()),
    );
}

fn provinces(charts: &Charts, theme: Theme, frame: &mut Frame, area: Rect) {
    line(frame, area, 0, title("CONFIRMED BY PROVINCE", "", theme));
    let row = |(name, cases): &(Option<String>, i64)| {
        (name.as_deref().map_or_else(|| "unspecified".to_owned(), cells), *cases)
    };
    let rows: Vec<_> = charts.provinces.iter().map(row).collect();
    let list = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(1),
        height: area.height.saturating_sub(1),
    };
    chart::bars(frame, list, &rows, (theme.text(), theme.accent()));
}

fn issues(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let issues = model.data.issues();
    line(frame, area, 0, title("REJECTED AND REPAIRED", "rows by reason", theme));
    if issues.is_empty() {
        return empty(frame, area, 1, "nothing was rejected or repaired", theme.faint());
    }
    let top = model.data.cursor.top.min(issues.len());
    let rows = issues[top..].iter().take(usize::from(area.height)).map(|issue| {
        let style = if issue.kind == "rejected" { theme.warn() } else { theme.text() };
        vec![
            cell(cells(&issue.kind), style),
            cell(cells(&issue.dataset), theme.text()),
            cell(cells(&issue.reason), theme.text()),
            cell(thousands(issue.rows), theme.text()),
        ]
    });
    let columns = [
        column("KIND", usize::MAX, 0),
        column("DATASET", usize::MAX, 1),
        column("REASON", 10, 0),
        number("ROWS", 0),
    ];
    let selected = (!covered(model)).then(|| model.data.cursor.at.saturating_sub(top));
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    Table { columns: &columns, rows: rows.collect(), selected }.draw(theme, frame, list);
}

fn rejected(model: &Model, page: &Page, theme: Theme, frame: &mut Frame, area: Rect) {
    let heading = format!("REJECTED ROWS · {} · {}", cells(&page.dataset), cells(&page.reason));
    line(frame, area, 0, titled(&heading, &page.rows, model, theme));
    let Some(rows) = &page.rows.last else { return unanswered(&page.rows, theme, frame, area, 2) };
    if rows.is_empty() {
        return empty(frame, area, 2, "none is kept", theme.faint());
    }
    let top = page.cursor.top.min(rows.len());
    let cells_of = rows[top..]
        .iter()
        .take(usize::from(area.height))
        .map(|row| vec![cell(thousands(row.line), theme.faint()), cell(cells(&row.raw), theme.text())]);
    let columns = [number("LINE", 0), column("RAW TEXT", 10, 0)];
    let selected = (!covered(model)).then(|| page.cursor.at.saturating_sub(top));
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    Table { columns: &columns, rows: cells_of.collect(), selected }.draw(theme, frame, list);
}
