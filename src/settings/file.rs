//! The configuration file; its keys are the names of the flags.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::failure::{Failure, Result};
use serde::Deserialize;
use target::description::{
    BastionDescription, DatabaseDescription, Description, JobDescription, StorageDescription,
};
use target::{Origin, SslMode, WithOrigin};

use super::globals::{Color, Format};
use super::notify::NotifySettings;
use super::targets::{AWS, LOCAL, TargetEntry, TargetKind};

/// The job name of `covidctl run` that stands for several jobs.
const PIPELINE: &str = "pipeline";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    pub(super) target: Option<String>,
    pub(super) output: Option<Format>,
    pub(super) color: Option<Color>,
    pub(super) read_only: Option<bool>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) pg_bin: Option<PathBuf>,
    #[serde(default)]
    pub(super) notify: NotifySettings,
    #[serde(default)]
    pub(super) aws: TargetTable,
    #[serde(default)]
    pub(super) targets: BTreeMap<String, TargetTable>,
}

/// A table `[targets.NAME]`, or `[aws]`: the keys of both kinds, because a tagged enum would lose the line of an error.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TargetTable {
    /// Absent in `[aws]`.
    pub(super) kind: Option<TargetKind>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) pg_bin: Option<PathBuf>,
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    pub(super) endpoint_url: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) ssl_mode: Option<SslMode>,
    pub(super) ssl_root_cert: Option<PathBuf>,
    #[serde(default)]
    pub(super) names: BTreeMap<String, String>,
    #[serde(default)]
    stacks: BTreeMap<String, BTreeMap<String, Scalar>>,
    bastion: Option<BastionDescription>,
    #[serde(default)]
    databases: BTreeMap<String, DatabaseDescription>,
    #[serde(default)]
    jobs: BTreeMap<String, JobDescription>,
    #[serde(default)]
    logs: BTreeMap<String, String>,
    storage: Option<StorageDescription>,
}

/// A stack parameter, as text, boolean or number: `MultiAz = false`, `Tasks = 1`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Number(i64),
}

impl File {
    pub(super) fn read(config: &WithOrigin<PathBuf>) -> Result<Self> {
        let path = config.value.display();
        let text = match std::fs::read_to_string(&config.value) {
            Err(error) if error.kind() == ErrorKind::NotFound && config.origin == Origin::Default => {
                return Ok(Self::default());
            }
            read => read.map_err(|error| {
                Failure::usage(format!("cannot read configuration file `{path}`")).source(error)
            })?,
        };
        Self::parse(&text, &config.value)
    }

    /// Parses and checks the text of a configuration file.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self> {
        let path = path.display();
        let file: Self = toml::from_str(text).map_err(|error| {
            let error = error.to_string();
            let hint = nearest_key(&error).map_or_else(
                || "docs/reference/settings.md lists the keys".to_owned(),
                |key| format!("did you mean `{key}`?"),
            );
            Failure::usage(format!("invalid configuration file `{path}`"))
                .source(error.trim_end().to_owned())
                .hint(hint)
        })?;
        file.check_targets().map_err(|failure| {
            Failure::usage(format!("invalid configuration file `{path}`")).source(failure)
        })?;
        Ok(file)
    }

    /// Returns all targets: the built-in ones, then those of the file by name.
    pub(super) fn entries(&self) -> Vec<TargetEntry> {
        let built_in = [(LOCAL, TargetKind::Local), (AWS, TargetKind::Aws)];
        let built_in = built_in.map(|(name, kind)| TargetEntry { name: name.to_owned(), kind });
        let named = self
            .targets
            .iter()
            .filter_map(|(name, table)| Some(TargetEntry { name: name.clone(), kind: table.kind? }));
        built_in.into_iter().chain(named).collect()
    }

    pub(super) fn kind_of(&self, name: &str) -> Result<TargetKind> {
        let entries = self.entries();
        let found = entries.iter().find(|target| target.name == name);
        found.map(|target| target.kind).ok_or_else(|| {
            let names: Vec<&str> = entries.iter().map(|target| target.name.as_str()).collect();
            Failure::usage(format!("there is no target `{name}`"))
                .hint(format!("the targets are {}; the configuration file can define more", names.join(", ")))
        })
    }

    /// Returns the file with the keys of a target in place of those of the built-in ones.
    pub(super) fn of_target(mut self, name: &str) -> Self {
        let Some(table) = self.targets.remove(name) else { return self };
        match table.kind {
            Some(TargetKind::Local) => {
                self.data_dir = table.data_dir;
                self.pg_bin = table.pg_bin.or(self.pg_bin);
            }
            _ => self.aws = table,
        }
        self
    }

    /// Returns the error of the first table `[targets.NAME]` that cannot be one.
    fn check_targets(&self) -> Result<()> {
        let refused = |text: String| Err(Failure::usage(text));
        if self.aws.kind.is_some() {
            return refused("`aws.kind` is always `aws`".to_owned());
        }
        if let Some(key) = self.aws.misplaced_key(TargetKind::Aws) {
            return refused(format!("`aws.{key}` is not a key of the kind `aws`"));
        }
        for (name, table) in &self.targets {
            if [LOCAL, AWS].contains(&name.as_str()) {
                let place = if name == AWS { "the table `aws`" } else { "`data-dir` and `pg-bin`" };
                return refused(format!("`targets.{name}` is a built-in name; its keys are {place}"));
            }
            // Names occur in the command lines of hints.
            if !is_name(name) {
                return refused(format!(
                    "`{name}` is not a name of a target, which has letters, digits, `-`, `_` and `.`"
                ));
            }
            let Some(kind) = table.kind else {
                return refused(format!("`targets.{name}.kind` is missing: `local` or `aws`"));
            };
            if let Some(key) = table.misplaced_key(kind) {
                return refused(format!("`targets.{name}.{key}` is not a key of the kind `{kind}`"));
            }
            if let Some(reason) = table.contradiction() {
                return refused(format!("`targets.{name}`: {reason}"));
            }
            if kind == TargetKind::Local && table.data_dir.is_none() {
                return refused(format!("`targets.{name}.data-dir` is missing"));
            }
        }
        Ok(())
    }
}

