//! `covidctl up`

use std::sync::Arc;

use etl::failure::Result;

use super::quietly;
use crate::backend::{self, Progress};
use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("bring the target up")?;
    let backend = backend::connect(settings)?;
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    ops::up::up(backend.as_ref(), progress, &mut quietly(printer)).await?;
    printer.say(&format!("{} is up", backend.place()));
    Ok(())
}
