//! `--iam`: logins with IAM tokens instead of passwords, in a private file that is rewritten before they expire.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::failure::{Context as _, Failure, Result};
use target::{Bastion, DatabaseLogin, DatabaseServer, password_line};
use tunnel::{Endpoint, LocalForwarding, Ready, quoted};

use super::names;
use crate::cli::Route;
use crate::printer::Printer;

/// The age at which a token is renewed; it is valid for 15 minutes (RDS, IAM database authentication).
const RENEWAL_AGE: Duration = Duration::from_mins(10);

/// How often the age is looked at: a timer stands still while the machine sleeps.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The delay after a failed renewal.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// Returns the role to log in as: the named one, else that of libpq.
pub(in crate::commands) fn role(named: &str) -> Result<String> {
    if !named.is_empty() {
        return Ok(named.to_owned());
    }
    if let Some(user) =
        std::env::var_os("PGUSER").and_then(|user| user.into_string().ok()).filter(|user| !user.is_empty())
    {
        return Ok(user);
    }
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map(|user| user.name).ok_or_else(|| {
        Failure::usage("there is no user name to log in with").hint("name the role: --iam=ROLE")
    })
}

/// Renews the token of one database for ever.
pub(in crate::commands) async fn keep_renewed(
    bastion: &dyn Bastion,
    endpoint: &Endpoint,
    role: &str,
    write: impl Fn(&str) -> Result<()>,
    printer: &Printer,
) -> Failure {
    let renew = async || write(&bastion.iam_token(endpoint, role).await?);
    renew_by_age(SystemTime::now, renew, |failure| report(failure, printer)).await
}

/// The logins of the databases of a tunnel in the background.
pub(super) struct IamLogins {
    bastion: Arc<dyn Bastion>,
    role: String,
    logins: Vec<DatabaseLogin>,
}

/// A password file that is removed when dropped.
pub(super) struct TokenFile {
    path: PathBuf,
    logins: IamLogins,
    forwardings: Vec<LocalForwarding>,
}

impl IamLogins {
    /// Signs the first tokens for the databases that the route names.
    pub(super) async fn new(route: &Route, named: &str, bastion: Arc<dyn Bastion>) -> Result<Self> {
        let role = role(named)?;
        let known = bastion.endpoints();
        let is_database = |name: &String| known.iter().any(|known| known.is_database && known.name == *name);
        let mut logins = Vec::new();
        for name in names(route, &*bastion).iter().filter(|name| is_database(name)) {
            logins.push(bastion.iam_login(&DatabaseServer::named(name), &role).await?);
        }
        if logins.is_empty() {
            return Err(Failure::usage("--iam needs a database of the target")
                .hint("covidctl tunnel start --iam master"));
        }
        Ok(Self { bastion, role, logins })
    }

    /// Writes the file, and adds the login to the connection strings.
    pub(super) fn write(self, path: PathBuf, ready: &mut Ready) -> Result<TokenFile> {
        for forwarding in &mut ready.forwardings {
            if let Some(login) = self.logins.iter().find(|login| is_at(forwarding, &login.endpoint)) {
                forwarding.connection += &connection_parameters(login, &path);
            }
        }
        let tokens = self.logins.iter().map(|login| login.password.clone().unwrap_or_default()).collect();
        let file = TokenFile { path, logins: self, forwardings: ready.forwardings.clone() };
        file.replace(tokens)?;
        Ok(file)
    }
}

impl TokenFile {
    fn replace(&self, tokens: Vec<String>) -> Result<()> {
        let mut text = String::new();
        for (login, token) in self.logins.logins.iter().zip(tokens) {
            for forwarding in self.forwardings.iter().filter(|one| is_at(one, &login.endpoint)) {
                for (host, port) in addresses(forwarding) {
                    text += &password_line(&host, &port, &self.logins.role, &token);
                    text.push('\n');
                }
            }
        }
        common::atomic_file::write(&self.path, text.as_bytes())
            .context(|| format!("cannot write `{}`", self.path.display()))
    }

    /// Renews the tokens for ever.
    pub(super) async fn keep_renewed(&self, printer: &Printer) -> Failure {
        let renew = async || {
            let mut tokens = Vec::new();
            for login in &self.logins.logins {
                tokens.push(self.logins.bastion.iam_token(&login.endpoint, &self.logins.role).await?);
            }
            self.replace(tokens)
        };
        renew_by_age(SystemTime::now, renew, |failure| report(failure, printer)).await
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        // It may have been removed already.
        drop(std::fs::remove_file(&self.path));
    }
}

fn is_at(forwarding: &LocalForwarding, endpoint: &Endpoint) -> bool {
    (forwarding.host.as_str(), forwarding.port) == (endpoint.host.as_str(), endpoint.port)
}

