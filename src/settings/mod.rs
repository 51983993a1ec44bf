//! Settings: flags override environment variables, which override the configuration file, which overrides the defaults.
//!
//! Every value remembers where it was set, for `covidctl config`. Nothing is created or connected to here.

mod globals;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, ValueEnum as _};
use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;
use serde::Deserialize;
use target::{AwsSettings, Origin, Recording, SslMode, WithOrigin};

pub use self::globals::{Color, Format, Globals, RECORD_KEY};

/// The settings of one invocation.
#[derive(Debug, Clone)]
pub struct Settings {
    pub target: WithOrigin<String>,
    pub output: WithOrigin<Format>,
    pub color: WithOrigin<Color>,
    pub read_only: WithOrigin<bool>,
    /// Data directory of the local target; absolute.
    pub data_dir: WithOrigin<PathBuf>,
    /// Directory of the PostgreSQL programs.
    pub pg_bin: Option<WithOrigin<PathBuf>>,
    pub aws: AwsSettings,
    /// Folder of the tunnels in the background.
    pub tunnels: PathBuf,
    /// Proxy on the way to a bastion.
    pub proxy: Option<tunnel::Proxy>,
    /// Configuration file; the default one need not exist.
    pub config: WithOrigin<PathBuf>,
    pub quiet: bool,
    pub verbose: bool,
    /// Answers every question with yes.
    pub yes: bool,
}

/// The configuration file; its keys are the names of the flags.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    target: Option<String>,
    output: Option<Format>,
    color: Option<Color>,
    read_only: Option<bool>,
    data_dir: Option<PathBuf>,
    pg_bin: Option<PathBuf>,
    #[serde(default)]
    aws: AwsFile,
}

/// The table `[aws]` of the configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AwsFile {
    profile: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    prefix: Option<String>,
    ssl_mode: Option<SslMode>,
    ssl_root_cert: Option<PathBuf>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    stacks: BTreeMap<String, BTreeMap<String, Scalar>>,
}

/// A stack parameter, as text, boolean or number: `MultiAz = false`, `Tasks = 1`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Number(i64),
}

impl AwsFile {
    /// Returns the parameters as text, which is what CloudFormation takes.
    fn stacks(&self) -> BTreeMap<String, BTreeMap<String, String>> {
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
}

impl Settings {
    /// Merges flags, environment, file and defaults.
    pub fn resolve(globals: &Globals, matches: &ArgMatches) -> Result<Self> {
        let config = pick(matches, "config", globals.config.as_ref(), None);
        let config = config.map_or_else(|| default_config().map(built_in), absolute)?;
        let file = File::read(&config)?;
        // Paths in the file are relative to the file.
        let folder = config.value.parent().unwrap_or(Path::new("/"));
        let path = |id, given: Option<&PathBuf>, file: Option<PathBuf>| {
            pick(matches, id, given, file.map(|path| folder.join(path))).map(absolute).transpose()
        };
        let stacks = file.aws.stacks();
        let aws = AwsSettings {
            profile: pick(matches, "profile", globals.profile.as_ref(), file.aws.profile),
            region: pick(matches, "region", globals.region.as_ref(), file.aws.region),
            endpoint_url: pick(matches, "endpoint_url", globals.endpoint_url.as_ref(), file.aws.endpoint_url),
            prefix: pick(matches, "prefix", globals.prefix.as_ref(), file.aws.prefix)
                .unwrap_or_else(|| built_in("/covid19".to_owned())),
            ssl_mode: pick(matches, "ssl_mode", globals.ssl_mode.as_ref(), file.aws.ssl_mode)
                .unwrap_or(built_in(SslMode::VerifyFull)),
            ssl_root_cert: path("ssl_root_cert", globals.ssl_root_cert.as_ref(), file.aws.ssl_root_cert)?,
            names: file.aws.names,
            stacks,
            known_hosts: tunnel::known_hosts_file(&config.value),
            recording: globals
                .record
                .clone()
                .map(|folder| Recording { folder, key: globals.record_key.clone() }),
            tunnels: state_dir()?.join("covidctl/tunnels"),
            proxy: globals.proxy()?,
        };
        let data_dir = path("data_dir", globals.data_dir.as_ref(), file.data_dir)?;
        let data_dir = data_dir.map_or_else(|| default_data_dir().map(built_in), Ok)?;
        // NO_COLOR overrides `auto`, not an explicit `always` or `never`.
        let color = pick(matches, "color", globals.color.as_ref(), file.color);
        let mut color = color.unwrap_or(built_in(Color::Auto));
        if color.value == Color::Auto && globals.no_color.as_deref().is_some_and(|value| !value.is_empty()) {
            color = WithOrigin { value: Color::Never, origin: Origin::Environment };
        }
        let read_only = globals.read_only.then_some(true);
        Ok(Self {
            target: pick(matches, "target", globals.target.as_ref(), file.target)
                .unwrap_or_else(|| built_in("local".to_owned())),
            output: pick(matches, "output", globals.output.as_ref(), file.output)
                .unwrap_or(built_in(Format::Text)),
            color,
            read_only: pick(matches, "read_only", read_only.as_ref(), file.read_only)
                .unwrap_or(built_in(false)),
            data_dir,
            tunnels: aws.tunnels.clone(),
            proxy: aws.proxy.clone(),
            aws,
            pg_bin: path("pg_bin", globals.pg_bin.as_ref(), file.pg_bin)?,
            config,
            quiet: globals.quiet,
            verbose: globals.verbose,
            yes: globals.yes,
        })
    }

