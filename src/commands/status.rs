//! `covidctl status`: the components of the target, its storage and its last runs.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::failure::Result;
use common::text;
use serde::Serialize;

use crate::ops;
use crate::printer::Printer;
use crate::settings::Settings;
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
        let status = status(&target, printer).await?;
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

async fn status(target: &Target, printer: &Printer) -> Result<Status> {
    let place = target.components.identify().await?;
    let mut parts = ops::status::components(target).await?;
    match target.runs.active().await {
        Ok(all) => parts.extend(all.into_iter().map(|active| Component {
            since: Some(active.started_at),
            ..Component::new(&format!("run {}", active.kind), ComponentState::Busy, active.run.to_string())
        })),
        Err(failure) => parts.push(Component::new("runs", ComponentState::Unknown, failure.to_string())),
    }
    for part in &mut parts {
        part.detail = printer.for_target(&part.detail).into_owned();
    }
    ops::status::sort(&mut parts);
    Ok(Status { place, checked_at: Utc::now(), parts })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |part: &Component| {
            let since = text::or_dash(part.since.map(|since| text::age(since, self.checked_at)));
            [part.name.clone(), part.state.to_string(), since, part.detail.clone()]
        };
        let table = text::table(["COMPONENT", "STATE", "SINCE", "DETAIL"], self.parts.iter().map(cells));
        write!(f, "target {}\n\n{table}", self.place)
    }
}
