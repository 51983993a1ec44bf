//! A question of the report: a query, the text around its answer, and how the answer is presented.
//!
//! A question is independent of the views. Each view decides how to show an answer, from the kind and the placement of each column and the
//! chart that suits it.

use serde::Serialize;

use super::code_labels::{self, CodeLabels};
use super::language::{Localized, tr};

/// A question, answered by one query.
#[derive(Debug)]
pub struct Question {
    /// The stable English name, used for the CSV file and in messages.
    pub name: &'static str,
    /// One statement without parameters, so that it can be pasted into any client.
    pub sql: &'static str,
    pub title: Localized,
    /// Definitions and caveats, shown below the numbers.
    pub note: Localized,
    /// Shown if the answer has no rows.
    pub if_empty: Localized,
    /// The unit of the chart's values.
    pub unit: Localized,
    pub layout: Layout,
    pub row_limit: RowLimit,
    pub chart: Chart,
    /// In the order of the query, under the query's names.
    pub columns: &'static [Column],
}

/// A question of this name and its query in `queries/`, with defaults for everything else.
macro_rules! question {
    ($name:literal) => {
        $crate::report::question::Question::new(
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/", $name, ".sql")),
        )
    };
}
pub(super) use question;

impl Question {
    pub(super) const fn new(name: &'static str, sql: &'static str) -> Self {
        Self {
            name,
            sql,
            title: Localized::same(""),
            note: Localized::same(""),
            if_empty: tr("No hay datos: no hay casos cargados.", "No data: no cases are loaded."),
            unit: tr("casos confirmados", "confirmed cases"),
            layout: Layout::Table,
            row_limit: RowLimit::All,
            chart: Chart::None,
            columns: &[],
        }
    }

    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// Returns the position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }
}

/// How an answer is laid out in the text and on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A line for each column of the only row.
    List,
    Table,
    TableWithTotals,
    /// A row for each value of one column and a column for each value of another, by the columns' names.
    Pivot {
        row: &'static str,
        column: &'static str,
        cell: &'static str,
    },
}

/// The rows of a long answer that the text and the page show. CSV and JSON have all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLimit {
    All,
    First(usize),
    Last(usize),
}

/// The chart of an answer. Columns are named as in the query; `html/charts` draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    None,
    /// A bar in each row of the table, for the column at [`Placement::Bar`].
    Bars,
    /// A column for each row, over time.
    Columns {
        x: &'static str,
        y: &'static str,
    },
    /// Thin columns with a smooth line over them.
    Trend {
        x: &'static str,
        each: &'static str,
        smooth: &'static str,
    },
    /// A line inside the band of its interval.
    Band {
        x: &'static str,
        y: &'static str,
        interval: (&'static str, &'static str),
    },
    /// Columns of known values, and on top of them the values that are still expected.
    Stack {
        x: &'static str,
        solid: &'static str,
        ghost: &'static str,
    },
    /// One dot per series in each row, on a common scale; the interval is that of the first series.
    DotPlot {
        label: &'static str,
        series: &'static [&'static str],
        interval: Option<(&'static str, &'static str)>,
    },
    /// Bars to both sides of a label.
    Pyramid {
        label: &'static str,
        left: &'static str,
        right: &'static str,
    },
    /// A cell for each pair of row and time, darker for higher values.
    Heatmap {
        row: &'static str,
        x: &'static str,
        value: &'static str,
    },
}

#[derive(Debug)]
pub struct Column {
    /// The name in the query and the CSV.
    pub name: &'static str,
    pub title: Localized,
    pub kind: ColumnKind,
    /// The labels of a text that is a code.
    pub labels: &'static CodeLabels,
    pub placement: Placement,
}

impl Column {
    pub const fn new(name: &'static str, kind: ColumnKind, title: Localized) -> Self {
        Self { name, title, kind, labels: &code_labels::PLAIN, placement: Placement::Table }
    }

    pub const fn coded(name: &'static str, labels: &'static CodeLabels, title: Localized) -> Self {
        Self { labels, ..Self::new(name, ColumnKind::Text, title) }
    }

    #[must_use]
    pub const fn at(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Whether the table shows the column.
    pub(super) const fn is_in_table(&self) -> bool {
        matches!(self.placement, Placement::Table | Placement::Bar)
    }
}

/// What the values of a column are, which determines their format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    Text,
    /// A number that is a name, such as a year.
    Number,
    Date,
    /// A month, as its first day.
    Month,
    Time,
    /// A number of things, which can be added up.
    Count,
    /// A difference of counts, with its sign.
    Difference,
    /// A mean or a rate, with one decimal.
    Rate,
    Percent,
    /// A percentage of the column's sum, so that the column adds up to 100.
    Share,
    /// A relative change in percent, with its sign.
    Change,
    /// Shown as the column's title if true, as nothing if false.
    Flag,
}

impl ColumnKind {
    /// Whether the values identify a row instead of being measured for it.
    pub const fn is_key(self) -> bool {
        matches!(self, Self::Text | Self::Number | Self::Date | Self::Month | Self::Time)
    }

    /// Whether the values are aligned to the right.
    pub const fn is_numeric(self) -> bool {
        !matches!(self, Self::Text | Self::Date | Self::Month | Self::Time | Self::Flag)
    }
}

/// Where the text and the page show a column. CSV and JSON have all columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    Table,
    /// In the table, and as a bar at the end of the row.
    Bar,
    /// Above the table, once: the value is the same in every row.
    Heading,
    /// At most in the chart.
    FileOnly,
}
