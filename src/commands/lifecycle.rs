//! `covidctl up` and `covidctl down`. Targets that consist of stacks are handled in [`super::stacks`].

use std::sync::Arc;

use common::failure::{Failure, Result};

use super::confirm::confirm;
use super::warnings_only;
use crate::cli::Up;
use crate::connect;
use crate::ops;
use crate::printer::Printer;
use crate::settings::{Settings, TargetKind};
use target::DataRetention;

pub(super) async fn up(args: &Up, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let target = super::target(settings)?;
    let Some(services) = &target.services else {
        #[cfg(feature = "aws")]
        return super::stacks::up(args, settings, printer).await;
        #[cfg(not(feature = "aws"))]
        return Err(connect::no_aws());
    };
    let has_assignments = !args.parameter.is_empty() || !args.tag.is_empty();
    if args.dry_run || args.release.is_some() || args.templates.is_some() || has_assignments {
        let what =
            "--parameter, --tag, --release, --templates and --dry-run are for targets of the kind `aws`";
        return Err(Failure::usage(what)
            .hint(connect::wrong_kind(settings, TargetKind::Aws).hint_text().unwrap_or_default()));
    }
    settings.may_change("bring the target up")?;
    let progress = Arc::<Printer>::clone(printer);
    ops::up::up(services.as_ref(), &target, progress, &mut warnings_only(printer)).await?;
    printer.note(&format!("{} is up", target.location()));
    Ok(())
}

pub(super) async fn down(delete_data: bool, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("take the target down")?;
    let data = if delete_data { DataRetention::Delete } else { DataRetention::Keep };
    let target = super::target(settings)?;
    let Some(services) = &target.services else {
        #[cfg(feature = "aws")]
        return super::stacks::down(data, settings, printer).await;
        #[cfg(not(feature = "aws"))]
        return Err(connect::no_aws());
    };
    let place = target.components.identify().await?;
    if delete_data {
        confirm(&format!("Delete all data, runs and reports of target {place}?"), settings).await?;
    }
    services.down(data, Arc::<Printer>::clone(printer)).await?;
    let outcome = if delete_data { "deleted" } else { "down; its data are kept" };
    printer.note(&format!("{place} is {outcome}"));
    Ok(())
}
