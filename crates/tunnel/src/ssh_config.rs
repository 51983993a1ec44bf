//! Hosts as `~/.ssh/config` names them: address, user, keys, agent, known hosts and the hosts to jump through.

use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use common::failure::{Context as _, Failure, Result};
use nix::unistd::{User, getuid};
use ssh2_config::{HostParams, ParseRule, SshConfig};

use crate::authentication::{AgentSocket, Identity};
use crate::bastion::Bastion;
use crate::forwarding::split_host;

const DEFAULT_PORT: u16 = 22;

/// Limits hosts that jump through each other.
const MAX_JUMPS: usize = 8;

/// A `Host` block that no name matches.
const NO_HOST: &str = "Host !*";

/// Options that covidctl passes over although they may decide whether a login succeeds.
const PASSED_OVER: [&str; 7] = [
    "CanonicalizeHostname",
    "HostKeyAlias",
    "KnownHostsCommand",
    "PKCS11Provider",
    "ProxyCommand",
    "RevokedHostKeys",
    "StrictHostKeyChecking",
];

/// A host as on the command line of ssh: `[USER@]HOST[:PORT]`, where the host may be an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshHost {
    /// The user that was named.
    pub user: Option<String>,
    /// A name, an address, or an alias of `~/.ssh/config`.
    pub host: String,
    /// The port that was named.
    pub port: Option<u16>,
}

/// How to log in to a host.
#[derive(Debug, Clone)]
pub struct SshRoute {
    /// The host itself.
    pub bastion: Bastion,
    /// The keys for it.
    pub identity: Identity,
    /// Its files of known hosts, beside the usual ones.
    pub known_hosts_files: Vec<PathBuf>,
    /// The hosts to jump through, the nearest first.
    pub jumps: Vec<Self>,
    /// The options that are passed over although they may matter.
    pub passed_over: Vec<String>,
}

impl FromStr for SshHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not HOST, USER@HOST or USER@HOST:PORT");
        let text = text.strip_prefix("ssh://").unwrap_or(text);
        let (user, address) = match text.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, text),
        };
        let (host, port) = split_host(address).ok_or_else(invalid)?;
        let is_bad =
            |user: &str| user.is_empty() || user.contains(|c: char| c.is_control() || c.is_whitespace());
        if user.is_some_and(is_bad) || port == Some(0) || host.starts_with('-') {
            return Err(invalid());
        }
        Ok(Self { user: user.map(str::to_owned), host, port })
    }
}

impl SshHost {
    /// Looks the host up in `~/.ssh/config`. What the command line names takes precedence.
    pub fn resolve(&self) -> Result<SshRoute> {
        let home = etcetera::home_dir().context(|| "cannot find the home directory")?;
        let path = home.join(".ssh/config");
        let config = Config::read(&path, &home)?;
        config.route(self, MAX_JUMPS)
    }
}

struct Config {
    file: SshConfig,
    home: PathBuf,
    /// Whether the file has `Match` blocks, which are passed over.
    has_match: bool,
}

