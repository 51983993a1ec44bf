//! `covidctl datasets`

use std::fmt;

use common::failure::Result;
use serde::Serialize;

use crate::ops::datasets::{self, Dataset};
use crate::printer::Printer;
use crate::settings::Settings;
use common::text::{size, table};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct DatasetTable(Vec<Dataset>);

pub(super) async fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    let store = super::target(settings)?.storage.datasets().await?;
    let datasets = datasets::list(&store).await?;
    if datasets.is_empty() {
        printer.note(&format!("no datasets in {store}; download them with `covidctl run download`"));
    }
    printer.show(&DatasetTable(datasets))
}

impl fmt::Display for DatasetTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |dataset: &Dataset| {
            let stored = dataset.stored_at.format("%Y-%m-%d %H:%M:%S").to_string();
            vec![dataset.name.clone(), size(dataset.size), stored]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        f.write_str(&table(&["DATASET", "SIZE", "STORED (UTC)"], &rows))
    }
}
