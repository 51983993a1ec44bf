//! The whole pipeline as its jobs: which of them there are to do.

use common::env;
use common::failure::Result;
use etl::download;

use target::{Job, JobKind, Target};

/// The jobs of the whole pipeline, in order.
pub const WHOLE: [JobKind; 3] = [JobKind::Download, JobKind::Etl, JobKind::Report];

/// What is to be said where the download is left out.
pub const KEPT: &str =
    "the datasets in the store were not downloaded and stay (to replace them: covidctl run download)";

/// One of these jobs, started by whoever we are here.
pub fn job(kind: JobKind, is_part_of_pipeline: bool) -> Job {
    Job { is_part_of_pipeline, ..Job::new(kind).with(env::STARTED_BY, target::current_user()) }
}

/// Of these jobs, those that are to be done. A download that is only the first step of more is left out where the datasets in the
/// store were not downloaded (a sample, somebody's own file): who wants them replaced asks for the download by its name.
pub async fn due(target: &Target, kinds: &[JobKind]) -> Result<Vec<JobKind>> {
    let keep = match kinds {
        [JobKind::Download, _, ..] => {
            download::would_replace_another(&target.storage.datasets().await?).await
        }
        _ => false,
    };
    Ok(kinds.iter().copied().filter(|kind| !(keep && *kind == JobKind::Download)).collect())
}
