//! `covidctl config`: every setting and where it was set.

use std::sync::Arc;

use common::failure::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::printer::Printer;
use crate::settings::Settings;
use target::{Origin, WithOrigin};

#[derive(Debug, Serialize)]
struct Setting {
    name: &'static str,
    value: Value,
    origin: Origin,
}

pub(super) async fn run(settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let mut all = vec![
        setting("config", &settings.config),
        setting("target", &settings.target),
        setting("data-dir", &settings.data_dir),
        setting_or("pg-bin", settings.pg_bin.as_ref(), "the first one found"),
        setting("output", &settings.output),
        setting("color", &settings.color),
        setting("read-only", &settings.read_only),
    ];
    let target = super::target(settings)?;
    if target.bastion.is_some() {
        let aws = &settings.aws;
        all.extend([
            setting_or("profile", aws.profile.as_ref(), "default"),
            setting_or("region", aws.region.as_ref(), "the profile's"),
            setting_or("endpoint-url", aws.endpoint_url.as_ref(), "each service's own"),
            setting("prefix", &aws.prefix),
            setting("ssl-mode", &aws.ssl_mode),
        ]);
        let names = target.components.names().await?;
        all.extend(names.iter().map(|(key, name)| setting(key, name)));
    }
    printer.show_table(["SETTING", "VALUE", "FROM"], &all, |Setting { name, value, origin }| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        [(*name).to_owned(), value, origin.to_string()]
    })
}

fn setting(name: &'static str, setting: &WithOrigin<impl Serialize>) -> Setting {
    Setting { name, value: json!(setting.value), origin: setting.origin }
}

/// Returns an optional setting, or a description of its default.
fn setting_or(name: &'static str, set: Option<&WithOrigin<impl Serialize>>, default: &str) -> Setting {
    match set {
        Some(set) => setting(name, set),
        None => Setting { name, value: json!(default), origin: Origin::Default },
    }
}
