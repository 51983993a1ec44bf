//! A question of the report: a query, the text around its answer, and how the answer is presented.
//!
//! A question is independent of the views. Each view decides how to show an answer, from the kind and the placement of each column and the
//! chart that suits it.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::language::{Language, Localized, tr};

/// A question, answered by one query. The files in `questions/` have everything but the query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The stable English name, used for the CSV file and in messages.
    pub name: &'static str,
    /// One statement without parameters, so that it can be pasted into any client.
    #[serde(skip)]
    pub sql: &'static str,
    pub title: Localized,
    /// Definitions and caveats, shown below the numbers.
    pub note: Localized,
    /// Shown if the answer has no rows.
    #[serde(default = "no_cases")]
    pub if_empty: Localized,
    /// The unit of the chart's values.
    #[serde(default = "confirmed_cases")]
    pub unit: Localized,
    #[serde(default)]
    pub layout: Layout,
    #[serde(default)]
    pub row_limit: RowLimit,
    #[serde(default)]
    pub chart: Chart,
    /// In the order of the query, under the query's names.
    pub columns: Vec<Column>,
}

const fn no_cases() -> Localized {
    tr("No hay datos: no hay casos cargados.", "No data: no cases are loaded.")
}

const fn confirmed_cases() -> Localized {
    tr("casos confirmados", "confirmed cases")
}

impl Question {
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// Returns the position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }
}

/// How an answer is laid out in the text and on the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A line for each column of the only row.
    List,
    #[default]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowLimit {
    #[default]
    All,
    First(usize),
    Last(usize),
}

/// The chart of an answer. Columns are named as in the query; `html/charts` draws it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    #[default]
    None,
    /// A bar in each row of the table, for the column at [`Placement::Bar`].
    Bars,
    /// A column for each row, over time.
    Columns { x: &'static str, y: &'static str },
    /// Thin columns with a smooth line over them.
    Trend { x: &'static str, each: &'static str, smooth: &'static str },
    /// A line inside the band of its interval.
    Band { x: &'static str, y: &'static str, interval: (&'static str, &'static str) },
    /// Columns of known values, and the expected ones as a line inside the band of its interval.
    Expected {
        x: &'static str,
        known: &'static str,
        expected: &'static str,
        interval: (&'static str, &'static str),
    },
    /// Columns of known values, and on top of them the values that are still expected.
    Stack { x: &'static str, solid: &'static str, ghost: &'static str },
    /// One dot per series in each row, on a common scale; the interval is that of the first series.
    DotPlot { label: &'static str, series: Vec<&'static str>, interval: Option<(&'static str, &'static str)> },
    /// Bars to both sides of a label.
    Pyramid { label: &'static str, left: &'static str, right: &'static str },
    /// A cell for each pair of row and time, darker for higher values.
    Heatmap { row: &'static str, x: &'static str, value: &'static str },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name in the query and the CSV.
    pub name: &'static str,
    pub title: Localized,
    pub kind: ColumnKind,
    /// The labels of a text that is a code.
    #[serde(default, deserialize_with = "code_labels")]
    labels: Option<&'static CodeLabels>,
    #[serde(default)]
    pub placement: Placement,
}

/// The labels of the codes of a column.
type CodeLabels = HashMap<&'static str, Localized>;

/// Labels of the codes in the database, such as sexes and reasons.
static CODE_LABELS: LazyLock<HashMap<&'static str, CodeLabels>> = LazyLock::new(|| {
    toml::from_str(include_str!("questions/code_labels.toml")).expect("a test reads the file")
});

/// Reads the name of the labels.
fn code_labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'static CodeLabels>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let labels = CODE_LABELS.get(name.as_str());
    labels.map(Some).ok_or_else(|| D::Error::custom(format!("there are no code labels `{name}`")))
}

impl Column {
    /// Returns the label of a code, or of NULL. A code without a label is shown as it is, so that a new one is never hidden.
    pub(super) fn label(&self, code: Option<&str>, language: Language) -> Option<&'static str> {
        Some(self.labels?.get(code.unwrap_or("NULL"))?.get(language))
    }

    /// Whether the table shows the column.
    pub(super) const fn is_in_table(&self) -> bool {
        matches!(self.placement, Placement::Table | Placement::Bar)
    }
}

/// What the values of a column are, which determines their format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A number to compare with 1, with two decimals.
    Ratio,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    #[default]
    Table,
    /// In the table, and as a bar at the end of the row.
    Bar,
    /// Above the table, once: the value is the same in every row.
    Heading,
    /// At most in the chart.
    FileOnly,
}
