//! TLS for the PostgreSQL of a local target.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// An authority, and a certificate of it for one host; made with openssl.
pub(crate) struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    pub(crate) fn of(host: &str) -> Self {
        let certificate = Self { folder: tempfile::tempdir().unwrap() };
        let name = format!("subjectAltName=DNS:{host}");
        let new =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        // Authorities of the same name would be taken for each other.
        let subject = format!("/CN={}", certificate.folder.path().file_name().unwrap().display());
        let authority = ["-subj", &subject, "-keyout", "ca.key", "-out", "ca.pem"];
        certificate.openssl(&[&new[..], &authority].concat());
        // CN does not count if there is a subjectAltName (RFC 6125).
        let host =
            ["-subj", "/CN=covid19", "-addext", &name, "-addext", "basicConstraints=critical,CA:FALSE"];
        let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.crt"];
        certificate.openssl(&[&new[..], &host, &signed].concat());
        certificate
    }

    fn openssl(&self, words: &[&str]) {
        let output = Command::new("openssl").args(words).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Returns the file of the authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Makes a server use it; `sql` runs a query as a superuser and returns its value.
    pub(crate) fn install(&self, sql: impl Fn(&str) -> String) {
        for name in ["server.key", "server.crt"] {
            let lines = base64_lines(&self.folder.path().join(name));
            // The server's own user writes it, as the server demands for keys. Its working directory is that of its data.
            sql(&format!("COPY (SELECT '{lines}') TO PROGRAM 'umask 077 && openssl base64 -d -A > {name}'"));
        }
        sql("ALTER SYSTEM SET ssl = on");
        sql("SELECT pg_reload_conf()");
        // The reload is asynchronous; the harness limits the wait.
        while sql("SHOW ssl") != "on" {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn base64_lines(path: &Path) -> String {
    let output = Command::new("openssl").args(["base64", "-A", "-in"]).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
