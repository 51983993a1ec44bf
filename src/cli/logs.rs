//! Arguments of `covidctl logs`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Local;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command, Subcommand};
use common::text;
use regex::Regex;

use logs::{COMMON_FIELDS, Condition, ConditionError, TimeArg, parse_regex, parse_time};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Logs {
    #[command(flatten)]
    pub selection: LogSelection,
    /// Follow the log: print new events as they arrive
    #[arg(short, long, conflicts_with_all = ["histogram", "file"])]
    pub follow: bool,
    /// Print only the last N of the existing events
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Print N events before and after each match of --grep
    #[arg(
        short = 'C',
        long,
        value_name = "N",
        requires = "grep",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub context: usize,
    /// Count the events in steps of this length, by level, instead of printing them
    #[arg(long, value_name = "STEP", value_parser = text::duration, conflicts_with_all = ["tail", "context"])]
    pub histogram: Option<Duration>,
    #[command(subcommand)]
    pub command: Option<LogsCommand>,
}

/// Which events are read.
#[derive(Debug, Args)]
pub struct LogSelection {
    /// Log sources: `lambda`, `etl`, `report`, `metabase`, and `postgres`, the server [default: all but the server]
    #[arg(value_name = "SOURCE", conflicts_with = "run")]
    pub sources: Vec<String>,
    /// Start of the time range: 10m, 2h30m or 1d ago, 14:30, today, 2026-03-01, "2026-03-01 14:30", 2026-03-01T14:30:00Z [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub since: Option<TimeArg>,
    /// End of the time range, in the same formats
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<TimeArg>,
    /// Print the log of one run from its first line; with --follow until the run ends, and exit with its code
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Read these files instead, in their order, `-` for standard input; also those compressed with gzip or Zstandard
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["sources", "run"])]
    pub file: Vec<PathBuf>,
    /// Select events by their fields, such as `level >= warn and reason = "malformed" and seconds > 2`
    #[arg(long = "where", value_name = "CONDITION", value_parser = ConditionParser, hide_possible_values = true)]
    pub condition: Option<Condition>,
    /// Filter at the log service, with a pattern in CloudWatch's syntax
    #[arg(long, visible_alias = "filter", value_name = "PATTERN")]
    pub filter_pattern: Option<String>,
    /// Select events that match this regular expression; repeatable, one match is enough
    #[arg(short, long, value_name = "REGEX", value_parser = parse_regex)]
    pub grep: Vec<Regex>,
    /// Omit events that match this regular expression; repeatable
    #[arg(short = 'x', long, value_name = "REGEX", value_parser = parse_regex)]
    pub exclude: Vec<Regex>,
    /// Print times in UTC
    #[arg(long, conflicts_with = "local")]
    pub utc: bool,
    /// Print times in local time, the default
    #[arg(long)]
    pub local: bool,
}

#[derive(Debug, Subcommand)]
pub enum LogsCommand {
    /// Group events into patterns, with their number and first and last time
    ///
    /// Numbers become `<n>`, identifiers `<id>`, and words with many values `<*>`. With `--output json`, prints a list.
    Patterns {
        #[command(flatten)]
        selection: LogSelection,
        /// Print the first N events of each pattern below it
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        lines: usize,
    },
    /// Compare what two runs logged: patterns that are new, more or less frequent, or gone
    ///
    /// New patterns come first, of each kind the most severe ones. Exits with 0 whether or not the runs differ.
    Diff {
        /// The run to compare with: its id, or the beginning of it
        #[arg(value_name = "RUN")]
        before: String,
        /// The run to explain
        #[arg(value_name = "RUN")]
        after: String,
        /// Compare only events with these fields, as for `covidctl logs`
        #[arg(long = "where", value_name = "CONDITION", value_parser = ConditionParser, hide_possible_values = true)]
        condition: Option<Condition>,
    },
}

/// The fields of the pipeline's own events that shells complete, beside the common ones.
const PIPELINE_FIELDS: [&str; 6] = ["dataset", "exit_code", "reason", "rows", "run_id", "seconds"];

/// Parses a condition. Its possible values are the names that one can begin with, for the completion of shells.
#[derive(Debug, Clone)]
struct ConditionParser;

impl TypedValueParser for ConditionParser {
    type Value = Condition;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        typed: &OsStr,
    ) -> Result<Condition, clap::Error> {
        condition.parse_ref(command, arg, typed)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(COMMON_FIELDS.into_iter().chain(PIPELINE_FIELDS).map(PossibleValue::new)))
    }
}

fn condition(typed: &str) -> Result<Condition, ConditionError> {
    Condition::parse(typed, Local::now().fixed_offset())
}
