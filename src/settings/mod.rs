//! Settings: flags override environment variables, which override the configuration file, which overrides the defaults.
//!
//! Every value remembers where it was set, for `covidctl config`. Nothing is created or connected to here.

mod file;
mod globals;
mod notify;
mod targets;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::parser::ValueSource;
use clap::{ArgMatches, ValueEnum as _};
use common::failure::{Context as _, Failure, Result};
use etcetera::BaseStrategy as _;
use target::{AwsSettings, Origin, Recording, SslMode, WithOrigin};

use self::file::File;
pub use self::globals::{Color, Format, Globals, RECORD_KEY};
pub use self::notify::{DesktopNotice, NotifySettings};
use self::targets::LOCAL;
pub use self::targets::{TargetEntry, TargetKind};

/// Returns whether a target can have a name, which occurs in command lines.
pub fn is_target_name(name: &str) -> bool {
    file::is_name(name)
}

/// Makes sure that a text can be a configuration file.
///
/// # Errors
/// A usage error with line and key.
pub fn check_file(text: &str, path: &Path) -> Result<()> {
    File::parse(text, path).map(drop)
}

/// The settings of one invocation.
#[derive(Debug, Clone)]
pub struct Settings {
    pub target: WithOrigin<String>,
    pub kind: TargetKind,
    /// All targets that can be selected.
    pub targets: Vec<TargetEntry>,
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
    pub notify: NotifySettings,
    /// What the command line says, to resolve the settings of another target.
    command_line: Arc<(Globals, ArgMatches)>,
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
        let target = pick(matches, "target", globals.target.as_ref(), file.target.clone())
            .unwrap_or_else(|| built_in(LOCAL.to_owned()));
        let kind = file.kind_of(&target.value)?;
        let targets = file.entries();
        let file = file.of_target(&target.value);
        let stacks = file.aws.stacks();
        let description = file.aws.description().map(|mut description| {
            let key = description.bastion.as_mut().and_then(|bastion| bastion.key.as_mut());
            if let Some(key) = key {
                *key = in_home(key).unwrap_or_else(|| folder.join(&*key));
            }
            description
        });
        let state = state_dir()?.join("covidctl");
        let aws = AwsSettings {
            target: target.value.clone(),
            profile: pick(matches, "profile", globals.profile.as_ref(), file.aws.profile),
            region: pick(matches, "region", globals.region.as_ref(), file.aws.region),
            endpoint_url: pick(matches, "endpoint_url", globals.endpoint_url.as_ref(), file.aws.endpoint_url),
            prefix: pick(matches, "prefix", globals.prefix.as_ref(), file.aws.prefix)
                .unwrap_or_else(|| built_in("/covid19".to_owned())),
            ssl_mode: pick(matches, "ssl_mode", globals.ssl_mode.as_ref(), file.aws.ssl_mode)
                .unwrap_or(built_in(SslMode::VerifyFull)),
            ssl_root_cert: path("ssl_root_cert", globals.ssl_root_cert.as_ref(), file.aws.ssl_root_cert)?,
            names: file.aws.names,
            description,
            stacks,
            known_hosts: tunnel::known_hosts_file(&config.value),
            recording: globals
                .record
                .clone()
                .map(|folder| Recording { folder, key: globals.record_key.clone() }),
            records: state.join("targets"),
            tunnels: state.join("tunnels"),
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
            target,
            kind,
            targets,
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
            notify: file.notify,
            command_line: Arc::new((globals.clone(), matches.clone())),
        })
    }

    /// Returns the settings of another target, as if it had been selected by flag.
    pub fn with_target(&self, name: &str) -> Result<Self> {
        let (globals, matches) = &*self.command_line;
        let globals = Globals { target: Some(name.to_owned()), ..globals.clone() };
        let settings = Self::resolve(&globals, matches)?;
        Ok(Self { target: WithOrigin { value: name.to_owned(), origin: Origin::Flag }, ..settings })
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

/// Returns the path of a file in the home directory that is written with `~`.
fn in_home(path: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix("~").ok()?;
    etcetera::home_dir().ok().map(|home| home.join(rest))
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
    fn named_target_has_its_own_settings() {
        let folder = tempfile::tempdir().unwrap();
        let file = "[aws]\nregion = 'eu-west-1'\n[targets.prod]\nkind = 'aws'\nregion = 'us-east-1'\nprofile = 'cde'\n\
            [targets.lab]\nkind = 'local'\ndata-dir = 'lab'";
        let prod = resolve(folder.path(), file, &["--target", "prod"]).unwrap();
        assert_eq!((prod.kind, prod.aws.target.as_str()), (TargetKind::Aws, "prod"));
        assert_eq!(prod.aws.region.as_ref().unwrap().value, "us-east-1");
        let names: Vec<&str> = prod.targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, ["local", "aws", "lab", "prod"]);
        let lab = prod.with_target("lab").unwrap();
        assert_eq!((lab.kind, lab.data_dir.value), (TargetKind::Local, folder.path().join("lab")));
        let other = prod.with_target("aws").unwrap();
        assert_eq!(other.aws.region.unwrap().value, "eu-west-1");
        let flag = resolve(folder.path(), file, &["--target", "prod", "--region", "sa-east-1"]).unwrap();
        assert_eq!(flag.aws.region.unwrap().value, "sa-east-1");
    }

    #[test]
    fn described_target_has_a_description_with_absolute_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = |key: &str| {
            format!(
                "[targets.prod]\nkind = 'aws'\n[targets.prod.bastion]\ntag = 'Name=Bastion Host'\nkey = '{key}'"
            )
        };
        let key = |text: &str| {
            let settings = resolve(folder.path(), &file(text), &["--target", "prod"]).unwrap();
            settings.aws.description.unwrap().bastion.unwrap().key.unwrap()
        };
        assert_eq!(key("bastion.pem"), folder.path().join("bastion.pem"));
        assert_eq!(key("~/.ssh/b.pem"), etcetera::home_dir().unwrap().join(".ssh/b.pem"));
        let other = resolve(folder.path(), &file("x"), &["--target", "aws"]).unwrap();
        assert!(other.aws.description.is_none());
    }

    #[test]
    fn read_only_refuses_changes() {
        let folder = tempfile::tempdir().unwrap();
        let settings = resolve(folder.path(), "read-only = true", &[]).unwrap();
        assert_eq!(settings.may_change("stop").err().unwrap().exit().code(), 2);
    }
}
