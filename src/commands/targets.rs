//! `covidctl targets`: the targets that can be selected.

use common::failure::Result;
use serde::Serialize;

use crate::printer::Printer;
use crate::settings::{Settings, TargetEntry, TargetKind};
use target::Origin;

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    target: TargetEntry,
    current: bool,
    location: String,
}

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    let listed = |target: &TargetEntry| {
        let location = location(&settings.with_target(&target.name)?);
        Ok(Listed { target: target.clone(), current: target.name == settings.target.value, location })
    };
    let all = settings.targets.iter().map(listed).collect::<Result<Vec<_>>>()?;
    printer.show_table(["TARGET", "", "KIND", "LOCATION"], &all, |Listed { target, current, location }| {
        let mark = if *current { "*" } else { "" };
        [target.name.clone(), mark.to_owned(), target.kind.to_string(), location.clone()]
    })
}

/// Returns the folder, or what is set of profile, region and prefix.
fn location(settings: &Settings) -> String {
    let aws = &settings.aws;
    // A pipeline that is described has none unless it is set.
    let has_prefix = aws.description.is_none() || aws.prefix.origin != Origin::Default;
    let named = |name: &str, value: Option<&String>| value.map(|value| format!("{name} {value}"));
    match settings.kind {
        TargetKind::Local => settings.data_dir.value.display().to_string(),
        TargetKind::Aws => [
            named("profile", aws.profile.as_ref().map(|profile| &profile.value)),
            named("region", aws.region.as_ref().map(|region| &region.value)),
            named("prefix", Some(&aws.prefix.value).filter(|_| has_prefix)),
            named("endpoint", aws.endpoint_url.as_ref().map(|endpoint| &endpoint.value)),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", "),
    }
}
