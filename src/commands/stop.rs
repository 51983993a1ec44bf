//! `covidctl stop`

use common::failure::{Failure, Result};

use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(typed: &str, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("stop a run")?;
    let target = super::target(settings)?;
    let active = target.runs.active().await?;
    let mut matching =
        active.iter().filter(|active| active.run.to_string().starts_with(&typed.to_lowercase()));
    let active = match (matching.next(), matching.next()) {
        (Some(active), None) => active,
        (None, _) => {
            return Err(Failure::new(format!("no run `{typed}` is in progress"))
                .hint("`covidctl status` lists the runs in progress"));
        }
        _ => {
            return Err(
                Failure::new(format!("several runs begin with `{typed}`")).hint("type more of the id")
            );
        }
    };
    target.runs.stop(active.run).await?;
    printer.note(&format!("stopped run {} ({})", active.run, active.kind));
    Ok(())
}
