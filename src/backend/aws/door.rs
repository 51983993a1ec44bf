//! The way to the database on AWS: its endpoint, the login from its secret, and a tunnel through the bastion.
//!
//! The password comes from Secrets Manager, is held in memory and in a private file for libpq, and is gone with the value.

use std::any::Any;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Context as _, Failure, Result};
use serde::Deserialize;

use super::clients::Clients;
use super::names::{Name, Names};
use super::trouble::OrTrouble as _;
use crate::backend::{self, Access, Database, Server, authorities, database};
use crate::settings::{Settings, SslMode};
use crate::tunnel::bastion::Discovery;
use crate::tunnel::event::Tell;
use crate::tunnel::forwarding::{Forwarding, Target};
use crate::tunnel::{Options, Tunnel, pins};

/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What the secret of a login holds, and more that is not needed. It has no `Debug`: nobody is to see it.
#[derive(Deserialize)]
pub struct Secret {
    /// Who logs in.
    pub username: String,
    /// With what.
    pub password: String,
}

/// Where a target that has a name leads, as the bastion sees it.
pub(super) async fn target(clients: &Clients, names: &Names, name: &str) -> Result<Target> {
    let (host, port, instance) = match name {
        "master" => (names.get(Name::MasterEndpoint), Name::DatabasePort, Some(Name::Master)),
        "replica" => (names.get(Name::ReplicaEndpoint), Name::DatabasePort, Some(Name::Replica)),
        "metabase" => (Some(names.need(Name::MetabaseHost)?), Name::MetabasePort, None),
        _ => {
            return Err(Failure::usage(format!("there is no target `{name}`")).hint(
                "the targets are master, replica and metabase; -L lport:host:rport leads anywhere else",
            ));
        }
    };
    let port = names.need(port)?;
    let port = port.parse().map_err(|_| Failure::usage(format!("the port `{port}` is no number")))?;
    match (host, instance) {
        (Some(host), _) => Ok(Target { host: host.to_owned(), port }),
        (None, Some(instance)) => endpoint(clients, names.need(instance)?).await,
        (None, None) => Err(Failure::usage(format!("nobody says where `{name}` is"))),
    }
}

/// What the database itself says where it is.
async fn endpoint(clients: &Clients, name: &str) -> Result<Target> {
    let answer = clients.databases().describe_db_instances().db_instance_identifier(name).send().await;
    let answer =
        answer.or_trouble("rds:DescribeDBInstances", || format!("cannot look at the database `{name}`"))?;
    let endpoint = answer.db_instances().first().and_then(|instance| instance.endpoint());
    let found = endpoint.and_then(|endpoint| {
        Some(Target { host: endpoint.address()?.to_owned(), port: u16::try_from(endpoint.port()?).ok()? })
    });
    found.ok_or_else(|| {
        Failure::new(format!("the database `{name}` has no endpoint yet")).hint("covidctl status")
    })
}

/// Where a database is and how to log in there, all but the tunnel.
pub struct Login {
    /// As the bastion sees it; the host is what its certificate is checked against.
    pub target: Target,
    /// Who logs in.
    pub user: String,
    /// With what. A secret.
    pub password: String,
    /// To which database.
    pub database: String,
    authorities: Option<PathBuf>,
}

impl Login {
    /// Asks for it.
    pub(super) async fn ask(
        clients: &Clients,
        names: &Names,
        access: Access,
        settings: &Settings,
    ) -> Result<Self> {
        let name = match access.server {
            Server::Master => "master",
            Server::Replica => "replica",
        };
        let target = target(clients, names, name).await?;
        let Secret { username, password } = secret(clients, names, access.login).await?;
        let authorities = match settings.aws.ssl_mode.value {
            SslMode::Disable => None,
            SslMode::VerifyFull => Some(authorities::provide(settings.aws.ssl_root_cert.as_ref()).await?),
        };
        let database = names.need(Name::Database)?.to_owned();
        Ok(Self { target, user: username, password, database, authorities })
    }

    /// The database through the end of a tunnel, which is kept as long as the database.
    pub fn through(self, local: SocketAddr, tunnel: impl Any + Send + Sync) -> Result<Database> {
        let password_file = password_file(&self.password)?;
        Ok(Database {
            host: self.target.host,
            address: Some(local.ip()),
            port: local.port(),
            user: self.user,
            name: self.database,
            password_file: password_file.path().to_path_buf(),
            programs: None,
            authorities: self.authorities,
            password: self.password,
            guard: Some(Box::new((tunnel, password_file))),
        })
    }
}

/// Opens a tunnel to the database, and says how to log in there.
pub(super) async fn open(
    login: Login,
    bastion: Arc<dyn Discovery>,
    settings: &Settings,
    tell: Tell,
) -> Result<Database> {
    let options = Options {
        discovery: bastion,
        forwardings: vec![Forwarding { port: 0, target: login.target.clone() }],
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        key: None,
        may_ask: false,
        pins: pins(&settings.config.value),
        host_key: None,
        cipher: None,
        connect_limit: CONNECT,
        ready_file: None,
    };
    let tunnel = Tunnel::open(options, tell).await?;
    let local = tunnel.ready().forwardings.first().map(|local| local.local);
    let local = local.ok_or_else(|| Failure::new("the tunnel leads nowhere"))?;
    login.through(local, tunnel)
}

async fn secret(clients: &Clients, names: &Names, login: backend::Login) -> Result<Secret> {
    read(
        clients,
        names.need(match login {
            backend::Login::Reader => Name::ReaderSecret,
            backend::Login::Writer => Name::WriterSecret,
            backend::Login::Administrator => Name::MasterSecret,
        })?,
    )
    .await
}

/// The logins that others use, whose passwords the database has to know: tasks, operators, Metabase.
pub(super) async fn logins(clients: &Clients, names: &Names) -> Result<[Secret; 3]> {
    let secret = async |name| read(clients, names.need(name)?).await;
    Ok([
        secret(Name::WriterSecret).await?,
        secret(Name::ReaderSecret).await?,
        secret(Name::MetabaseSecret).await?,
    ])
}

async fn read(clients: &Clients, name: &str) -> Result<Secret> {
    let answer = clients.secrets().get_secret_value().secret_id(name).send().await;
    let answer = answer.or_trouble("secretsmanager:GetSecretValue", || {
        format!("cannot read the database's login `{name}`")
    })?;
    serde_json::from_str(answer.secret_string().unwrap_or_default()).map_err(|_| {
        // What it holds instead is nobody's business.
        Failure::new(format!("the secret `{name}` is no login"))
            .hint("it must be JSON with `username` and `password`")
    })
}

/// Private to us, for libpq's programs.
fn password_file(password: &str) -> Result<tempfile::NamedTempFile> {
    let what = || "cannot write a private file for the database's password".to_owned();
    let mut file = tempfile::NamedTempFile::new().context(what)?;
    writeln!(file, "*:*:*:*:{}", database::escaped(password)).context(what)?;
    Ok(file)
}