/// Returns the hosts and ports by which libpq looks a password up: the name of the database and the folder of its Unix socket.
fn addresses(forwarding: &LocalForwarding) -> Vec<(String, String)> {
    let mut addresses = vec![(forwarding.host.clone(), forwarding.local.port().to_string())];
    if let Some(socket) = &forwarding.socket
        && let (Some(folder), Some(port)) = (socket.parent(), socket.extension())
    {
        addresses.push((folder.to_string_lossy().into_owned(), port.to_string_lossy().into_owned()));
    }
    addresses
}

fn connection_parameters(login: &DatabaseLogin, password_file: &Path) -> String {
    let mut parameters = vec![
        ("user", login.user.clone()),
        ("dbname", login.database.clone()),
        ("passfile", password_file.to_string_lossy().into_owned()),
    ];
    if let Some(bundle) = &login.ca_bundle {
        parameters.push(("sslmode", "verify-full".to_owned()));
        parameters.push(("sslrootcert", bundle.to_string_lossy().into_owned()));
    }
    parameters
        .iter()
        .flat_map(|(name, value)| [" ".to_owned(), (*name).to_owned(), "=".to_owned(), quoted(value)])
        .collect()
}

fn report(failure: &Failure, printer: &Printer) {
    let hint = failure.hint_text().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    printer.note(&format!("cannot renew the IAM token, new logins fail when it expires: {failure}{hint}"));
}

/// Renews when the last renewal is old by the clock of the machine. Reports the first of several failures. Never returns.
async fn renew_by_age(
    now: impl Fn() -> SystemTime,
    renew: impl AsyncFn() -> Result<()>,
    report: impl Fn(&Failure),
) -> Failure {
    let (mut renewed_at, mut has_failed) = (now(), false);
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        // A clock that was set back says nothing about the age.
        let age = now().duration_since(renewed_at).unwrap_or(RENEWAL_AGE);
        if age < RENEWAL_AGE {
            continue;
        }
        match renew().await {
            Ok(()) => (renewed_at, has_failed) = (now(), false),
            Err(failure) => {
                if !std::mem::replace(&mut has_failed, true) {
                    report(&failure);
                }
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::time::UNIX_EPOCH;

    use tokio::time::{Instant, timeout};

    use super::*;

    /// Returns the minutes of renewals within this time; `fails` says which of them fail, `sleep` is how far the clock is ahead of the timers.
    async fn renewals(within: Duration, fails: fn(usize) -> bool, sleep: Duration) -> (Vec<u64>, usize) {
        let start = Instant::now();
        let now = || {
            let slept = if start.elapsed() > CHECK_INTERVAL { sleep } else { Duration::ZERO };
            UNIX_EPOCH + start.elapsed() + slept
        };
        let (minutes, reports) = (RefCell::new(Vec::new()), Cell::new(0));
        let renew = async || {
            let count = minutes.borrow().len();
            minutes.borrow_mut().push(start.elapsed().as_secs() / 60);
            if fails(count) { Err(Failure::new("the token has expired")) } else { Ok(()) }
        };
        let renewing = renew_by_age(now, renew, |_| reports.set(reports.get() + 1));
        drop(timeout(within, renewing).await);
        (minutes.into_inner(), reports.get())
    }

    #[tokio::test(start_paused = true)]
    async fn token_is_renewed_before_its_end_and_after_failures_and_sleep() {
        let hour = Duration::from_mins(61);
        assert_eq!(renewals(hour, |_| false, Duration::ZERO).await, (vec![10, 20, 30, 40, 50, 60], 0));
        let (minutes, reports) = renewals(Duration::from_mins(23), |count| count < 3, Duration::ZERO).await;
        assert_eq!((minutes, reports), (vec![10, 10, 11, 11, 21], 1));
        let (minutes, _) = renewals(Duration::from_mins(2), |_| false, Duration::from_hours(8)).await;
        assert_eq!(minutes, [0], "the machine has slept");
    }

    #[test]
    fn role_is_the_named_one() {
        assert_eq!(role("ana").unwrap(), "ana");
        assert!(!role("").unwrap().is_empty());
    }

    #[test]
    fn connection_has_login_without_token() {
        let login = DatabaseLogin {
            endpoint: Endpoint { host: "db.example".to_owned(), port: 5432 },
            user: "ana".to_owned(),
            password: Some("token".to_owned()),
            database: "covid19".to_owned(),
            ca_bundle: Some("/cache/rds bundle.pem".into()),
        };
        assert_eq!(
            connection_parameters(&login, Path::new("/state/1.pgpass")),
            " user=ana dbname=covid19 passfile=/state/1.pgpass sslmode=verify-full sslrootcert='/cache/rds bundle.pem'"
        );
    }
}
