//! Runs the publish gate on a load.

use common::failure::Result;
use sqlx::postgres::PgConnection;

use crate::cases::LoadStats;
use crate::context::LoadContext;
use crate::dataset::Dataset;
use crate::gate::{self, Candidate, Check, Published};
use crate::load::georef::Georef;
use crate::sources::Sources;
use crate::{optional_datasets, runs};

/// Checks the load. Optional datasets that are refused are taken out of the release.
///
/// # Errors
/// If the release must not be published.
pub(crate) async fn check(
    context: &LoadContext<'_>,
    session: &mut PgConnection,
    sources: &mut Sources,
    georef: &Georef,
    stats: &LoadStats,
) -> Result<()> {
    let (run_id, accept_anomalies) = (context.options.run_id, context.options.accept_anomalies);
    let mut optional = Vec::new();
    for (dataset, counts) in sources.optional_counts() {
        optional.push((dataset, counts, gate::optional_figures(session, dataset, run_id).await?));
    }
    let candidate = Candidate {
        dataset_date: context.rules.period.dataset_date,
        years: &context.rules.period.years,
        tally: &stats.tally,
        profile: &stats.profile,
        georef: [Dataset::Provinces, Dataset::Departments].map(|dataset| (dataset, georef.counts(dataset))),
        optional,
    };
    let published = Published::read(session).await?;
    let checks = gate::examine(&candidate, published.as_ref(), &context.options.thresholds);
    gate::record::store(session, run_id, &checks, accept_anomalies, &stats.profile).await?;
    let (optional, required): (Vec<Check>, Vec<Check>) =
        checks.into_iter().partition(|check| check.dataset.is_optional());
    if let Some(reason) = gate::refusal(&required, accept_anomalies) {
        runs::record_tally(session, run_id, &stats.tally).await?;
        return Err(gate::refused(&reason, &required, run_id));
    }
    for check in required.iter().filter(|check| check.outcome == gate::CheckOutcome::Failed) {
        tracing::warn!(check = check.name, "anomaly accepted: {}", check.message);
    }
    for source in &mut sources.optional {
        let of_dataset = optional.iter().filter(|check| check.dataset == source.dataset);
        if let Some(reason) = gate::refusal(of_dataset, accept_anomalies) {
            optional_datasets::discard(session, source.dataset, run_id).await?;
            source.refuse(reason);
        }
    }
    Ok(())
}
