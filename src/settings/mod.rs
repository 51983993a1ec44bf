//! Settings: flags override environment variables, which override the configuration file, which overrides the defaults.
//!
//! Every value remembers where it was set, for `covidctl config`. Nothing is created or connected to here.

mod aws;
mod globals;

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;
use serde::Deserialize;
use target::{AwsSettings, Origin, SslMode, WithOrigin};

pub use self::globals::{Color, Format, Globals};

/// The environment variables of this program; those of the pipeline are in [`common::env`].
pub mod names {
    pub const TARGET: &str = "COVIDCTL_TARGET";
    pub const DATA_DIR: &str = "COVIDCTL_DATA_DIR";
    pub const CONFIG: &str = "COVIDCTL_CONFIG";
    pub const PG_BIN: &str = "COVIDCTL_PG_BIN";
    pub const READ_ONLY: &str = "COVIDCTL_READ_ONLY";
    /// SSM parameter prefix of the stacks' outputs.
    pub const PREFIX: &str = "COVIDCTL_PREFIX";
    /// libpq's name for the CA bundle.
    pub const SSL_ROOT_CERT: &str = "PGSSLROOTCERT";
    pub const AWS_PROFILE: &str = "AWS_PROFILE";
    pub const AWS_REGION: &str = "AWS_REGION";
    pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
    pub const METABASE_URL: &str = "METABASE_URL";
    pub const METABASE_EMAIL: &str = "METABASE_EMAIL";
    /// A secret.
    pub const METABASE_PASSWORD: &str = "METABASE_PASSWORD";
    /// The replica, as Metabase reaches it. A secret.
    pub const METABASE_DATABASE_URL: &str = "METABASE_DATABASE_URL";
}

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
    aws: aws::File,
}

impl Settings {
    /// Merges flags, environment, file and defaults.
    pub fn resolve(globals: &Globals, matches: &ArgMatches) -> Result<Self> {
        let origin = |id: &str| match matches.value_source(id) {
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ => Origin::Flag,
        };
        let path_arg = |path: &Option<PathBuf>, id: &str| {
            path.clone()
                .map(|value| WithOrigin { value, origin: origin(id) })
                .map(|path| absolute(&path))
                .transpose()
        };
        let config = match path_arg(&globals.config, "config")? {
            Some(config) => config,
            None => WithOrigin { value: default_config()?, origin: Origin::Default },
        };
        let file = File::read(&config)?;
        // Paths in the file are relative to the file.
        let beside = |path: Option<PathBuf>| {
            let folder = config.value.parent().unwrap_or(Path::new("/"));
            path.map(|path| WithOrigin { value: folder.join(path), origin: Origin::File })
        };
        let text = |given: &Option<String>, id: &str, file: Option<String>| {
            let given = given.clone().map(|value| WithOrigin { value, origin: origin(id) });
            given.or(file.map(|value| WithOrigin { value, origin: Origin::File }))
        };
        let stacks = file.aws.stacks();
        let prefix = text(&globals.prefix, "prefix", file.aws.prefix);
        let aws = AwsSettings {
            profile: text(&globals.profile, "profile", file.aws.profile),
            region: text(&globals.region, "region", file.aws.region),
            endpoint_url: text(&globals.endpoint_url, "endpoint_url", file.aws.endpoint_url),
            prefix: prefix.unwrap_or(WithOrigin { value: "/covid19".to_owned(), origin: Origin::Default }),
            ssl_mode: pick(
                globals.ssl_mode.map(|mode| (mode, Origin::Flag)),
                file.aws.ssl_mode,
                SslMode::VerifyFull,
            ),
            ssl_root_cert: path_arg(&globals.ssl_root_cert, "ssl_root_cert")?
                .or_else(|| beside(file.aws.ssl_root_cert)),
            names: file.aws.names,
            stacks,
            known_hosts: tunnel::known_hosts_file(&config.value),
        };
        let data_dir = match path_arg(&globals.data_dir, "data_dir")?.or_else(|| beside(file.data_dir)) {
            Some(folder) => folder,
            None => WithOrigin { value: default_data_dir()?, origin: Origin::Default },
        };
        // NO_COLOR overrides `auto`, not an explicit `always` or `never`.
        let mut color = pick(globals.color.map(|color| (color, Origin::Flag)), file.color, Color::Auto);
        if color.value == Color::Auto && globals.no_color.as_deref().is_some_and(|value| !value.is_empty()) {
            color = WithOrigin { value: Color::Never, origin: Origin::Environment };
        }
        let read_only = globals.read_only.then(|| (true, origin("read_only")));
        Ok(Self {
            target: pick(
                globals.target.clone().map(|name| (name, origin("target"))),
                file.target,
                "local".into(),
            ),
            output: pick(globals.output.map(|format| (format, Origin::Flag)), file.output, Format::Text),
            color,
            read_only: pick(read_only, file.read_only, false),
            data_dir,
            aws,
            pg_bin: path_arg(&globals.pg_bin, "pg_bin")?.or_else(|| beside(file.pg_bin)),
            config,
            quiet: globals.quiet,
            verbose: globals.verbose,
            yes: globals.yes,
        })
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
            Ok(text) => text,
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && config.origin == Origin::Default =>
            {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Failure::usage(format!("cannot read configuration file `{path}`")).source(error));
            }
        };
        toml::from_str(&text).map_err(|error| {
            Failure::usage(format!("invalid configuration file `{path}`"))
                .source(error.to_string().trim_end().to_owned())
                .hint("valid keys: target, output, color, read-only, data-dir, pg-bin and the table aws")
        })
    }
}

fn pick<T>(given: Option<(T, Origin)>, file: Option<T>, default: T) -> WithOrigin<T> {
    let from_file = file.map(|value| (value, Origin::File));
    let (value, origin) = given.or(from_file).unwrap_or((default, Origin::Default));
    WithOrigin { value, origin }
}

fn absolute(path: &WithOrigin<PathBuf>) -> Result<WithOrigin<PathBuf>> {
    let value =
        std::path::absolute(&path.value).context(|| format!("invalid path `{}`", path.value.display()))?;
    Ok(WithOrigin { value, origin: path.origin })
}

fn default_config() -> Result<PathBuf> {
    Ok(platform()?.config_dir().join("covidctl/config.toml"))
}

fn default_data_dir() -> Result<PathBuf> {
    if nix::unistd::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/covidctl"));
    }
    Ok(platform()?.data_dir().join("covidctl"))
}

fn platform() -> Result<impl etcetera::BaseStrategy> {
    etcetera::choose_base_strategy()
        .context(|| "cannot find the home directory".to_owned())
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
}
