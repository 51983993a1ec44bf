//! An area of the terminal to draw into.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use crate::tui::model::{Model, Remote};
use crate::tui::text::{sanitize, truncate, width, wrap_words};
use crate::tui::theme::Theme;
use common::text::age;

pub(super) struct Pane<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) area: Rect,
    pub(super) theme: Theme,
}

impl Pane<'_> {
    pub(super) fn width(&self) -> usize {
        usize::from(self.area.width)
    }

    pub(super) fn height(&self) -> usize {
        usize::from(self.area.height)
    }

    /// A part of the pane; `area` is relative to it, and is cut at its edges.
    pub(super) fn part(&mut self, area: Rect) -> Pane<'_> {
        let area = Rect { x: self.area.x + area.x, y: self.area.y + area.y, ..area };
        Pane { buffer: self.buffer, area: area.intersection(self.area), theme: self.theme }
    }

    /// The rows from `row` on.
    pub(super) fn below(&mut self, row: usize) -> Pane<'_> {
        self.rows(row, usize::MAX)
    }

    /// At most `count` rows from `row` on.
    pub(super) fn rows(&mut self, row: usize, count: usize) -> Pane<'_> {
        let [y, height] = [row, count].map(|rows| u16::try_from(rows.min(self.height())).unwrap_or(0));
        self.part(Rect { x: 0, y, height, ..self.area })
    }

    pub(super) fn style_row(&mut self, row: usize, style: Style) {
        let area = self.rows(row, 1).area;
        self.buffer.set_style(area, style);
    }

    /// Draws a line into a row; one below the pane is left out.
    pub(super) fn line<'a>(&mut self, row: usize, line: impl Into<Line<'a>>) {
        let area = self.rows(row, 1).area;
        line.into().render(area, self.buffer);
    }

    /// Draws a line of text with a margin, truncated to the width.
    pub(super) fn text(&mut self, row: usize, text: &str, style: Style) {
        let text = truncate(text, self.width().saturating_sub(2));
        self.line(row, Line::styled(format!(" {text}"), style));
    }

    /// Draws a dimmed line, in place of an empty list or beside a chart.
    pub(super) fn dim(&mut self, row: usize, text: &str) {
        self.text(row, text, self.theme.dim());
    }

    /// Draws a title with a remark.
    pub(super) fn title(&mut self, title: &str, remark: &str) {
        let remark = if remark.is_empty() { String::new() } else { format!("  {remark}") };
        let title = Span::styled(format!(" {title}"), self.theme.title());
        self.line(0, Line::from(vec![title, Span::styled(remark, self.theme.dim())]));
    }

    /// Draws the title of a value into a row, with its age if it is stale and the reason if a request failed.
    pub(super) fn remote_title<T>(&mut self, row: usize, title: &str, remote: &Remote<T>, model: &Model) {
        let theme = self.theme;
        let mut spans = vec![Span::styled(format!(" {title}"), theme.title())];
        let age = remote.received_at.map(|at| age(at, model.now)).unwrap_or_default();
        match (&remote.error, &remote.value) {
            // The reason is drawn in place of the value, see `no_value`.
            (Some(_), None) => spans.push(Span::styled("  ✗ unknown", theme.error())),
            (Some(error), Some(_)) => {
                spans.push(Span::styled(format!("  as of {age}"), theme.warning()));
                let used: usize = spans.iter().map(|span| width(&span.content)).sum();
                let message = truncate(&sanitize(&error.message), self.width().saturating_sub(used + 5));
                spans.push(Span::styled(format!("  ✗ {message}"), theme.error()));
            }
            (None, None) if remote.pending.is_some() => spans.push(Span::styled("  …", theme.dim())),
            (None, Some(_)) if remote.is_late(model.now) => {
                spans.push(Span::styled(format!("  ● waiting for a response; as of {age}"), theme.warning()));
            }
            _ => {}
        }
        self.line(row, spans);
    }

    /// Draws why a value is missing, and what to do about it.
    pub(super) fn no_value<T>(&mut self, row: usize, remote: &Remote<T>) {
        let Some(error) = &remote.error else { return self.dim(row, "loading") };
        let (error_style, hint_style) = (self.theme.error(), self.theme.accent());
        let hint = error.hint.as_ref().map(|hint| (format!("hint: {hint}"), hint_style));
        let mut row = row;
        for (text, style) in std::iter::once((error.message.clone(), error_style)).chain(hint) {
            for line in wrap_words(&sanitize(&text), self.width().saturating_sub(2)) {
                self.line(row, Line::styled(format!(" {line}"), style));
                row += 1;
            }
        }
    }
}
