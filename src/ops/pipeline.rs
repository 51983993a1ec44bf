//! The jobs of the full pipeline.

use common::env;
use common::failure::{Failure, Result};
use etl::download;

use crate::cli::PIPELINE;
use target::{Job, JobKind, Target};

/// In the order in which they run.
pub const FULL_PIPELINE: [JobKind; 3] = [JobKind::Download, JobKind::Etl, JobKind::Report];

pub const DOWNLOAD_SKIPPED: &str =
    "kept the datasets in storage, which were not downloaded (to replace them: covidctl run download)";

/// Returns the jobs with a name, or the jobs of the full pipeline.
pub fn kinds(target: &Target, name: &str) -> Result<Vec<JobKind>> {
    let known = target.runs.jobs();
    let wanted = if name == PIPELINE { FULL_PIPELINE.to_vec() } else { vec![JobKind::from(name.to_owned())] };
    let Some(missing) = wanted.iter().find(|kind| !known.contains(kind)) else { return Ok(wanted) };
    let target = target.location().target;
    let failure = Failure::usage(format!("the target `{target}` has no job `{missing}`"));
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    Err(if names.is_empty() {
        failure.hint(format!("describe it in [targets.{target}.jobs.{missing}] of the configuration file"))
    } else {
        failure.hint(format!("the jobs are {}", names.join(", ")))
    })
}

/// Returns a job that records the current user as its starter.
pub fn job(kind: JobKind, is_part_of_pipeline: bool) -> Job {
    Job { is_part_of_pipeline, ..Job::new(kind).with(env::STARTED_BY, target::current_user()) }
}

/// Returns the jobs to run. A download at the start of a pipeline is skipped if the datasets in storage were not downloaded (a sample, or
/// files that the user put there): only an explicit download replaces those.
pub async fn jobs_to_run(target: &Target, kinds: &[JobKind]) -> Result<Vec<JobKind>> {
    let keep = matches!(kinds, [JobKind::Download, _, ..])
        && download::would_overwrite_other_file(&target.storage.datasets().await?).await;
    Ok(kinds.iter().filter(|kind| !(keep && **kind == JobKind::Download)).cloned().collect())
}
