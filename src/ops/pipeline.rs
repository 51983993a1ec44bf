//! The whole pipeline as its jobs: which of them there are to do.

use etl::download;
use etl::failure::Result;

use crate::backend::{Backend, Kind};

/// The jobs of the whole pipeline, in order.
pub const WHOLE: [Kind; 3] = [Kind::Download, Kind::Etl, Kind::Report];

/// Of these jobs, those that are to be done. A download that is only the first step of more is left out where the datasets in the
/// store were not downloaded (a sample, somebody's own file): who wants them replaced asks for the download by its name.
pub async fn due(backend: &dyn Backend, kinds: &[Kind]) -> Result<Vec<Kind>> {
    let keep = match kinds {
        [Kind::Download, _, ..] => download::would_replace_another(&backend.datasets().await?).await,
        _ => false,
    };
    Ok(kinds.iter().copied().filter(|kind| !(keep && *kind == Kind::Download)).collect())
}
