//! `covidctl reports`: lists them, prints one, opens one, compares two, or copies the files of one.

use std::fmt;
use std::path::Path;
use std::process::Stdio;

use common::failure::{Failure, Result};
use etl::store::Store;
use serde::Serialize;

use crate::cli::{Format, Reports, ReportsCommand};
use crate::ops::comparison::Comparison;
use crate::ops::reports::{self, Report};
use crate::printer::Printer;
use crate::settings::Settings;
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

/// What opens a file with the user's own browser: on Linux and the BSDs, on macOS.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

pub(super) async fn run(args: &Reports, settings: &Settings, printer: &Printer) -> Result<()> {
    let store = super::target(settings)?.storage.reports().await?;
    match args.command.as_ref().unwrap_or(&ReportsCommand::List) {
        ReportsCommand::List => printer.show(&ReportTable(reports::list(&store).await?)),
        ReportsCommand::Show { name } => {
            let name = reports::find(&store, name).await?;
            let text = reports::text(&store, &name).await?;
            let text = match (printer.format(), common::terminal::width()) {
                (Format::Text, Some(width)) => laid_out(&store, &name, width).await.unwrap_or(text),
                _ => text,
            };
            printer.show(&Shown { name, text })
        }
        ReportsCommand::Open { name } => {
            let name = reports::find(&store, name).await?;
            let page = reports::page(&store, &name).await?;
            show_in_browser(&page).await?;
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
            printer.say(&format!("{count} files of `{name}` are in `{}`", folder.display()));
            Ok(())
        }
    }
}

/// The text for a terminal of this width, where the report's document allows it.
async fn laid_out(store: &Store, name: &str, width: usize) -> Option<String> {
    etl::report::text_of(&reports::document(store, name).await.ok()?, width)
}

/// The whole names of two reports; without a first one, it is the one before the second.
async fn pair(store: &Store, before: Option<&str>, after: &str) -> Result<(String, String)> {
    let all: Vec<String> = reports::list(store).await?.into_iter().map(|report| report.name).collect();
    let few = || Failure::new("there are no two reports to compare").hint("covidctl run report");
    let after = reports::find(store, after).await?;
    let before = match before {
        Some(typed) => reports::find(store, typed).await?,
        None => all.iter().find(|name| **name < after).cloned().ok_or_else(few)?,
    };
    Ok((before, after))
}

/// Hands a file to whatever opens files here.
async fn show_in_browser(page: &Path) -> Result<()> {
    let by_hand = || format!("open `{}` in a browser", page.display());
    for program in OPENERS {
        let mut opener = tokio::process::Command::new(program);
        opener.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match opener.status().await {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => {
                return Err(
                    Failure::new(format!("`{program}` could not open the page: {status}")).hint(by_hand())
                );
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Failure::new(format!("cannot start `{program}`")).source(error).hint(by_hand()));
            }
        }
    }
    Err(Failure::new("nothing on this machine opens files (neither xdg-open nor open)").hint(by_hand()))
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