impl TargetTable {
    /// Returns the parameters of the stacks as text, which is what CloudFormation takes.
    pub(super) fn stacks(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let text = |value: &Scalar| match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Flag(flag) => flag.to_string(),
            Scalar::Number(number) => number.to_string(),
        };
        let parameters = |values: &BTreeMap<String, Scalar>| {
            values.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        };
        self.stacks.iter().map(|(stack, values)| (stack.clone(), parameters(values))).collect()
    }

    /// Returns the description of the pipeline, if the table has one. The path of the bastion's key is as in the file.
    pub(super) fn description(&self) -> Option<Description> {
        let is_described = self.bastion.is_some()
            || !self.databases.is_empty()
            || !self.jobs.is_empty()
            || !self.logs.is_empty()
            || self.storage.is_some();
        is_described.then(|| Description {
            bastion: self.bastion.clone(),
            databases: self.databases.clone(),
            jobs: self.jobs.clone(),
            logs: self.logs.clone(),
            storage: self.storage.clone().unwrap_or_default(),
            ..Description::default()
        })
    }

    /// Returns why the keys cannot stand together.
    fn contradiction(&self) -> Option<String> {
        self.description()?;
        if !self.names.is_empty() || !self.stacks.is_empty() {
            return Some("`names` and `stacks` belong to the pipeline of the stacks, the other tables describe another one".to_owned());
        }
        // Names of runs and sources occur in command lines.
        let names = self.databases.keys().chain(self.jobs.keys()).chain(self.logs.keys());
        let odd = names.clone().find(|name| !is_name(name));
        let odd =
            odd.map(|name| format!("`{name}` is not a name, which has letters, digits, `-`, `_` and `.`"));
        let twice = self.logs.keys().find(|name| self.jobs.contains_key(*name));
        let taken = names.clone().find(|name| self.jobs.contains_key(*name) && name.as_str() == PIPELINE);
        odd.or_else(|| twice.map(|name| format!("the log source `{name}` is that of the job already")))
            .or_else(|| {
                taken.map(|name| {
                    format!("`{name}` cannot be the name of a job: `covidctl run {name}` runs several")
                })
            })
    }

    /// Returns the first key that belongs to the other kind.
    fn misplaced_key(&self, kind: TargetKind) -> Option<&'static str> {
        let of_local = [("data-dir", self.data_dir.is_some()), ("pg-bin", self.pg_bin.is_some())];
        let of_aws = [
            ("profile", self.profile.is_some()),
            ("region", self.region.is_some()),
            ("endpoint-url", self.endpoint_url.is_some()),
            ("prefix", self.prefix.is_some()),
            ("ssl-mode", self.ssl_mode.is_some()),
            ("ssl-root-cert", self.ssl_root_cert.is_some()),
            ("names", !self.names.is_empty()),
            ("stacks", !self.stacks.is_empty()),
            ("bastion", self.bastion.is_some()),
            ("databases", !self.databases.is_empty()),
            ("jobs", !self.jobs.is_empty()),
            ("logs", !self.logs.is_empty()),
            ("storage", self.storage.is_some()),
        ];
        let others = match kind {
            TargetKind::Aws => &of_local[..],
            TargetKind::Local => &of_aws[..],
        };
        others.iter().find(|(_, is_set)| *is_set).map(|(key, _)| *key)
    }
}

/// Returns whether a text can stand in a command line as it is.
pub(super) fn is_name(text: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_allowed)
}

