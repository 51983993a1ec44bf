//! What a question of the report is: a query and the words around its answer.
//!
//! A question knows nothing of where or how its answer is shown; each view decides that from the columns' kinds and places.

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
    /// How the answer is laid out for people.
    pub shape: Shape,
    /// The columns, in the query's order and under its names.
    pub columns: &'static [Column],
}

impl Question {
    /// The name of its CSV.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
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
    /// A rate, in percent.
    Percent,
    /// A part of the column's whole, in percent; the column adds up to 100.
    Share,
    /// A change, in percent, with its sign.
    Change,
    /// Yes or no; people see the column's title where it is yes.
    Flag,
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
    /// Nowhere.
    FileOnly,
}