impl Config {
    fn read(path: &Path, home: &Path) -> Result<Self> {
        let text = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            text => text.context(|| format!("cannot read `{}`", path.display()))?,
        };
        Self::parse(&String::from_utf8_lossy(&text), home).map_err(|failure| {
            Failure::usage(format!("cannot read `{}`", path.display()))
                .source(failure)
                .hint("check the file with `ssh -G HOST`, or name the host, user and port in --bastion")
        })
    }

    fn parse(text: &str, home: &Path) -> Result<Self> {
        let is_match = |line: &str| {
            let word = line.trim_start().split([' ', '\t', '=']).next().unwrap_or_default();
            word.eq_ignore_ascii_case("match")
        };
        let has_match = text.lines().any(is_match);
        // The crate would apply the options of a `Match` block to the host before it.
        let lines = text.lines().map(|line| if is_match(line) { NO_HOST } else { line });
        let text = lines.collect::<Vec<_>>().join("\n");
        let rules = ParseRule::ALLOW_UNKNOWN_FIELDS | ParseRule::ALLOW_UNSUPPORTED_FIELDS;
        let config = SshConfig::default().home_dir(home).parse(&mut Cursor::new(text), rules);
        let config = config.map_err(|error| Failure::new(error.to_string()))?;
        let hosts = config.get_hosts();
        if hosts.iter().any(|host| host.params.unsupported_fields.contains_key("match")) {
            return Err(Failure::new("an included file has `Match` blocks, which covidctl does not support"));
        }
        Ok(Self { file: config, home: home.to_path_buf(), has_match })
    }

    fn route(&self, named: &SshHost, jumps_left: usize) -> Result<SshRoute> {
        let params = self.file.query(&named.host);
        let option = |name: &str| params.unsupported_fields.get(name).map_or(&[][..], Vec::as_slice);
        let user = named.user.clone().or_else(|| params.user.clone());
        let user = user.map_or_else(local_user, Ok)?;
        let host = params.host_name.as_deref().unwrap_or(&named.host).replace("%h", &named.host);
        let port = named.port.or(params.port).unwrap_or(DEFAULT_PORT);
        let path = |text: &str| self.expand(text, &host, &user);
        let paths = |files: &[PathBuf]| -> Vec<PathBuf> {
            let files = files.iter().filter_map(|file| file.to_str());
            files.filter(|file| *file != "none").map(path).collect()
        };
        let identity = Identity {
            files: Vec::new(),
            optional_files: paths(params.identity_file.as_deref().unwrap_or_default()),
            certificates: params.certificate_file.iter().filter_map(|file| file.to_str()).map(path).collect(),
            only_files: option("identitiesonly")
                .first()
                .is_some_and(|value| value.eq_ignore_ascii_case("yes")),
            agent: match option("identityagent").first().map(String::as_str) {
                None | Some("SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK" | "${SSH_AUTH_SOCK}") => {
                    AgentSocket::Environment
                }
                Some("none") => AgentSocket::None,
                Some(socket) => AgentSocket::Path(path(socket)),
            },
        };
        let known_hosts_files = option("userknownhostsfile")
            .iter()
            .filter(|file| *file != "none")
            .map(|file| path(file))
            .collect();
        let jumps = self.jumps(&params, jumps_left)?;
        let passed_over = self.passed_over(&params, !jumps.is_empty());
        Ok(SshRoute {
            bastion: Bastion { user, host, port, instance: None },
            identity,
            known_hosts_files,
            jumps,
            passed_over,
        })
    }

    /// Returns the hosts of `ProxyJump`. As with ssh, the first of them may have a `ProxyJump` of its own.
    fn jumps(&self, params: &HostParams, jumps_left: usize) -> Result<Vec<SshRoute>> {
        let names = params.proxy_jump.as_deref().unwrap_or_default();
        let names = names.iter().flat_map(|names| names.split(',')).map(str::trim);
        let mut jumps = Vec::new();
        for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("none")) {
            if jumps_left == 0 {
                return Err(Failure::usage(
                    "the hosts of ProxyJump in ~/.ssh/config jump through each other",
                ));
            }
            let host: SshHost = name.parse().map_err(|error: String| {
                Failure::usage("invalid ProxyJump in ~/.ssh/config").source(error)
            })?;
            let mut route = self.route(&host, jumps_left - 1)?;
            if jumps.is_empty() {
                jumps.append(&mut route.jumps);
            }
            route.jumps.clear();
            jumps.push(route);
        }
        Ok(jumps)
    }

    fn passed_over(&self, params: &HostParams, has_jump: bool) -> Vec<String> {
        let is_set = |name: &&str| {
            let values = params.unsupported_fields.get(&name.to_lowercase());
            let is_neutral = |value: &str| matches!(value, "none" | "no" | "ask");
            values
                .is_some_and(|values| !values.first().is_some_and(|value| is_neutral(&value.to_lowercase())))
        };
        let names =
            PASSED_OVER.into_iter().filter(is_set).filter(|name| !(has_jump && *name == "ProxyCommand"));
        let names = names.map(str::to_owned);
        names.chain(self.has_match.then(|| "Match".to_owned())).collect()
    }

    /// Expands `~` and the tokens of file names that ssh knows.
    fn expand(&self, text: &str, host: &str, user: &str) -> PathBuf {
        let home = self.home.to_string_lossy();
        let text = match text.strip_prefix("~/") {
            Some(rest) => format!("{home}/{rest}"),
            None => text.to_owned(),
        };
        let local = local_user().unwrap_or_default();
        let text = text.replace("%%", "\0").replace("%d", &home).replace("${HOME}", &home);
        text.replace("%h", host).replace("%r", user).replace("%u", &local).replace('\0', "%").into()
    }
}

