//! Access to a PostgreSQL database, with a password that is never shown.
//!
//! The password leaves [`Database`] only in [`Database::url`], for the environment of a child process and for connections of this
//! program. `Debug` hides it.

use std::any::Any;
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use common::failure::{Context as _, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// What a part of a URL may hold unescaped beside letters and digits.
const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// A database and how to log in. A server or tunnel that it needs stays open as long as this value lives.
pub struct Database {
    /// Host name or address that the server's certificate is checked against.
    pub host: String,
    /// Address of the tunnel that connections go to instead.
    pub address: Option<IpAddr>,
    /// Private folder with a Unix socket that leads to the tunnel, too.
    pub socket_folder: Option<PathBuf>,
    /// Port at the address, or at the host.
    pub port: u16,
    /// The login role.
    pub user: String,
    /// Name of the database.
    pub name: String,
    /// Private file in the format of libpq's `PGPASSFILE`; without one, libpq's programs ask for the password.
    pub password_file: Option<PathBuf>,
    /// Folder of client programs that fit the server, if there is one.
    pub programs: Option<PathBuf>,
    /// CA bundle that the certificate is verified against; `None` turns TLS off.
    pub ca_bundle: Option<PathBuf>,
    /// A secret, if it is known.
    pub password: Option<String>,
    /// Keeps the server or tunnel open.
    pub guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Database {
    /// Returns the URL with the password: a secret.
    ///
    /// `sqlx` has no `hostaddr`, but it connects to a Unix socket and verifies the certificate against the host of the URL. Through a
    /// tunnel the URL therefore has both.
    pub fn url(&self) -> String {
        let tls = match &self.ca_bundle {
            None => "sslmode=disable".to_owned(),
            Some(file) => {
                format!("sslmode=verify-full&sslrootcert={}", percent_encode(&file.to_string_lossy()))
            }
        };
        let socket = match &self.socket_folder {
            None => String::new(),
            Some(folder) => format!("&host={}", percent_encode(&folder.to_string_lossy())),
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let (user, name) = (percent_encode(&self.user), percent_encode(&self.name));
        let password = self.password.as_ref().map(|password| format!(":{}", percent_encode(password)));
        let password = password.unwrap_or_default();
        format!("postgres://{user}{password}@{host}:{}/{name}?{tls}{socket}", self.port)
    }

    /// Returns the environment for libpq programs such as psql; the password stays in its file.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = vec![
            ("PGHOST", self.host.clone().into()),
            ("PGPORT", self.port.to_string().into()),
            ("PGUSER", self.user.clone().into()),
            ("PGDATABASE", self.name.clone().into()),
        ];
        if let Some(file) = &self.password_file {
            environment.push(("PGPASSFILE", file.clone().into()));
        }
        if let Some(address) = self.address {
            environment.push(("PGHOSTADDR", address.to_string().into()));
        }
        if let Some(file) = &self.ca_bundle {
            environment.push(("PGSSLMODE", "verify-full".into()));
            environment.push(("PGSSLROOTCERT", file.clone().into()));
        }
        environment
    }

    /// Replaces the password in the file, for connections that libpq programs open from now on.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_password(&self, password: &str) -> Result<()> {
        let Some(file) = &self.password_file else { return Ok(()) };
        let line = format!("{}\n", password_line("*", "*", "*", password));
        common::atomic_file::write(file, line.as_bytes()).context(cannot_write_password)
    }

    /// Returns whether connections go through a tunnel of this process.
    pub const fn is_tunnelled(&self) -> bool {
        self.address.is_some()
    }
}

/// A server and the role to log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub struct DatabaseAccess {
    pub server: DatabaseServer,
    pub role: DatabaseRole,
}

impl DatabaseAccess {
    /// Reads on the primary.
    pub const READ: Self = Self { server: DatabaseServer::MASTER, role: DatabaseRole::Reader };
    /// Migrates.
    pub const WRITE: Self = Self { server: DatabaseServer::MASTER, role: DatabaseRole::Writer };
    /// Creates roles.
    pub const ADMINISTER: Self = Self { server: DatabaseServer::MASTER, role: DatabaseRole::Administrator };
}

/// The name of a database server in the description of a target; a target with a single server takes any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseServer(Cow<'static, str>);

impl DatabaseServer {
    /// The primary, which loads write to.
    pub const MASTER: Self = Self(Cow::Borrowed("master"));
    /// The read replica that dashboards use.
    pub const REPLICA: Self = Self(Cow::Borrowed("replica"));

