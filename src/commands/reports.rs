//! `covidctl reports`

use std::fmt;
use std::path::Path;

use common::failure::{Failure, Result};
use etl::store::Store;
use serde::Serialize;

use crate::cli::{Reports, ReportsCommand};
use crate::ops::comparison::Comparison;
use crate::ops::reports::{self, Report};
use crate::printer::Printer;
use crate::settings::{Format, Settings};
use common::text::{size, table};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ReportTable(Vec<Report>);

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Opened {
    name: String,
    page: String,
}

pub(super) async fn run(args: &Reports, settings: &Settings, printer: &Printer) -> Result<()> {
    let store = super::target(settings)?.storage.reports().await?;
    match args.command.as_ref().unwrap_or(&ReportsCommand::List) {
        ReportsCommand::List => printer.show(&ReportTable(reports::list(&store).await?)),
        ReportsCommand::Show { name } => {
            let name = reports::find(&store, name).await?;
            let text = reports::text(&store, &name).await?;
            let text = match (printer.format(), common::terminal::width()) {
                (Format::Text, Some(width)) => text_for_width(&store, &name, width).await.unwrap_or(text),
                _ => text,
            };
            printer.show(&Shown { name, text })
        }
        ReportsCommand::Open { name } => {
            let name = reports::find(&store, name).await?;
            let page = reports::page(&store, &name).await?;
            opener::open_browser(&page).map_err(|error| {
                Failure::new(format!("cannot open `{}`", page.display()))
                    .source(error)
                    .hint(format!("open `{}` in a browser", page.display()))
            })?;
            printer.show(&Opened { name, page: page.display().to_string() })
        }
        ReportsCommand::Compare { before, after } => {
            let (before, after) = pair(&store, before.as_deref(), after).await?;
            let documents =
                (reports::document(&store, &before).await?, reports::document(&store, &after).await?);
            printer.show(&Comparison::of((before, &documents.0), (after, &documents.1)))
        }
        ReportsCommand::Get { name, to } => {
            let name = reports::find(&store, name).await?;
            let folder = to.clone().unwrap_or_else(|| Path::new(&name).to_owned());
            let count = reports::copy(&store, &name, &folder).await?;
            printer.note(&format!("copied {count} files of `{name}` to `{}`", folder.display()));
            Ok(())
        }
    }
}

/// Returns the text laid out for the terminal, if the report has a document.
async fn text_for_width(store: &Store, name: &str, width: usize) -> Option<String> {
    etl::report::text_of(&reports::document(store, name).await.ok()?, width)
}

/// Returns the full names of two reports; the first defaults to the report before the second.
async fn pair(store: &Store, before: Option<&str>, after: &str) -> Result<(String, String)> {
    let all: Vec<String> = reports::list(store).await?.into_iter().map(|report| report.name).collect();
    let few = || Failure::new("comparing needs two reports").hint("covidctl run report");
    let after = reports::find(store, after).await?;
    let before = match before {
        Some(typed) => reports::find(store, typed).await?,
        None => all.iter().find(|name| **name < after).cloned().ok_or_else(few)?,
    };
    Ok((before, after))
}

impl fmt::Display for ReportTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |report: &Report| {
            let stored = report.stored_at.format("%Y-%m-%d %H:%M:%S").to_string();
            let latest = if report.latest { "*" } else { "" };
            vec![report.name.clone(), latest.to_owned(), stored, report.files.to_string(), size(report.size)]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        f.write_str(&table(&["REPORT", "LATEST", "STORED (UTC)", "FILES", "SIZE"], &rows))
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
