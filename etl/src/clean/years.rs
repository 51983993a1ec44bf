//! The years of registration to load.

use std::fmt;
use std::str::FromStr;

use crate::parse::date::Day;
use common::failure::{Failure, Result};

/// The selection of years, as written in `--years` or `YEARS`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum YearsWanted {
    /// The year of the dataset's date.
    #[default]
    Latest,
    /// Every year.
    All,
    /// These years, ascending, each once.
    Listed(Vec<i32>),
}

impl FromStr for YearsWanted {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "latest" => return Ok(Self::Latest),
            "all" => return Ok(Self::All),
            _ => {}
        }
        let year = |word: &str| word.trim().parse().ok().filter(|year| (1900..=2100).contains(year));
        let years: Option<Vec<i32>> = text.split(',').map(year).collect();
        let mut years = years.ok_or_else(|| {
            Failure::usage(format!("`{text}` is not a list of years"))
                .hint("write latest, all, or a list such as 2021,2022")
        })?;
        years.sort_unstable();
        years.dedup();
        Ok(Self::Listed(years))
    }
}

impl fmt::Display for YearsWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::All => f.write_str("all"),
            Self::Listed(years) => {
                let words: Vec<_> = years.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

/// The selected years, with `latest` resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Years {
    /// First and last day of each wanted year; `None` is every year.
    ranges: Option<Vec<(Day, Day)>>,
    name: String,
}

impl Years {
    /// Resolves `latest` to the year of the dataset.
    pub fn new(wanted: &YearsWanted, dataset_date: Day) -> Self {
        let listed = match wanted {
            YearsWanted::All => None,
            YearsWanted::Latest => Some(vec![dataset_date.year()]),
            YearsWanted::Listed(years) => Some(years.clone()),
        };
        let name = listed.clone().map_or(YearsWanted::All, YearsWanted::Listed).to_string();
        let range = |year| Some((Day::from_calendar(year, 1, 1)?, Day::from_calendar(year, 12, 31)?));
        Self { ranges: listed.map(|years| years.into_iter().filter_map(range).collect()), name }
    }

    /// Whether a day is in a wanted year.
    #[inline]
    pub fn contain(&self, day: Day) -> bool {
        self.ranges
            .as_ref()
            .is_none_or(|ranges| ranges.iter().any(|(first, last)| (*first..=*last).contains(&day)))
    }
}

impl fmt::Display for Years {
    /// As in `pipeline_run.years`: `all`, or the years.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The dates that a load covers.
#[derive(Debug, Clone)]
pub struct Period {
    /// The wanted years of registration.
    pub years: Years,
    /// `ultima_actualizacion`: no date of the dataset can be later (by more than a day).
    pub dataset_date: Day,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_settled_by_the_dataset_date() {
        let date = Day::from_calendar(2022, 6, 5).unwrap();
        let settled = |text: &str| Years::new(&text.parse().unwrap(), date);
        assert_eq!(settled("latest"), settled("2022"));
        assert_eq!(settled("2022, 2021,2022").to_string(), "2021,2022");
        assert_eq!(settled("all").to_string(), "all");
        assert!(settled("2021").contain(Day::from_calendar(2021, 12, 31).unwrap()));
        assert!(!settled("2021").contain(Day::from_calendar(2022, 1, 1).unwrap()));
        assert!(settled("all").contain(Day::from_calendar(1999, 1, 1).unwrap()));
    }

    #[test]
    fn anything_else_is_a_usage_error() {
        for wrong in ["", "last", "2021;2022", "20222", "2021,", "all,2021"] {
            assert_eq!(wrong.parse::<YearsWanted>().unwrap_err().exit().code(), 2, "{wrong:?}");
        }
    }
}
