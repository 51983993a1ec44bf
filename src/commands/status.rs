//! `covidctl status`: the components of the target, its storage and its last runs.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::failure::Result;
use serde::Serialize;

use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
use common::text;
use target::{Component, ComponentState, Location, Target};

#[derive(Debug, Serialize)]
struct Status {
    place: Location,
    checked_at: DateTime<Utc>,
    parts: Vec<Component>,
}

const WATCH_INTERVAL: Duration = Duration::from_secs(2);

pub(super) async fn run(watch: bool, settings: &Settings, printer: &Printer) -> Result<()> {
    let target = super::target(settings)?;
    loop {
        let status = status(&target).await?;
        if !watch {
            return printer.show(&status);
        }
        printer.refresh(&status)?;
        if !printer.has_reader() {
            return Ok(());
        }
        tokio::time::sleep(WATCH_INTERVAL).await;
    }
}

async fn status(target: &Target) -> Result<Status> {
    let place = target.components.identify().await?;
    let mut parts = ops::status::components(target).await?;
    match target.runs.active().await {
        Ok(all) => parts.extend(all.into_iter().map(|active| Component {
            name: format!("run {}", active.kind),
            state: ComponentState::Busy,
            since: Some(active.started_at),
            detail: active.run.to_string(),
        })),
        Err(failure) => parts.push(Component {
            name: "runs".to_owned(),
            state: ComponentState::Unknown,
            since: None,
            detail: failure.to_string(),
        }),
    }
    ops::status::sort(&mut parts);
    Ok(Status { place, checked_at: Utc::now(), parts })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = |since: DateTime<Utc>| text::age(since, self.checked_at);
        let row = |part: &Component| {
            let since = part.since.map_or_else(|| "-".to_owned(), age);
            vec![part.name.clone(), part.state.to_string(), since, part.detail.clone()]
        };
        let rows: Vec<_> = self.parts.iter().map(row).collect();
        write!(
            f,
            "target {}\n\n{}",
            self.place,
            text::table(&["COMPONENT", "STATE", "SINCE", "DETAIL"], &rows)
        )
    }
}
