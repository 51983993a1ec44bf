//! The years of registration to load.

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

/// The selected years, with `latest` resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Years {
    /// First and last day of each wanted year; `None` for every year.
    ranges: Option<Vec<(Day, Day)>>,
    /// As in `pipeline_run.years`: `all`, or the years.
    pub name: String,
}

impl Years {
    /// Resolves `latest` to the year of the dataset.
    pub fn new(wanted: &YearsWanted, dataset_date: Day) -> Self {
        let listed = match wanted {
            YearsWanted::All => None,
            YearsWanted::Latest => Some(vec![dataset_date.year()]),
            YearsWanted::Listed(years) => Some(years.clone()),
        };
        let words = |years: &Vec<i32>| years.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        let name = listed.as_ref().map_or_else(|| "all".to_owned(), words);
        let range = |year| Some((Day::from_calendar(year, 1, 1)?, Day::from_calendar(year, 12, 31)?));
        Self { ranges: listed.map(|years| years.into_iter().filter_map(range).collect()), name }
    }

    /// Returns whether a day is in a wanted year.
    #[inline]
    pub fn contain(&self, day: Day) -> bool {
        self.ranges
            .as_ref()
            .is_none_or(|ranges| ranges.iter().any(|(first, last)| (*first..=*last).contains(&day)))
    }
}

/// The dates that a load covers.
#[derive(Debug, Clone)]
pub struct Period {
    pub years: Years,
    /// `ultima_actualizacion`: no date of the dataset can be later (by more than a day).
    pub dataset_date: Day,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_is_the_year_of_the_dataset_date() {
        let date = Day::from_calendar(2022, 6, 5).unwrap();
        let years = |text: &str| Years::new(&text.parse().unwrap(), date);
        assert_eq!(years("latest"), years("2022"));
        assert_eq!(years("2022, 2021,2022").name, "2021,2022");
        assert_eq!(years("all").name, "all");
        assert!(years("2021").contain(Day::from_calendar(2021, 12, 31).unwrap()));
        assert!(!years("2021").contain(Day::from_calendar(2022, 1, 1).unwrap()));
        assert!(years("all").contain(Day::from_calendar(1999, 1, 1).unwrap()));
    }

    #[test]
    fn invalid_list_of_years_is_usage_error() {
        for wrong in ["", "last", "2021;2022", "20222", "2021,", "all,2021"] {
            assert_eq!(wrong.parse::<YearsWanted>().unwrap_err().exit().code(), 2, "{wrong:?}");
        }
    }
}
