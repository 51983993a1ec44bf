//! `covidctl down`

use std::sync::Arc;

use common::failure::Result;

use super::confirm::{by_name, confirm};
use crate::backend::aws::KEPT;
use crate::backend::{self, Backend as _, Data, Progress};
use crate::cli::Down;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) async fn run(args: &Down, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    settings.may_change("take the target down")?;
    let data = if args.delete_data { Data::Delete } else { Data::Keep };
    if settings.target.value == "aws" {
        return stacks(data, settings, printer).await;
    }
    let backend = backend::connect(settings)?;
    let place = backend.identify().await?;
    if data == Data::Delete {
        confirm(&format!("Delete all data, runs and reports of the target {place}?"), settings).await?;
    }
    let progress: Arc<dyn Progress> = Arc::<Printer>::clone(printer);
    backend.down(data, progress).await?;
    printer.say(&match data {
        Data::Keep => format!("{place} is down; its data stay"),
        Data::Delete => format!("{place} is gone"),
    });
    Ok(())
}

/// On AWS a name has to be typed: what is deleted there is not made again within a minute.
async fn stacks(data: Data, settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let aws = backend::aws(settings, printer)?;
    let place = aws.identify().await?;
    let standing = aws.standing(data).await?;
    if standing.is_empty() {
        printer.say(&format!("{place}: there is nothing to take down"));
        return Ok(());
    }
    let names: Vec<&str> = standing.iter().map(|stack| stack.stack).collect();
    let warning = match data {
        Data::Keep => format!("{} stay, and cost what they cost.", KEPT.join(", ")),
        Data::Delete => {
            "All data go with them: the database with its backups, the buckets, the images. Nothing of it can be had back.".to_owned()
        }
    };
    let question = format!("Delete the stacks {} of the target {place}? {warning}", names.join(", "));
    by_name(&question, &format!("covid19@{}", aws.account_id().await?), settings).await?;
    Box::pin(aws.remove(data, printer.as_ref())).await?;
    printer.say(&match data {
        Data::Keep => format!("{place} is down; its data stay, and with them the stacks {}", KEPT.join(", ")),
        Data::Delete => format!("{place} is gone"),
    });
    Ok(())
}
