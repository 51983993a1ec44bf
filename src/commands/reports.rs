//! `covidctl reports`: lists them, prints one, or copies its files.

use std::fmt;
use std::path::Path;

use etl::failure::{Failure, OrFail as _, Result};
use etl::store::Store;
use serde::Serialize;

use crate::backend;
use crate::cli::{Reports, ReportsCommand};
use crate::ops::reports::{self, Report};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::text::{size, table};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ReportTable(Vec<Report>);

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    text: String,
}

pub(super) async fn run(args: &Reports, settings: &Settings, printer: &Printer) -> Result<()> {
    let store = backend::connect(settings)?.store()?;
    match args.command.as_ref().unwrap_or(&ReportsCommand::List) {
        ReportsCommand::List => printer.show(&ReportTable(reports::list(&store).await?)),
        ReportsCommand::Show { name } => {
            let name = reports::find(&store, name).await?;
            let text = reports::text(&store, &name).await?;
            printer.show(&Shown { name, text })
        }
        ReportsCommand::Get { name, to } => {
            let name = reports::find(&store, name).await?;
            let folder = to.clone().unwrap_or_else(|| Path::new(&name).to_owned());
            let count = get(&store, &name, &folder).await?;
            printer.say(&format!("{count} files of `{name}` are in `{}`", folder.display()));
            Ok(())
        }
    }
}

async fn get(store: &Store, name: &str, folder: &Path) -> Result<usize> {
    let files = reports::files(store, name).await?;
    if files.is_empty() {
        return Err(Failure::new(format!("there is no report `{name}`")).hint("covidctl run report"));
    }
    std::fs::create_dir_all(folder).or_fail(|| format!("cannot create the folder `{}`", folder.display()))?;
    for file in &files {
        // Only the last part of a key: nothing in a store may choose another folder of ours.
        let path = folder.join(file.location.filename().unwrap_or("file"));
        let content = store.get(&file.location).await?;
        std::fs::write(&path, content).or_fail(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(files.len())
}

impl fmt::Display for ReportTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |report: &Report| {
            let stored = report.stored_at.format("%Y-%m-%d %H:%M:%S").to_string();
            vec![report.name.clone(), stored, report.files.to_string(), size(report.size)]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        f.write_str(&table(&["REPORT", "STORED (UTC)", "FILES", "SIZE"], &rows))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