    /// Returns the flags that lead another call of this program to the same target. Variables of the environment are inherited.
    pub fn target_flags(&self) -> Vec<OsString> {
        fn flag<T>(
            name: &str,
            value: Option<&WithOrigin<T>>,
            text: impl Fn(&T) -> OsString,
        ) -> Vec<OsString> {
            let value = value.filter(|value| value.origin == Origin::Flag);
            value.map_or_else(Vec::new, |value| vec![name.into(), text(&value.value)])
        }
        let word = |text: &String| OsString::from(text);
        let path = |path: &PathBuf| path.clone().into_os_string();
        let aws = &self.aws;
        [
            flag("--target", Some(&self.target), word),
            flag("--config", Some(&self.config), path),
            flag("--data-dir", Some(&self.data_dir), path),
            flag("--pg-bin", self.pg_bin.as_ref(), path),
            flag("--profile", aws.profile.as_ref(), word),
            flag("--region", aws.region.as_ref(), word),
            flag("--endpoint-url", aws.endpoint_url.as_ref(), word),
            flag("--prefix", Some(&aws.prefix), word),
            flag("--ssl-mode", Some(&aws.ssl_mode), |mode| {
                mode.to_possible_value().map_or_else(OsString::new, |mode| mode.get_name().into())
            }),
            flag("--ssl-root-cert", aws.ssl_root_cert.as_ref(), path),
        ]
        .concat()
    }

