//! `covidctl config`: every setting, and who said so.

use std::fmt;

use etl::failure::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::printer::Printer;
use crate::settings::{Origin, Settings};
use crate::text::table;

#[derive(Debug, Serialize)]
struct Setting {
    name: &'static str,
    value: Value,
    origin: Origin,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct SettingTable(Vec<Setting>);

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    let (pg_bin, pg_bin_origin) = match &settings.pg_bin {
        Some(folder) => (json!(folder.value), folder.origin),
        None => (json!("the first one found"), Origin::Default),
    };
    printer.show(&SettingTable(vec![
        Setting { name: "config", value: json!(settings.config.value), origin: settings.config.origin },
        Setting { name: "target", value: json!(settings.target.value), origin: settings.target.origin },
        Setting { name: "data-dir", value: json!(settings.data_dir.value), origin: settings.data_dir.origin },
        Setting { name: "pg-bin", value: pg_bin, origin: pg_bin_origin },
        Setting { name: "output", value: json!(settings.output.value), origin: settings.output.origin },
        Setting { name: "color", value: json!(settings.color.value), origin: settings.color.origin },
        Setting {
            name: "read-only",
            value: json!(settings.read_only.value),
            origin: settings.read_only.origin,
        },
    ]))
}

impl fmt::Display for SettingTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |setting: &Setting| {
            let value = setting.value.as_str().map_or_else(|| setting.value.to_string(), str::to_owned);
            vec![setting.name.to_owned(), value, setting.origin.to_string()]
        };
        f.write_str(&table(&["SETTING", "VALUE", "FROM"], &self.0.iter().map(row).collect::<Vec<_>>()))
    }
}