/// Returns the valid key that is most like the unknown one in an error of the parser, which lists both in backticks: a third of its letters
/// may be missing, added, replaced or swapped.
fn nearest_key(error: &str) -> Option<String> {
    let (_, rest) = error.split_once("unknown field `")?;
    let mut quoted = rest.split('`').step_by(2);
    let unknown = quoted.next()?;
    let distance = |key: &&str| strsim::damerau_levenshtein(unknown, key);
    let nearest = quoted.min_by_key(distance)?;
    (distance(&nearest) <= unknown.len().div_ceil(3)).then(|| nearest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_parameter_accepts_boolean_number_and_text() {
        let table: TargetTable =
            toml::from_str("[stacks.database]\nMultiAz = false\nGigabytes = 100\nVersion = '16.9'").unwrap();
        let said = |name: &str| table.stacks()["database"][name].clone();
        assert_eq!((said("MultiAz"), said("Gigabytes")), ("false".to_owned(), "100".to_owned()));
        assert_eq!(said("Version"), "16.9");
        assert!(toml::from_str::<TargetTable>("[stacks.database]\nVersion = [16]").is_err());
    }

    #[test]
    fn wrong_file_is_refused_with_line_and_nearest_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        let refused = |text: &str| {
            std::fs::write(&config, text).unwrap();
            let file = File::read(&WithOrigin { value: config.clone(), origin: Origin::Flag });
            let failure = file.err().unwrap();
            assert_eq!(failure.exit().code(), 2);
            (failure.to_string(), failure.hint_text().unwrap_or_default().to_owned())
        };
        let (text, hint) = refused("[targets.prod]\nkind = 'aws'\nregoin = 'us-east-1'");
        assert!(text.contains("line 3") && text.contains("regoin"), "{text}");
        assert_eq!(hint, "did you mean `region`?");
        let (text, hint) = refused("[targets.prod]\nkind = 'gcp'");
        assert!(text.contains("line 2") && text.contains("`local`"), "{text}");
        assert!(hint.contains("settings.md"), "{hint}");
        for (file, line, expected) in [
            ("bastion = {}", "line 3", "one of `auto-scaling-group`"),
            ("bastion = { tag = 'Bastion' }", "line 3", "Name=value"),
            ("jobs.etl = { cluster = 'x' }", "line 3", "`task-definition` or `function` is needed"),
            ("\njobs.etl = { task-definition = 'x', subnets = 'x' }", "line 4", "a list, or { parameters"),
            ("jobs.etl = { function = 'x', cluster = 'x' }", "line 3", "a job of its own"),
            ("databases.m = { database = 'd', user = 'u' }", "line 3", "`instance` or `host` is needed"),
            ("databases.m = { host = 'h', user = 'u' }", "line 3", "missing field `database`"),
            (
                "databases.m = { host = 'h', database = 'd', user = 'u', password = { field = 'x' } }",
                "line 3",
                "one of `parameter`, `secret`",
            ),
        ] {
            let (text, _) = refused(&format!("[targets.prod]\nkind = 'aws'\n{file}"));
            assert!(text.contains(line) && text.contains(expected), "{text}");
        }
        for (typed, meant) in [
            ("jobs.etl.tsk-definition = 'x'", "`task-definition`"),
            ("bastion.kye = 'x'", "`key`"),
            ("databases.m.pasword = {}", "`password`"),
        ] {
            let (_, hint) = refused(&format!("[targets.prod]\nkind = 'aws'\n{typed}"));
            assert_eq!(hint, format!("did you mean {meant}?"));
        }
        let (_, hint) = refused("[targets.prod]\nkind = 'aws'\nbastion.lambda = 'x'");
        assert!(hint.contains("settings.md"), "{hint}");
        for (file, expected) in [
            ("[targets.prod]\nkind = 'aws'\ndata-dir = 'x'", "`targets.prod.data-dir`"),
            ("[targets.lab]\nkind = 'local'\ndata-dir = 'x'\nregion = 'x'", "`targets.lab.region`"),
            ("[targets.lab]\nkind = 'local'", "`targets.lab.data-dir`"),
            ("[targets.aws]\nkind = 'aws'", "`targets.aws`"),
            ("[targets.prod]\nregion = 'x'", "`targets.prod.kind`"),
            ("[targets.prod]\nkind = 'aws'\nnames.cluster = 'x'\nlogs.x = '/x'", "`names` and `stacks`"),
            ("[targets.prod]\nkind = 'aws'\n[targets.prod.logs]\n'a b' = '/x'", "`a b` is not a name"),
            ("[targets.prod]\nkind = 'aws'\njobs.x.function = 'f'\nlogs.x = '/x'", "log source `x`"),
            ("[targets.prod]\nkind = 'aws'\njobs.pipeline.function = 'f'", "`pipeline` cannot be the name"),
            ("[targets.'a b']\nkind = 'aws'", "`a b` is not a name"),
            ("[targets.-x]\nkind = 'aws'", "`-x` is not a name"),
            ("[aws]\ndata-dir = 'x'", "`aws.data-dir`"),
        ] {
            let (text, _) = refused(file);
            assert!(text.contains(expected), "{text}");
        }
    }
}
