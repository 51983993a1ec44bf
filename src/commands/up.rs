//! `covidctl up`

use std::sync::Arc;

use common::failure::{Failure, Result};

use super::warnings_only;
use crate::cli::Up;
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use target::Progress;

pub(super) async fn run(args: &Up, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let target = super::target(settings)?;
    let Some(services) = &target.services else {
        #[cfg(feature = "aws")]
        return super::stacks::up(args, settings, printer).await;
        #[cfg(not(feature = "aws"))]
        return Err(crate::connect::no_aws());
    };
    if args.dry_run || args.release.is_some() || args.templates.is_some() || !args.parameter.is_empty() {
        return Err(Failure::usage(
            "--parameter, --release, --templates and --dry-run are for the target `aws`",
        )
        .hint("--target aws"));
    }
    settings.may_change("bring the target up")?;
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    ops::up::up(services.as_ref(), &target, progress, &mut warnings_only(printer)).await?;
    printer.note(&format!("{} is up", target.location()));
    Ok(())
}
