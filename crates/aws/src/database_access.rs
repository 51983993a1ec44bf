//! Access to the databases on AWS: endpoint, login from Secrets Manager, tunnel through the bastion.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use common::failure::{Failure, Result};

use super::api_error::ApiContext as _;
use super::clients::Clients;
use super::names::{Name, Names};
use crate::ca_bundle;
use target::{
    AwsSettings, Database, DatabaseAccess, DatabaseLogin, DatabaseRole, DatabaseServer, LoginSecret, SslMode,
};
use tunnel::{Discovery, Endpoint, EventSink, Forwarding, Options, Tunnel};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the host and port of `master`, `replica` or `metabase`, as the bastion sees them.
pub(super) async fn endpoint(clients: &Clients, names: &Names, name: &str) -> Result<Endpoint> {
    let (host, port, instance) = match name {
        "master" => (names.get(Name::MasterEndpoint), Name::DatabasePort, Some(Name::Master)),
        "replica" => (names.get(Name::ReplicaEndpoint), Name::DatabasePort, Some(Name::Replica)),
        "metabase" => (Some(names.need(Name::MetabaseHost)?), Name::MetabasePort, None),
        _ => {
            return Err(Failure::usage(format!("there is no target `{name}`")).hint(
                "the targets are master, replica and metabase; use -L LOCAL-PORT:HOST:PORT for others",
            ));
        }
    };
    let port = names.need(port)?;
    let port = port.parse().map_err(|_| Failure::usage(format!("invalid port `{port}`")))?;
    match (host, instance) {
        (Some(host), _) => Ok(Endpoint { host: host.to_owned(), port }),
        (None, Some(instance)) => instance_endpoint(clients, names.need(instance)?).await,
        (None, None) => Err(Failure::usage(format!("the endpoint of `{name}` is not configured"))),
    }
}

/// Returns the endpoint of an RDS instance.
async fn instance_endpoint(clients: &Clients, name: &str) -> Result<Endpoint> {
    let answer = clients.databases().describe_db_instances().db_instance_identifier(name).send().await;
    let answer =
        answer.api_context("rds:DescribeDBInstances", || format!("cannot describe the database `{name}`"))?;
    let endpoint = answer.db_instances().first().and_then(|instance| instance.endpoint());
    let found = endpoint.and_then(|endpoint| {
        Some(Endpoint { host: endpoint.address()?.to_owned(), port: u16::try_from(endpoint.port()?).ok()? })
    });
    found.ok_or_else(|| {
        Failure::new(format!("the database `{name}` has no endpoint yet")).hint("covidctl status")
    })
}

/// Returns how to log in to a server, without the tunnel.
pub(super) async fn login(
    clients: &Clients,
    names: &Names,
    access: DatabaseAccess,
    settings: &AwsSettings,
) -> Result<DatabaseLogin> {
    let server = match access.server {
        DatabaseServer::Master => "master",
        DatabaseServer::Replica => "replica",
    };
    let endpoint = endpoint(clients, names, server).await?;
    let LoginSecret { username, password } = secret(clients, names, access.role).await?;
    let ca_bundle = match settings.ssl_mode.value {
        SslMode::Disable => None,
        SslMode::VerifyFull => Some(ca_bundle::provide(settings.ssl_root_cert.as_ref()).await?),
    };
    let database = names.need(Name::Database)?.to_owned();
    Ok(DatabaseLogin { endpoint, user: username, password, database, ca_bundle })
}

/// Opens a tunnel to the database of a login.
pub(super) async fn open(
    login: DatabaseLogin,
    bastion: Arc<dyn Discovery>,
    settings: &AwsSettings,
    events: EventSink,
) -> Result<Database> {
    let options = Options {
        discovery: bastion,
        forwardings: vec![Forwarding { port: 0, target: login.endpoint.clone() }],
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        key: None,
        prompt_passphrase: false,
        known_hosts: settings.known_hosts.clone(),
        host_key: None,
        cipher: None,
        connect_timeout: CONNECT_TIMEOUT,
        ready_file: None,
    };
    let tunnel = Tunnel::open(options, events).await?;
    let local = tunnel.ready().forwardings.first().map(|local| local.local);
    let local = local.ok_or_else(|| Failure::new("the tunnel has no forwarding"))?;
    login.through(local, tunnel)
}

async fn secret(clients: &Clients, names: &Names, role: DatabaseRole) -> Result<LoginSecret> {
    read(
        clients,
        names.need(match role {
            DatabaseRole::Reader => Name::ReaderSecret,
            DatabaseRole::Writer => Name::WriterSecret,
            DatabaseRole::Administrator => Name::MasterSecret,
        })?,
    )
    .await
}

/// Returns the logins of tasks, operators and Metabase.
pub(super) async fn logins(clients: &Clients, names: &Names) -> Result<[LoginSecret; 3]> {
    let secret = async |name| read(clients, names.need(name)?).await;
    Ok([
        secret(Name::WriterSecret).await?,
        secret(Name::ReaderSecret).await?,
        secret(Name::MetabaseSecret).await?,
    ])
}

async fn read(clients: &Clients, name: &str) -> Result<LoginSecret> {
    let answer = clients.secrets().get_secret_value().secret_id(name).send().await;
    let answer =
        answer.api_context("secretsmanager:GetSecretValue", || format!("cannot read the secret `{name}`"))?;
    serde_json::from_str(answer.secret_string().unwrap_or_default()).map_err(|_| {
        // The content is not part of the message: it may be another secret.
        Failure::new(format!("the secret `{name}` contains no login"))
            .hint("it must be a JSON object with `username` and `password`")
    })
}
