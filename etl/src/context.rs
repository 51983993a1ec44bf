//! What the steps of a load have in common.

use std::sync::Arc;

use uuid::Uuid;

use crate::clean::CaseRules;
use crate::clean::years::YearsWanted;
use crate::database::Database;
use crate::gate::Thresholds;
use crate::load::release::ReleaseId;
use crate::load::retire::Retention;
use crate::log::Format;
use crate::store::Store;

/// What to load, and how.
#[derive(Debug, Clone)]
pub struct Options {
    pub run_id: Uuid,
    /// A secret.
    pub database_url: String,
    /// Years of registration to load.
    pub years: YearsWanted,
    /// Loads even if the same files are already published.
    pub force: bool,
    /// Publishes even if checks of the gate fail.
    pub accept_anomalies: bool,
    /// Keeps the rows of the register of doses beside their counts.
    pub dose_rows: bool,
    pub thresholds: Thresholds,
    pub retention: Retention,
    pub log_format: Format,
}

/// A load in progress.
pub struct LoadContext<'a> {
    pub options: &'a Options,
    pub database: &'a Database,
    pub store: &'a Store,
    pub rules: Arc<CaseRules>,
    /// The release that is built.
    pub release: ReleaseId,
}
