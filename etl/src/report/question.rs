//! What a question of the report is: a query and the words around its answer.
//!
//! A question knows nothing of where or how its answer is shown; each view decides that from the columns' kinds and places, and
//! from the kind of chart that suits the answer.

use super::language::Words;
use super::vocabulary::Vocabulary;

/// One question, answered by one query.
#[derive(Debug)]
pub struct Question {
    /// Its stable English name: the CSV's, and the one in messages.
    pub name: &'static str,
    /// The query. It has no parameters, so that it can be pasted into any client.
    pub sql: &'static str,
    /// The heading.
    pub title: Words,
    /// Definitions and caveats that belong beside the numbers.
    pub note: Words,
    /// What to say when there is no row.
    pub nothing: Words,
    /// What the chart's numbers are.
    pub unit: Words,
    /// How the answer is laid out for people.
    pub shape: Shape,
    /// Which of many lines people see at once.
    pub extent: Extent,
    /// How it is drawn.
    pub chart: Chart,
    /// The columns, in the query's order and under its names.
    pub columns: &'static [Column],
}

impl Question {
    /// The name of its CSV.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// Where a column stands.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }
}

impl PartialEq for Question {
    /// A name names one question.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// How an answer is laid out for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One row: a line for each column.
    List,
    /// Many rows, each a line.
    Table,
    /// A table with a line of totals below it.
    Totalled,
    /// A line for each value of one column, a cell for each value of another: the last ones. All by the columns' names.
    Grid {
        /// Its values are the lines.
        line: &'static str,
        /// Its values are the columns.
        across: &'static str,
        /// Its values are in the cells.
        cell: &'static str,
    },
}

/// Which lines of a long answer people see in the text. Machines see all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    Whole,
    /// The first ones, of a ranking.
    First(usize),
    /// The last ones, of a series.
    Last(usize),
}

/// How an answer is drawn. Columns are named as in the query; the drawings are in `html/charts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// Not at all.
    None,
    /// A bar in each line of the table, of the column at [`Place::Bar`].
    Bars,
    /// A column for each line, along time.
    Columns {
        /// Time.
        x: &'static str,
        /// How high.
        y: &'static str,
    },
    /// Thin columns with a line over them.
    Trend {
        /// Time.
        x: &'static str,
        /// The columns.
        each: &'static str,
        /// The line.
        smooth: &'static str,
    },
    /// A line inside the band of its interval.
    Band {
        /// Time.
        x: &'static str,
        /// The line.
        y: &'static str,
        /// The band's edges.
        interval: (&'static str, &'static str),
    },
    /// What is there, and on top of it what is expected to come.
    Stack {
        /// Time.
        x: &'static str,
        /// What is there.
        solid: &'static str,
        /// What is to come.
        ghost: &'static str,
    },
    /// For each line of the table one dot per series, on one scale.
    Dots {
        /// Names the line.
        label: &'static str,
        /// A dot each.
        series: &'static [&'static str],
        /// The ends of the whisker of the first series.
        interval: Option<(&'static str, &'static str)>,
    },
    /// Bars to both sides.
    Pyramid {
        /// Names the line.
        label: &'static str,
        /// To the left.
        left: &'static str,
        /// To the right.
        right: &'static str,
    },
    /// A cell for each pair, the darker the more.
    Heat {
        /// Names the line.
        line: &'static str,
        /// Along the line.
        x: &'static str,
        /// How dark.
        value: &'static str,
    },
}

/// One column of an answer.
#[derive(Debug)]
pub struct Column {
    /// The name in the query and the CSV.
    pub name: &'static str,
    /// The title for people.
    pub title: Words,
    /// What its values are.
    pub kind: Kind,
    /// Where people see it.
    pub place: Place,
}

impl Column {
    /// A column of the table.
    pub const fn new(name: &'static str, kind: Kind, title: Words) -> Self {
        Self { name, title, kind, place: Place::Body }
    }

    /// The same column at another place.
    #[must_use]
    pub const fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// What a column's values are.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Words as they are, or a code that a vocabulary puts into words.
    Text(&'static Vocabulary),
    /// A number that is a name, such as a year.
    Number,
    /// A day.
    Date,
    /// A month, as its first day.
    Month,
    /// An instant.
    Time,
    /// How many; can be added up.
    Count,
    /// How many more or fewer, with its sign.
    Difference,
    /// A mean or a rate, with one decimal.
    Rate,
    /// A rate, in percent.
    Percent,
    /// A part of the column's whole, in percent; the column adds up to 100.
    Share,
    /// A change, in percent, with its sign.
    Change,
    /// Yes or no; people see the column's title where it is yes.
    Flag,
}

impl Kind {
    /// The name for machines, in `report.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Month => "month",
            Self::Time => "time",
            Self::Count => "count",
            Self::Difference => "difference",
            Self::Rate => "rate",
            Self::Percent => "percent",
            Self::Share => "share",
            Self::Change => "change",
            Self::Flag => "flag",
        }
    }

    /// Whether its values name a line, rather than being measured in it.
    pub const fn names_lines(self) -> bool {
        matches!(self, Self::Text(_) | Self::Number | Self::Date | Self::Month | Self::Time)
    }

    /// Whether its values are aligned to the right.
    pub const fn is_numeric(self) -> bool {
        !matches!(self, Self::Text(_) | Self::Date | Self::Month | Self::Time | Self::Flag)
    }
}

/// Where people see a column. Machines see all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the table.
    Body,
    /// In the table, and drawn as a bar at the end of the line.
    Bar,
    /// Above the table, once: it has the same value in every row.
    Heading,
    /// In the chart or not at all.
    FileOnly,
}
