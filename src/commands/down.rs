//! `covidctl down`

use std::sync::Arc;

use etl::failure::Result;

use super::confirm::confirm;
use crate::backend::{self, Data, Progress};
use crate::cli::Down;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(args: &Down, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("take the target down")?;
    let backend = backend::connect(settings)?;
    let place = backend.identify().await?;
    let data = if args.delete_data { Data::Delete } else { Data::Keep };
    if data == Data::Delete {
        confirm(&format!("Delete all data, runs and reports of the target {place}?"), settings).await?;
    }
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    backend.down(data, progress).await?;
    printer.say(&match data {
        Data::Keep => format!("{place} is down; its data stay"),
        Data::Delete => format!("{place} is gone"),
    });
    Ok(())
}