    /// Returns the server with a name.
    pub fn named(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// The privileges that a connection needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseRole {
    /// Reads.
    Reader,
    /// Loads and migrates.
    Writer,
    /// Creates roles and databases.
    Administrator,
}

/// A database behind a bastion and how to log in to it, without the tunnel. It has no `Debug`: the password is a secret.
pub struct DatabaseLogin {
    /// Host and port as the bastion sees them; the certificate is verified against the host.
    pub endpoint: tunnel::Endpoint,
    /// The login role.
    pub user: String,
    /// A secret; `None` if libpq's programs are to ask for it.
    pub password: Option<String>,
    /// Name of the database.
    pub database: String,
    /// CA bundle that the certificate is verified against; `None` turns TLS off.
    pub ca_bundle: Option<PathBuf>,
}

impl DatabaseLogin {
    /// Returns the database at the local end of a tunnel. The tunnel, and the private password file and socket that are created here, live
    /// as long as the value.
    ///
    /// # Errors
    /// If the password file or the socket cannot be created.
    pub fn through(self, local: SocketAddr, tunnel: impl Any + Send + Sync) -> Result<Database> {
        let cannot_listen = || "cannot create a private folder for a socket".to_owned();
        let only_owner = PermissionsExt::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(only_owner).tempdir().context(cannot_listen)?;
        let socket = tunnel::UnixSocket::listen(folder.path(), local.port(), local).map_err(|failure| {
            failure.hint("set TMPDIR to a folder with a shorter path: that of a socket has about 100 bytes")
        })?;
        let database = self.direct()?;
        Ok(Database {
            address: Some(local.ip()),
            socket_folder: Some(folder.path().to_path_buf()),
            port: local.port(),
            guard: Some(Box::new((socket, folder, tunnel, database.guard))),
            ..database
        })
    }

    /// Returns the database at its endpoint, which this machine reaches without a tunnel.
    ///
    /// # Errors
    /// If the password file cannot be written.
    pub fn direct(self) -> Result<Database> {
        let file = self.password.as_deref().map(password_file).transpose()?;
        Ok(Database {
            host: self.endpoint.host,
            address: None,
            socket_folder: None,
            port: self.endpoint.port,
            user: self.user,
            name: self.database,
            password_file: file.as_ref().map(|file| file.path().to_path_buf()),
            programs: None,
            ca_bundle: self.ca_bundle,
            password: self.password,
            guard: file.map(|file| Box::new(file) as _),
        })
    }
}

/// Writes a private password file, which is removed with the value.
fn password_file(password: &str) -> Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new().context(cannot_write_password)?;
    writeln!(file, "{}", password_line("*", "*", "*", password)).context(cannot_write_password)?;
    Ok(file)
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, name, guard, .. } = self;
        let kept = if guard.is_some() { ", kept" } else { "" };
        write!(f, "postgres://{user}:***@{host}:{port}/{name}{kept}")
    }
}

fn percent_encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, UNESCAPED)
}

fn cannot_write_password() -> String {
    "cannot write a private file for the password".to_owned()
}

/// Returns a line of libpq's password file, for any database; `*` matches any host, port or user.
pub fn password_line(host: &str, port: &str, user: &str, password: &str) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
    [host, port, "*", user, password].map(escaped).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Database {
        Database {
            host: "127.0.0.1".into(),
            address: None,
            socket_folder: None,
            port: 5432,
            user: "me".into(),
            name: "covid19".into(),
            password_file: Some("/data/pgpass".into()),
            programs: None,
            ca_bundle: None,
            password: Some("hush".into()),
            guard: None,
        }
    }

    #[test]
    fn password_appears_in_url_only() {
        let database = database();
        assert_eq!(database.url(), "postgres://me:hush@127.0.0.1:5432/covid19?sslmode=disable");
        assert!(!format!("{database:?}").contains("hush"));
        assert!(!format!("{:?}", database.environment()).contains("hush"));
    }

    #[test]
    fn tunnelled_database_verifies_certificate() {
        let tunnelled = Database {
            host: "master.example".into(),
            address: Some("127.0.0.1".parse().unwrap()),
            socket_folder: Some("/tmp/a b".into()),
            ca_bundle: Some("/cache/bundle.pem".into()),
            password: Some("p@ss:w/rd%".into()),
            ..database()
        };
        assert_eq!(
            tunnelled.url(),
            "postgres://me:p%40ss%3Aw/rd%25@master.example:5432/covid19?sslmode=verify-full&sslrootcert=/cache/bundle.pem&host=/tmp/a%20b"
        );
        let environment = tunnelled.environment();
        for (name, value) in [
            ("PGHOST", "master.example"),
            ("PGHOSTADDR", "127.0.0.1"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/cache/bundle.pem"),
        ] {
            assert!(environment.contains(&(name, value.into())), "{environment:?}");
        }
        assert_eq!(password_line("::1", "5432", "*", "a:b\\c"), "\\:\\:1:5432:*:*:a\\:b\\\\c");
    }
}
