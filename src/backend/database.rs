//! The way to a PostgreSQL database, with its password kept out of sight.
//!
//! The URL with the password leaves this type in one way, [`Database::url`], for the environment of a child process and for
//! our own connections. `Debug` does not show it.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// A database and how to log in. Where a server or a tunnel has to be kept for it, it is kept as long as this value lives.
pub struct Database {
    /// A name or address; what its certificate is checked against.
    pub host: String,
    /// Where connections go instead, through a tunnel.
    pub address: Option<IpAddr>,
    /// The port there.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// The database's name.
    pub name: String,
    /// A file in libpq's format that holds the password.
    pub password_file: PathBuf,
    /// The folder of the server's own client programs, where there is one.
    pub programs: Option<PathBuf>,
    /// The authorities that its certificate is checked against; none where the connection stays on this machine.
    pub authorities: Option<PathBuf>,
    pub(super) password: String,
    pub(super) guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Database {
    /// The URL, with the password: a secret.
    ///
    /// Our own connections cannot go to one place and check the certificate of another. Through a tunnel they check who
    /// signed it, and the bastion, whose key is pinned, sees to it that it is the right host.
    pub fn url(&self) -> String {
        let place = match self.address {
            None => self.host.clone(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => format!("[{address}]"),
        };
        let tls = match (&self.authorities, self.address) {
            (None, _) => "sslmode=disable".to_owned(),
            (Some(file), None) => {
                format!("sslmode=verify-full&sslrootcert={}", encoded(&file.to_string_lossy()))
            }
            (Some(file), Some(_)) => {
                format!("sslmode=verify-ca&sslrootcert={}", encoded(&file.to_string_lossy()))
            }
        };
        let (user, password, name) = (encoded(&self.user), encoded(&self.password), encoded(&self.name));
        format!("postgres://{user}:{password}@{place}:{}/{name}?{tls}", self.port)
    }

    /// The environment that libpq programs such as psql take; the password stays in its file.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = vec![
            ("PGHOST", self.host.clone().into()),
            ("PGPORT", self.port.to_string().into()),
            ("PGUSER", self.user.clone().into()),
            ("PGDATABASE", self.name.clone().into()),
            ("PGPASSFILE", self.password_file.clone().into()),
        ];
        if let Some(address) = self.address {
            environment.push(("PGHOSTADDR", address.to_string().into()));
        }
        if let Some(file) = &self.authorities {
            environment.push(("PGSSLMODE", "verify-full".into()));
            environment.push(("PGSSLROOTCERT", file.clone().into()));
        }
        environment
    }

    /// Whether connections go through a tunnel of this process, which has to stay for them.
    pub const fn is_tunnelled(&self) -> bool {
        self.address.is_some()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, name, guard, .. } = self;
        let kept = if guard.is_some() { ", kept" } else { "" };
        write!(f, "postgres://{user}:***@{host}:{port}/{name}{kept}")
    }
}

/// A part of a URL: whatever is no letter or digit is written as a number.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A password as a line of libpq's password file holds it.
pub fn escaped(password: &str) -> String {
    password.replace('\\', "\\\\").replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Database {
        Database {
            host: "127.0.0.1".into(),
            address: None,
            port: 5432,
            user: "me".into(),
            name: "covid19".into(),
            password_file: "/data/pgpass".into(),
            programs: None,
            authorities: None,
            password: "hush".into(),
            guard: None,
        }
    }

    #[test]
    fn the_password_is_in_the_url_only() {
        let database = database();
        assert_eq!(database.url(), "postgres://me:hush@127.0.0.1:5432/covid19?sslmode=disable");
        assert!(!format!("{database:?}").contains("hush"));
        assert!(!format!("{:?}", database.environment()).contains("hush"));
    }

    #[test]
    fn through_a_tunnel_the_certificate_is_still_checked() {
        let tunnelled = Database {
            host: "master.example".into(),
            address: Some("127.0.0.1".parse().unwrap()),
            authorities: Some("/cache/bundle.pem".into()),
            password: "p@ss:w/rd%".into(),
            ..database()
        };
        assert_eq!(
            tunnelled.url(),
            "postgres://me:p%40ss%3Aw/rd%25@127.0.0.1:5432/covid19?sslmode=verify-ca&sslrootcert=/cache/bundle.pem"
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
        assert_eq!(escaped("a:b\\c"), "a\\:b\\\\c");
    }
}