fn local_user() -> Result<String> {
    let user = User::from_uid(getuid()).ok().flatten().map(|user| user.name);
    user.ok_or_else(|| {
        Failure::usage("the user to log in as is not known").hint("name it: --bastion USER@HOST")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
        Host db
          HostName bastion.example
          User ec2-user
          Port 2222
          IdentityFile ~/keys/%r.pem
          IdentitiesOnly yes
          IdentityAgent \"~/Library/Group Containers/agent.sock\"
          UserKnownHostsFile ~/known /etc/more
          CertificateFile ~/keys/cert.pub
          ProxyJump jump,other@last:23
        Host jump
          HostName %h.example
          ProxyJump outer
        Host jump*
          User jumper
        Match host db exec \"true\"
          User matched
        Host proxied
          ProxyCommand nc %h %p
    ";

    fn route(name: &str) -> SshRoute {
        let config = Config::parse(CONFIG, Path::new("/home/me")).unwrap();
        config.route(&name.parse().unwrap(), MAX_JUMPS).unwrap()
    }

    #[test]
    fn alias_has_options_of_its_blocks() {
        let db = route("db");
        assert_eq!(db.bastion.to_string(), "ec2-user@bastion.example:2222");
        assert_eq!(db.identity.optional_files, [PathBuf::from("/home/me/keys/ec2-user.pem")]);
        assert_eq!(db.identity.certificates, [PathBuf::from("/home/me/keys/cert.pub")]);
        assert!(db.identity.only_files);
        let socket = PathBuf::from("/home/me/Library/Group Containers/agent.sock");
        assert_eq!(db.identity.agent, AgentSocket::Path(socket));
        assert_eq!(db.known_hosts_files, ["/home/me/known", "/etc/more"].map(PathBuf::from));
        let jumps: Vec<_> = db.jumps.iter().map(|jump| jump.bastion.address()).collect();
        assert_eq!(jumps, ["outer:22", "jump.example:22", "last:23"]);
        assert_eq!(
            (db.jumps[1].bastion.user.as_str(), db.jumps[2].bastion.user.as_str()),
            ("jumper", "other")
        );
        assert_eq!(db.passed_over, ["Match"]);
    }

    #[test]
    fn command_line_takes_precedence_and_unknown_names_stay() {
        assert_eq!(route("me@db:22").bastion.to_string(), "me@bastion.example:22");
        let plain = route("root@10.0.0.1");
        assert_eq!((plain.bastion.to_string().as_str(), plain.jumps.len()), ("root@10.0.0.1:22", 0));
        assert_eq!(route("me@[::1]:2222").bastion.address(), "[::1]:2222");
        assert_eq!(route("proxied").passed_over, ["ProxyCommand", "Match"]);
        for invalid in ["", "@host", "a b@host", "host:0", "-oProxyCommand=x"] {
            assert!(invalid.parse::<SshHost>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn hosts_that_jump_through_each_other_are_an_error() {
        let config =
            Config::parse("Host a\nProxyJump b\nHost b\nProxyJump a\n", Path::new("/home/me")).unwrap();
        let host: SshHost = "a".parse().unwrap();
        assert!(config.route(&host, MAX_JUMPS).unwrap_err().to_string().contains("jump through each other"));
    }
}
