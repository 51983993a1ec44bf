//! The jobs of the full pipeline.

use common::env;
use common::failure::Result;
use etl::download;

use target::{Job, JobKind, Target};

/// In the order in which they run.
pub const FULL_PIPELINE: [JobKind; 3] = [JobKind::Download, JobKind::Etl, JobKind::Report];

pub const DOWNLOAD_SKIPPED: &str =
    "kept the datasets in storage, which were not downloaded (to replace them: covidctl run download)";

/// Returns a job that records the current user as its starter.
pub fn job(kind: JobKind, is_part_of_pipeline: bool) -> Job {
    Job { is_part_of_pipeline, ..Job::new(kind).with(env::STARTED_BY, target::current_user()) }
}

/// Returns the jobs to run. A download at the start of a pipeline is skipped if the datasets in storage were not downloaded (a sample, or
/// files that the user put there): only an explicit download replaces those.
pub async fn jobs_to_run(target: &Target, kinds: &[JobKind]) -> Result<Vec<JobKind>> {
    let keep = matches!(kinds, [JobKind::Download, _, ..])
        && download::would_overwrite_other_file(&target.storage.datasets().await?).await;
    Ok(kinds.iter().copied().filter(|kind| !(keep && *kind == JobKind::Download)).collect())
}
