//! `covidctl down`

use std::sync::Arc;

use common::failure::Result;

use super::confirm::confirm;
use crate::cli::Down;
use crate::printer::Printer;
use crate::settings::Settings;
use target::{DataRetention, Progress};

pub(super) async fn run(args: &Down, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("take the target down")?;
    let data = if args.delete_data { DataRetention::Delete } else { DataRetention::Keep };
    let target = super::target(settings)?;
    let Some(services) = &target.services else {
        #[cfg(feature = "aws")]
        return super::stacks::down(data, settings, printer).await;
        #[cfg(not(feature = "aws"))]
        return Err(crate::connect::no_aws());
    };
    let place = target.components.identify().await?;
    if data == DataRetention::Delete {
        confirm(&format!("Delete all data, runs and reports of target {place}?"), settings).await?;
    }
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    services.down(data, progress).await?;
    printer.note(&match data {
        DataRetention::Keep => format!("{place} is down; its data are kept"),
        DataRetention::Delete => format!("{place} is deleted"),
    });
    Ok(())
}
