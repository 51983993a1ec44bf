//! `etl backtest`: replays archived releases of the line list, in the order of their dates, and measures how good the estimates would have been.
//!
//! Each release is read as `etl run` reads it, without a database, and estimated with what the releases before it said. What was incomplete then is
//! compared with the newest release.

mod archive;
mod score;

use clap::Args;
use common::failure::{Failure, Result};

use self::score::{Estimated, Score};
use crate::indicators::{self, PastReport};
use crate::store::Store;

#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// Folder of archived releases: `Covid19Casos` files as `.zip` or `.csv` under any names, in it or in its folders
    #[arg(long, value_name = "DIR")]
    releases: std::path::PathBuf,
}

/// Replays the releases and returns the scores as CSV.
pub async fn run(arguments: &BacktestArgs) -> Result<String> {
    let folder = std::path::absolute(&arguments.releases).unwrap_or_else(|_| arguments.releases.clone());
    // A store URL is decoded: a literal percent sign is escaped.
    let store = Store::open(&format!("file://{}", folder.display().to_string().replace('%', "%25")))?;
    let releases = archive::find(&store).await?;
    if releases.len() < 2 {
        let failure = Failure::new(format!("{} of at least two releases are in `{store}`", releases.len()));
        return Err(
            failure.hint("put each release into a folder of its own, such as `2021-10-17/Covid19Casos.zip`")
        );
    }
    let mut past: Vec<PastReport> = Vec::new();
    let mut estimated: Vec<Estimated> = Vec::new();
    let mut newest = None;
    for release in &releases {
        let counts = archive::read(&store, release).await?;
        let Some(indicators) = indicators::estimate(&counts, &past) else { continue };
        let cases: u64 =
            indicators.days.iter().filter(|day| day.province.is_none()).map(|day| day.reported).sum();
        tracing::info!(release = release.source.url, as_of = %indicators.as_of, cases, "release estimated");
        past.extend(indicators.past_reports());
        estimated.extend(score::incomplete(&indicators));
        newest = Some(indicators);
    }
    let newest = newest.filter(|newest| !newest.days.is_empty()).ok_or_else(|| {
        Failure::new("no release covers the four weeks that a nowcast needs").hint("give later releases")
    })?;
    let scores = score::compare(&estimated, &newest);
    if scores.is_empty() {
        return Err(Failure::new("no release has the cases that an earlier one lacked").hint(
            "give releases of several weeks: a day is compared once 98 % of its cases are usually registered",
        ));
    }
    let lines = std::iter::once(score::HEADER.to_owned()).chain(scores.iter().map(Score::line));
    Ok(lines.map(|line| line + "\n").collect())
}
