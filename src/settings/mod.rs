//! What holds: flags win over the environment, which wins over the file, which wins over the defaults.
//!
//! Every value remembers where it came from, so that `covidctl config` can say so. Nothing here is created or connected to.

mod aws;

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;
use serde::Deserialize;

use target::{AwsSettings, Origin, SslMode, WithOrigin};

use crate::cli::{Color, Format, Globals};

/// The environment variables of this program; the pipeline's own are in [`common::env`].
pub mod names {
    /// Where the pipeline lives.
    pub const TARGET: &str = "COVIDCTL_TARGET";
    /// Where the local target keeps its data.
    pub const DATA_DIR: &str = "COVIDCTL_DATA_DIR";
    /// The file of settings.
    pub const CONFIG: &str = "COVIDCTL_CONFIG";
    /// The folder of PostgreSQL's programs.
    pub const PG_BIN: &str = "COVIDCTL_PG_BIN";
    /// Refuse whatever would change something.
    pub const READ_ONLY: &str = "COVIDCTL_READ_ONLY";
    /// Under which prefix the stacks have written their names.
    pub const PREFIX: &str = "COVIDCTL_PREFIX";
    /// The certificate authorities for the database; libpq's own name.
    pub const SSL_ROOT_CERT: &str = "PGSSLROOTCERT";
    /// The profile; the name of all AWS programs.
    pub const AWS_PROFILE: &str = "AWS_PROFILE";
    /// The region; the name of all AWS programs.
    pub const AWS_REGION: &str = "AWS_REGION";
    /// One endpoint for all services; the name of all AWS programs.
    pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
    /// Where Metabase is.
    pub const METABASE_URL: &str = "METABASE_URL";
    /// Who sets it up.
    pub const METABASE_EMAIL: &str = "METABASE_EMAIL";
    /// A secret.
    pub const METABASE_PASSWORD: &str = "METABASE_PASSWORD";
    /// The replica, as Metabase reaches it. A secret.
    pub const METABASE_DATABASE_URL: &str = "METABASE_DATABASE_URL";
}

/// All settings of one invocation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The target's name.
    pub target: WithOrigin<String>,
    /// How data are written.
    pub output: WithOrigin<Format>,
    /// When to use colour.
    pub color: WithOrigin<Color>,
    /// Refuse whatever would change something.
    pub read_only: WithOrigin<bool>,
    /// Where the local target keeps its data; absolute.
    pub data_dir: WithOrigin<PathBuf>,
    /// The folder of PostgreSQL's programs, where the first one found is not wanted.
    pub pg_bin: Option<WithOrigin<PathBuf>>,
    /// What only the target `aws` reads.
    pub aws: AwsSettings,
    /// The file of settings, which need not exist where nobody named it.
    pub config: WithOrigin<PathBuf>,
    /// Say only what went wrong.
    pub quiet: bool,
    /// Say more.
    pub verbose: bool,
    /// Answer every question with yes.
    pub yes: bool,
}

/// The file of settings; its keys are the flags' names.
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
    /// Merges the four sources.
    pub fn resolve(globals: &Globals, matches: &ArgMatches) -> Result<Self> {
        let origin = |id: &str| match matches.value_source(id) {
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ => Origin::Flag,
        };
        let given = |path: &Option<PathBuf>, id: &str| {
            path.clone()
                .map(|value| WithOrigin { value, origin: origin(id) })
                .map(|path| absolute(&path))
                .transpose()
        };
        let config = match given(&globals.config, "config")? {
            Some(config) => config,
            None => WithOrigin { value: default_config()?, origin: Origin::Default },
        };
        let file = File::read(&config)?;
        // Paths in the file start from the file's own folder, wherever the program is called.
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
            ssl_root_cert: given(&globals.ssl_root_cert, "ssl_root_cert")?
                .or_else(|| beside(file.aws.ssl_root_cert)),
            names: file.aws.names,
            stacks,
            known_hosts: tunnel::pins(&config.value),
        };
        let data_dir = match given(&globals.data_dir, "data_dir")?.or_else(|| beside(file.data_dir)) {
            Some(folder) => folder,
            None => WithOrigin { value: default_data_dir()?, origin: Origin::Default },
        };
        // `auto` by flag or file gives way to NO_COLOR; `always` and `never` are meant.
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
            pg_bin: given(&globals.pg_bin, "pg_bin")?.or_else(|| beside(file.pg_bin)),
            config,
            quiet: globals.quiet,
            verbose: globals.verbose,
            yes: globals.yes,
        })
    }

    /// Refuses under `--read-only`.
    pub fn may_change(&self, what: &str) -> Result<()> {
        if self.read_only.value {
            let origin = self.read_only.origin;
            return Err(Failure::usage(format!("cannot {what}: read-only is set by {origin}"))
                .hint("leave out --read-only, or set it to false where `covidctl config` shows it"));
        }
        Ok(())
    }
}

impl File {
    fn read(config: &WithOrigin<PathBuf>) -> Result<Self> {
        let path = config.value.display();
        let text = match std::fs::read_to_string(&config.value) {
            Ok(text) => text,
            // Only a file that somebody named has to be there.
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && config.origin == Origin::Default =>
            {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Failure::usage(format!("cannot read the settings `{path}`")).source(error));
            }
        };
        toml::from_str(&text).map_err(|error| {
            Failure::usage(format!("the settings `{path}` are wrong"))
                .source(error.to_string().trim_end().to_owned())
                .hint("the keys are target, output, color, read-only, data-dir, pg-bin and the table aws")
        })
    }
}

fn pick<T>(given: Option<(T, Origin)>, file: Option<T>, default: T) -> WithOrigin<T> {
    let from_file = file.map(|value| (value, Origin::File));
    let (value, origin) = given.or(from_file).unwrap_or((default, Origin::Default));
    WithOrigin { value, origin }
}

fn absolute(path: &WithOrigin<PathBuf>) -> Result<WithOrigin<PathBuf>> {
    let value = std::path::absolute(&path.value)
        .context(|| format!("`{}` is not the name of a file or folder", path.value.display()))?;
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
        .context(|| "cannot find the home folder".to_owned())
        .map_err(|failure| failure.hint("set HOME, or name --config and --data-dir"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::cli::Cli;

    fn resolve(folder: &Path, file: &str, words: &[&str]) -> Result<Settings> {
        let config = folder.join("config.toml");
        std::fs::write(&config, file).unwrap();
        let config = config.to_str().unwrap();
        let words =
            ["covidctl", "--config", config].into_iter().chain(words.iter().copied()).chain(["status"]);
        let matches = Cli::command().try_get_matches_from(words).unwrap();
        Settings::resolve(&Cli::from_arg_matches(&matches).unwrap().globals, &matches)
    }

    #[test]
    fn a_flag_wins_over_the_file_which_wins_over_the_default() {
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
    fn a_wrong_file_is_a_usage_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["colour = 'never'", "color = 'blue'", "read-only", "[target"] {
            let failure = resolve(folder.path(), file, &[]).err().unwrap();
            assert_eq!(failure.exit().code(), 2, "{file}");
            assert!(failure.to_string().contains("config.toml"), "{file}");
        }
    }

    #[test]
    fn read_only_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let settings = resolve(folder.path(), "read-only = true", &[]).unwrap();
        assert_eq!(settings.may_change("stop").err().unwrap().exit().code(), 2);
    }
}