    /// Returns a usage error if read-only is set.
    pub fn may_change(&self, what: &str) -> Result<()> {
        if self.read_only.value {
            let origin = self.read_only.origin;
            return Err(Failure::usage(format!("cannot {what}: read-only is set by {origin}"))
                .hint("remove --read-only, or change the setting that `covidctl config` shows"));
        }
        Ok(())
    }
}

impl File {
    fn read(config: &WithOrigin<PathBuf>) -> Result<Self> {
        let path = config.value.display();
        let text = match std::fs::read_to_string(&config.value) {
            Err(error) if error.kind() == ErrorKind::NotFound && config.origin == Origin::Default => {
                return Ok(Self::default());
            }
            read => read.map_err(|error| {
                Failure::usage(format!("cannot read configuration file `{path}`")).source(error)
            })?,
        };
        toml::from_str(&text).map_err(|error| {
            Failure::usage(format!("invalid configuration file `{path}`"))
                .source(error.to_string().trim_end().to_owned())
                .hint("valid keys: target, output, color, read-only, data-dir, pg-bin and the table aws")
        })
    }
}

/// Returns the value of the flag or environment variable, else that of the file.
fn pick<T: Clone>(
    matches: &ArgMatches,
    id: &str,
    given: Option<&T>,
    file: Option<T>,
) -> Option<WithOrigin<T>> {
    let origin = match matches.value_source(id) {
        Some(ValueSource::EnvVariable) => Origin::Environment,
        _ => Origin::Flag,
    };
    let given = given.cloned().map(|value| WithOrigin { value, origin });
    given.or_else(|| file.map(|value| WithOrigin { value, origin: Origin::File }))
}

const fn built_in<T>(value: T) -> WithOrigin<T> {
    WithOrigin { value, origin: Origin::Default }
}

fn absolute(path: WithOrigin<PathBuf>) -> Result<WithOrigin<PathBuf>> {
    let WithOrigin { value, origin } = path;
    let value = std::path::absolute(&value).context(|| format!("invalid path `{}`", value.display()))?;
    Ok(WithOrigin { value, origin })
}

fn default_config() -> Result<PathBuf> {
    Ok(platform()?.config_dir().join("covidctl/config.toml"))
}

/// Returns the folder of what need not survive the machine's restart, or its nearest substitute.
fn state_dir() -> Result<PathBuf> {
    let platform = platform()?;
    Ok(platform.state_dir().unwrap_or_else(|| platform.data_dir()))
}

fn default_data_dir() -> Result<PathBuf> {
    if nix::unistd::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/covidctl"));
    }
    Ok(platform()?.data_dir().join("covidctl"))
}

fn platform() -> Result<impl etcetera::BaseStrategy> {
    etcetera::choose_base_strategy()
        .context(|| "cannot find the home directory")
        .map_err(|failure| failure.hint("set HOME, or pass --config and --data-dir"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _, Parser};

    use super::*;

    #[derive(Parser)]
    struct OnlyGlobals {
        #[command(flatten)]
        globals: Globals,
    }

    fn resolve(folder: &Path, file: &str, words: &[&str]) -> Result<Settings> {
        let config = folder.join("config.toml");
        std::fs::write(&config, file).unwrap();
        let config = config.to_str().unwrap();
        let words = ["covidctl", "--config", config].into_iter().chain(words.iter().copied());
        let matches = OnlyGlobals::command().try_get_matches_from(words).unwrap();
        Settings::resolve(&OnlyGlobals::from_arg_matches(&matches).unwrap().globals, &matches)
    }

    #[test]
    fn flag_overrides_file_which_overrides_default() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            resolve(folder.path(), "output = 'json'\ncolor = 'never'\ndata-dir = 'data'", &["-o", "text"])
                .unwrap();
        assert_eq!(settings.output, WithOrigin { value: Format::Text, origin: Origin::Flag });
        assert_eq!(settings.color, WithOrigin { value: Color::Never, origin: Origin::File });
        assert_eq!(settings.data_dir, WithOrigin { value: folder.path().join("data"), origin: Origin::File });
        assert_eq!(settings.config.origin, Origin::Flag);
        assert!(settings.may_change("stop").is_ok());
    }

    #[test]
    fn invalid_file_is_usage_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["colour = 'never'", "color = 'blue'", "read-only", "[target"] {
            let failure = resolve(folder.path(), file, &[]).err().unwrap();
            assert_eq!(failure.exit().code(), 2, "{file}");
            assert!(failure.to_string().contains("config.toml"), "{file}");
        }
    }

    #[test]
    fn read_only_refuses_changes() {
        let folder = tempfile::tempdir().unwrap();
        let settings = resolve(folder.path(), "read-only = true", &[]).unwrap();
        assert_eq!(settings.may_change("stop").err().unwrap().exit().code(), 2);
    }

    #[test]
    fn stack_parameter_accepts_boolean_number_and_text() {
        let file: AwsFile =
            toml::from_str("[stacks.database]\nMultiAz = false\nGigabytes = 100\nVersion = '16.9'").unwrap();
        let said = |name: &str| file.stacks()["database"][name].clone();
        assert_eq!((said("MultiAz"), said("Gigabytes")), ("false".to_owned(), "100".to_owned()));
        assert_eq!(said("Version"), "16.9");
        assert!(toml::from_str::<AwsFile>("[stacks.database]\nVersion = [16]").is_err());
    }
}
