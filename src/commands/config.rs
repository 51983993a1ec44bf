//! `covidctl config`: every setting and where it was set.

use std::fmt;
use std::sync::Arc;

use common::failure::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::printer::Printer;
use crate::settings::Settings;
use common::text::table;
use target::{Origin, WithOrigin};

#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    value: Value,
    origin: Origin,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct SettingTable(Vec<Setting>);

pub(super) async fn run(settings: &Settings, printer: &Arc<Printer>) -> Result<()> {
    let (pg_bin, pg_bin_origin) = match &settings.pg_bin {
        Some(folder) => (json!(folder.value), folder.origin),
        None => (json!("the first one found"), Origin::Default),
    };
    let aws = &settings.aws;
    let maybe = |name: &str, value: &Option<WithOrigin<String>>, default: &str| match value {
        Some(value) => setting(name, json!(value.value), value.origin),
        None => setting(name, json!(default), Origin::Default),
    };
    let mut all = vec![
        setting("config", json!(settings.config.value), settings.config.origin),
        setting("target", json!(settings.target.value), settings.target.origin),
        setting("data-dir", json!(settings.data_dir.value), settings.data_dir.origin),
        setting("pg-bin", pg_bin, pg_bin_origin),
        setting("output", json!(settings.output.value), settings.output.origin),
        setting("color", json!(settings.color.value), settings.color.origin),
        setting("read-only", json!(settings.read_only.value), settings.read_only.origin),
    ];
    let target = super::target(settings)?;
    if target.bastion.is_some() {
        all.extend([
            maybe("profile", &aws.profile, "default"),
            maybe("region", &aws.region, "the profile's"),
            maybe("endpoint-url", &aws.endpoint_url, "each service's own"),
            setting("prefix", json!(aws.prefix.value), aws.prefix.origin),
            setting("ssl-mode", json!(aws.ssl_mode.value), aws.ssl_mode.origin),
        ]);
        let names = target.components.names().await?;
        all.extend(names.into_iter().map(|(key, name)| setting(key, json!(name.value), name.origin)));
    }
    printer.show(&SettingTable(all))
}

fn setting(name: &str, value: Value, origin: Origin) -> Setting {
    Setting { name: name.to_owned(), value, origin }
}

impl fmt::Display for SettingTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |setting: &Setting| {
            let value = setting.value.as_str().map_or_else(|| setting.value.to_string(), str::to_owned);
            vec![setting.name.clone(), value, setting.origin.to_string()]
        };
        f.write_str(&table(&["SETTING", "VALUE", "FROM"], &self.0.iter().map(row).collect::<Vec<_>>()))
    }
}
