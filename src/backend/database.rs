//! The way to a PostgreSQL database, with its password kept out of sight.
//!
//! The URL with the password leaves this type in one way, [`Database::url`], for the environment of a child process and for
//! our own connections. `Debug` does not show it.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// A database and how to log in. Where a server or a tunnel has to be kept for it, it is kept as long as this value lives.
pub struct Database {
    /// A name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// The database's name.
    pub name: String,
    /// A file in libpq's format that holds the password.
    pub password_file: PathBuf,
    /// The folder of the server's own client programs, where there is one.
    pub programs: Option<PathBuf>,
    pub(super) password: String,
    pub(super) guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Database {
    /// The URL, with the password: a secret.
    pub fn url(&self) -> String {
        // The parts are ours: letters, digits and addresses; nothing needs an escape.
        let Self { host, port, user, name, password, .. } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{name}?sslmode=disable")
    }

    /// The environment that libpq programs such as psql take; the password stays in its file.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("PGHOST", self.host.clone().into()),
            ("PGPORT", self.port.to_string().into()),
            ("PGUSER", self.user.clone().into()),
            ("PGDATABASE", self.name.clone().into()),
            ("PGPASSFILE", self.password_file.clone().into()),
        ]
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, name, guard, .. } = self;
        let kept = if guard.is_some() { ", kept" } else { "" };
        write!(f, "postgres://{user}:***@{host}:{port}/{name}{kept}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_in_the_url_only() {
        let database = Database {
            host: "127.0.0.1".into(),
            port: 5432,
            user: "me".into(),
            name: "covid19".into(),
            password_file: "/data/pgpass".into(),
            programs: None,
            password: "hush".into(),
            guard: None,
        };
        assert_eq!(database.url(), "postgres://me:hush@127.0.0.1:5432/covid19?sslmode=disable");
        assert!(!format!("{database:?}").contains("hush"));
        assert!(!format!("{:?}", database.environment()).contains("hush"));
    }
}
