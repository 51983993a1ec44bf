//! `covidctl stop`

use common::failure::{Failure, Result};

use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(typed: &str, settings: &Settings, printer: &Printer) -> Result<()> {
    settings.may_change("stop a run")?;
    let target = super::target(settings)?;
    let active = target.runs.active().await?;
    let mut fitting =
        active.iter().filter(|active| active.run.to_string().starts_with(&typed.to_lowercase()));
    let active = match (fitting.next(), fitting.next()) {
        (Some(active), None) => active,
        (None, _) => {
            return Err(Failure::new(format!("no run `{typed}` is in progress"))
                .hint("`covidctl status` shows what is"));
        }
        _ => {
            return Err(
                Failure::new(format!("several runs begin with `{typed}`")).hint("type more of the id")
            );
        }
    };
    target.runs.stop(active.run).await?;
    printer.say(&format!("run {} ({}) was stopped", active.run, active.kind));
    Ok(())
}
