//! Arguments of `covidctl logs`.

use clap::Args;
use regex::Regex;

use logs::{TimeArg, parse_regex, parse_time};

#[derive(Debug, Args)]
pub struct Logs {
    /// Log sources: `lambda`, `etl`, `report`, `metabase` [default: all]
    #[arg(value_name = "SOURCE", conflicts_with = "run")]
    pub sources: Vec<String>,
    /// Follow the log: print new events as they arrive
    #[arg(short, long)]
    pub follow: bool,
    /// Start of the time range: 10m, 2h30m or 1d ago, 14:30, today, 2026-03-01, "2026-03-01 14:30", 2026-03-01T14:30:00Z [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub since: Option<TimeArg>,
    /// End of the time range, in the same formats
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<TimeArg>,
    /// Print only the last N of the existing events
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Print the log of one run from its first line; with --follow until the run ends, and exit with its code
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Filter at the log service, with a pattern in CloudWatch's syntax
    #[arg(long, visible_alias = "filter", value_name = "PATTERN")]
    pub filter_pattern: Option<String>,
    /// Print only events that match this regular expression; repeatable, one match is enough
    #[arg(short, long, value_name = "REGEX", value_parser = parse_regex)]
    pub grep: Vec<Regex>,
    /// Omit events that match this regular expression; repeatable
    #[arg(short = 'x', long, value_name = "REGEX", value_parser = parse_regex)]
    pub exclude: Vec<Regex>,
    /// Print N events before and after each match
    #[arg(
        short = 'C',
        long,
        value_name = "N",
        requires = "grep",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub context: usize,
    /// Print times in UTC
    #[arg(long, conflicts_with = "local")]
    pub utc: bool,
    /// Print times in local time, the default
    #[arg(long)]
    pub local: bool,
}
