//! `covidctl datasets`

use common::failure::Result;
use common::text;

use crate::ops::datasets;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    let store = super::target(settings)?.storage.datasets().await?;
    let datasets = datasets::list(&store).await?;
    if datasets.is_empty() {
        printer.note(&format!("no datasets in {store}; download them with `covidctl run download`"));
    }
    printer.show_table(["DATASET", "SIZE", "STORED (UTC)"], &datasets, |dataset| {
        [dataset.name.clone(), text::size(dataset.size), text::time(dataset.stored_at)]
    })
}
