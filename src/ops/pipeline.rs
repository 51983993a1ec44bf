//! The whole pipeline as its jobs: which of them there are to do.

use common::env;
use common::failure::Result;
use etl::download;

use crate::backend::{self, Backend, Job, Kind};

/// The jobs of the whole pipeline, in order.
pub const WHOLE: [Kind; 3] = [Kind::Download, Kind::Etl, Kind::Report];

/// What is to be said where the download is left out.
pub const KEPT: &str =
    "the datasets in the store were not downloaded and stay (to replace them: covidctl run download)";

/// One of these jobs, started by whoever we are here.
pub fn job(kind: Kind, is_part_of_pipeline: bool) -> Job {
    Job { is_part_of_pipeline, ..Job::new(kind).with(env::STARTED_BY, backend::who()) }
}

/// Of these jobs, those that are to be done. A download that is only the first step of more is left out where the datasets in the
/// store were not downloaded (a sample, somebody's own file): who wants them replaced asks for the download by its name.
pub async fn due(backend: &dyn Backend, kinds: &[Kind]) -> Result<Vec<Kind>> {
    let keep = match kinds {
        [Kind::Download, _, ..] => download::would_overwrite_other_file(&backend.datasets().await?).await,
        _ => false,
    };
    Ok(kinds.iter().copied().filter(|kind| !(keep && *kind == Kind::Download)).collect())
}
