//! `covidctl reports`

use std::path::PathBuf;

use common::failure::{Failure, Result};
use common::text;
use etl::store::Store;
use serde_json::json;

use crate::cli::{ReportName, ReportsCommand};
use crate::ops::comparison::Comparison;
use crate::ops::reports;
use crate::printer::Printer;
use crate::settings::{Format, Settings};

pub(super) async fn run(
    command: Option<&ReportsCommand>,
    settings: &Settings,
    printer: &Printer,
) -> Result<()> {
    let target = super::target(settings)?;
    target.ensure_releases()?;
    let store = target.storage.reports().await?;
    match command.unwrap_or(&ReportsCommand::List) {
        ReportsCommand::List => {
            const HEADS: [&str; 5] = ["REPORT", "LATEST", "STORED (UTC)", "FILES", "SIZE"];
            printer.show_table(HEADS, &reports::list(&store).await?, |report| {
                let latest = String::from(if report.latest { "*" } else { "" });
                let (stored, files) = (text::time(report.stored_at), report.files.to_string());
                [report.name.clone(), latest, stored, files, text::size(report.size)]
            })
        }
        ReportsCommand::Show(ReportName { name }) => {
            let name = reports::find(&store, name).await?;
            let text = reports::text(&store, &name).await?;
            let text = match (printer.format(), common::terminal::width()) {
                (Format::Text, Some(width)) => text_for_width(&store, &name, width).await.unwrap_or(text),
                _ => text,
            };
            printer.show_as(&json!({ "name": name, "text": text }), |_| text)
        }
        ReportsCommand::Open(ReportName { name }) => {
            let name = reports::find(&store, name).await?;
            let page = reports::page(&store, &name).await?;
            let path = page.display().to_string();
            opener::open_browser(&page).map_err(|error| {
                Failure::new(format!("cannot open `{path}`"))
                    .source(error)
                    .hint(format!("open `{path}` in a browser"))
            })?;
            printer.show_as(&json!({ "name": name, "page": path }), |_| path)
        }
        ReportsCommand::Compare { before, after } => {
            let (before, after) = pair(&store, before.as_deref(), after).await?;
            let documents =
                (reports::document(&store, &before).await?, reports::document(&store, &after).await?);
            printer.show(&Comparison::of((before, &documents.0), (after, &documents.1)))
        }
        ReportsCommand::Get { report: ReportName { name }, to } => {
            let name = reports::find(&store, name).await?;
            let folder = to.clone().unwrap_or_else(|| PathBuf::from(&name));
            let count = reports::copy(&store, &name, &folder).await?;
            let files = text::count(count, "file");
            printer.note(&format!("copied {files} of `{name}` to `{}`", folder.display()));
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
    let after = reports::find(store, after).await?;
    if let Some(typed) = before {
        return Ok((reports::find(store, typed).await?, after));
    }
    let earlier = reports::list(store).await?.into_iter().find(|report| report.name < after);
    let none = || Failure::new("comparing needs two reports").hint("covidctl run report");
    Ok((earlier.ok_or_else(none)?.name, after))
}
