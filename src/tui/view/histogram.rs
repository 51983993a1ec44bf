//! The strip above the log lines: how many there are over time, and where the errors and warnings are.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::pane::Pane;
use crate::tui::domain::{Histogram, LevelCounts, Millis};

/// Columns of the legend to the right.
const LEGEND: usize = 16;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Indexes in [`LevelCounts`].
const WARN: usize = 4;
const ERROR: usize = 5;

/// Draws two rows: a bar for each part of the time, and a mark below those with errors or warnings.
pub(super) fn draw(histogram: &Histogram, pane: &mut Pane) {
    let columns = pane.width().saturating_sub(LEGEND + 2).max(1);
    let (parts, length) = histogram.parts(columns);
    let most = parts.iter().map(total).max().unwrap_or(0).max(1);
    let theme = pane.theme;
    let style = |counts: &LevelCounts| match counts {
        counts if counts[ERROR] > 0 => theme.error(),
        counts if counts[WARN] > 0 => theme.warning(),
        _ => theme.accent(),
    };
    let bar = |counts: &LevelCounts| (bar(total(counts), most), style(counts));
    let mark = |counts: &LevelCounts| {
        let mark = if counts[ERROR] > 0 {
            "E"
        } else if counts[WARN] > 0 {
            "w"
        } else {
            " "
        };
        (mark, style(counts))
    };
    let legends = [format!(" {} a column", step(length)), " E error w warn".to_owned()];
    let rows: [Vec<(&str, Style)>; 2] = [parts.iter().map(bar).collect(), parts.iter().map(mark).collect()];
    for (row, (cells, legend)) in rows.into_iter().zip(legends).enumerate() {
        let cells = cells.into_iter().map(|(text, style)| Span::styled(text, style));
        let legend = Span::styled(legend, theme.dim());
        pane.line(row, std::iter::once(Span::raw(" ")).chain(cells).chain([legend]).collect::<Line>());
    }
}

fn total(counts: &LevelCounts) -> u64 {
    counts.iter().sum()
}

/// A bar in eighths of the highest one; any count is visible.
fn bar(count: u64, most: u64) -> &'static str {
    if count == 0 {
        return " ";
    }
    let eighths = usize::try_from((count * 8).div_ceil(most)).unwrap_or(8);
    BARS[eighths.clamp(1, 8) - 1]
}

fn step(length: Millis) -> String {
    let seconds = length / 1000;
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
