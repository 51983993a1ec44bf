//! `covidctl up`

mod stacks;

use std::sync::Arc;

use common::failure::{Failure, Result};

use super::quietly;
use crate::backend::{self, Progress};
use crate::cli::Up;
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(args: &Up, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    if settings.target.value == "aws" {
        return stacks::run(args, settings, printer).await;
    }
    if args.dry_run || args.release.is_some() || args.templates.is_some() || !args.parameter.is_empty() {
        return Err(Failure::usage(
            "--parameter, --release, --templates and --dry-run only make sense on the target `aws`",
        )
        .hint("--target aws"));
    }
    settings.may_change("bring the target up")?;
    let backend = backend::connect(settings)?;
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    ops::up::up(backend.as_ref(), progress, &mut quietly(printer)).await?;
    printer.say(&format!("{} is up", backend.place()));
    Ok(())
}
