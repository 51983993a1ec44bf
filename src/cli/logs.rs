//! The words of `covidctl logs`.

use clap::Args;
use regex::Regex;

use logs::pick;
use logs::when::{self, When};

/// `covidctl logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Which: `lambda`, `etl`, `report`, `metabase`; all without
    #[arg(value_name = "SOURCE", conflicts_with = "run")]
    pub sources: Vec<String>,
    /// Go on with what is logged from now on
    #[arg(short, long)]
    pub follow: bool,
    /// From when on: 10m, 2h30m or 1d ago, 14:30, today, 2026-03-01, "2026-03-01 14:30", 2026-03-01T14:30:00Z [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub since: Option<When>,
    /// Until when, in the same forms
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub until: Option<When>,
    /// Of what is there already, only the last N
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Only this run, from its first line; with --follow until it has ended, and then with its exit code
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Only what the log service finds with this pattern, in CloudWatch's language
    #[arg(long, visible_alias = "filter", value_name = "PATTERN")]
    pub filter_pattern: Option<String>,
    /// Only what matches this regular expression, or one of several
    #[arg(short, long, value_name = "REGEX", value_parser = pick::regex)]
    pub grep: Vec<Regex>,
    /// Nothing that matches this one
    #[arg(short = 'x', long, value_name = "REGEX", value_parser = pick::regex)]
    pub exclude: Vec<Regex>,
    /// With N lines before and after each match
    #[arg(
        short = 'C',
        long,
        value_name = "N",
        requires = "grep",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub context: usize,
    /// Times in UTC
    #[arg(long, conflicts_with = "local")]
    pub utc: bool,
    /// Times in this machine's zone, which is the default
    #[arg(long)]
    pub local: bool,
}
