//! Access to the databases on AWS: endpoint, login, tunnel through the bastion.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_rds::types::{DbCluster, DbInstance};
use common::failure::{Failure, Result};

use super::account::Account;
use super::api_error::{ApiContext as _, stack_hint};
use super::bastion::BastionHost;
use super::clients::Clients;
use super::{Aws, ca_bundle, covid19, iam_token, password};
use target::description::{BastionPlace, DatabaseDescription, LoginDescription};
use target::{
    Bastion, BastionAccess, Database, DatabaseAccess, DatabaseLogin, DatabaseRole, DatabaseServer, Databases,
    LoginSecret, NamedEndpoint, SslMode,
};
use tunnel::{Endpoint, Forwarding, Identity, Options, Service, SshHost, Trust, Tunnel};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Local port of the first database; the others have the next ones.
const FIRST_LOCAL_PORT: u16 = 15432;

/// Local port of the first service.
const FIRST_SERVICE_PORT: u16 = 13000;

#[async_trait]
impl Databases for Aws {
    async fn database(&self, access: DatabaseAccess) -> Result<Database> {
        let login = self.login(&access).await?;
        self.connect(login).await
    }

    async fn reader(&self, server: DatabaseServer) -> Result<Database> {
        if let LoginDescription::User { user, .. } = &self.account().await?.database(&server)?.login {
            let hint = "remove --read-only, or describe a database with a login that may only read, and without `read-only` use that";
            return Err(Failure::usage(format!(
                "whether `{user}` can only read is not known, so psql is refused (read-only)"
            ))
            .hint(hint));
        }
        self.database(DatabaseAccess { server, role: DatabaseRole::Reader }).await
    }

    fn names(&self) -> Vec<String> {
        self.endpoints()
            .into_iter()
            .filter(|endpoint| endpoint.is_database)
            .map(|endpoint| endpoint.name)
            .collect()
    }

    async fn logins(&self) -> Result<Option<[LoginSecret; 3]>> {
        let account = self.account().await?;
        match &account.database(&DatabaseServer::MASTER)?.login {
            LoginDescription::User { .. } => Ok(None),
            LoginDescription::Secrets { reader, writer, dashboard, .. } => Ok(Some([
                login_secret(account, writer.as_deref()).await?,
                login_secret(account, reader.as_deref()).await?,
                login_secret(account, dashboard.as_deref()).await?,
            ])),
        }
    }
}

#[async_trait]
impl Bastion for Aws {
    /// Opens the database through a tunnel; without a bastion, at its endpoint.
    async fn connect(&self, login: DatabaseLogin) -> Result<Database> {
        if self.account().await?.description.bastion.is_none() {
            return login.direct();
        }
        let service = Service::new(self.settings.tunnels.clone());
        if let Some(local) = service.find(&self.settings.scope(), &login.endpoint).await {
            return login.through(local, ());
        }
        let BastionAccess { discovery, identity, known_hosts_files, jumps } = self.access().await?;
        let options = Options {
            discovery,
            forwardings: vec![Forwarding { port: 0, target: login.endpoint.clone() }],
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            identity,
            prompt: false,
            known_hosts: self.settings.known_hosts.clone(),
            known_hosts_files,
            trust: Trust::default(),
            host_key: None,
            cipher: None,
            jumps,
            proxy: self.settings.proxy.clone(),
            connect_timeout: CONNECT_TIMEOUT,
            ready_file: None,
            unix_sockets: None,
        };
        let tunnel = Tunnel::open(options, Arc::clone(&self.events)).await?;
        let local = tunnel.ready().forwardings.first().map(|local| local.local);
        let local = local.ok_or_else(|| Failure::new("the tunnel has no forwarding"))?;
        login.through(local, tunnel)
    }

    async fn access(&self) -> Result<BastionAccess> {
        let account = self.account().await?;
        let bastion = account.description.bastion.as_ref().ok_or_else(|| {
            Failure::usage("the target has no bastion")
                .hint("describe it in [targets.NAME.bastion] of the configuration file, or name one: --bastion user@host")
        })?;
        let key = bastion.key.iter().cloned();
        if let BastionPlace::Address(address) = &bastion.place {
            let mut host: SshHost = address.parse().map_err(Failure::usage)?;
            host.user = bastion.user.clone().or(host.user);
            host.port = bastion.port.or(host.port);
            let mut route = host.resolve()?;
            route.identity.files.splice(0..0, key);
            return Ok(route.into());
        }
        let host = BastionHost {
            account: Arc::clone(account),
            place: bastion.place.clone(),
            user: bastion.user.clone().unwrap_or_else(|| "ec2-user".to_owned()),
            port: bastion.port.unwrap_or(22),
            firewall: bastion.security_group.clone(),
        };
        Ok(BastionAccess {
            discovery: Arc::new(host),
            identity: Identity { files: key.collect(), ..Identity::default() },
            known_hosts_files: Vec::new(),
            jumps: Vec::new(),
        })
    }

    fn endpoints(&self) -> Vec<NamedEndpoint> {
        let (databases, services) = match &self.settings.description {
            Some(description) => (
                description.databases.keys().map(String::as_str).collect(),
                description.services.keys().map(String::as_str).collect(),
            ),
            None => (covid19::DATABASES.to_vec(), covid19::SERVICES.to_vec()),
        };
        named_endpoints(databases, services)
    }

    async fn endpoint(&self, name: &str) -> Result<Endpoint> {
        let account = self.account().await?;
        if let Some(service) = account.description.services.get(name) {
            let host = service.host.clone().ok_or_else(|| {
                Failure::usage(format!("the address of `{name}` is not known")).hint(stack_hint("dashboard"))
            })?;
            return Ok(Endpoint { host, port: service.port });
        }
        let known = self.endpoints();
        if !known.iter().any(|endpoint| endpoint.name == name) {
            let names: Vec<&str> = known.iter().map(|endpoint| endpoint.name.as_str()).collect();
            return Err(Failure::usage(format!("there is no endpoint `{name}`")).hint(format!(
                "the endpoints are {}; use -L LOCAL-PORT:HOST:PORT for others",
                names.join(", ")
            )));
        }
        database_endpoint(account, account.database(&DatabaseServer::named(name))?).await
    }

    async fn login(&self, access: &DatabaseAccess) -> Result<DatabaseLogin> {
        let account = self.account().await?;
        let described = account.database(&access.server)?;
        let endpoint = database_endpoint(account, described).await?;
        let (user, password) = match &described.login {
            LoginDescription::User { user, password } => {
                let password = match password {
                    Some(place) => Some(password::read(account, place).await?),
                    None => None,
                };
                (user.clone(), password)
            }
            LoginDescription::Secrets { reader, writer, administrator, .. } => {
                let secret = match access.role {
                    DatabaseRole::Reader => reader,
                    DatabaseRole::Writer => writer,
                    DatabaseRole::Administrator => administrator,
                };
                let LoginSecret { username, password } = login_secret(account, secret.as_deref()).await?;
                (username, Some(password))
            }
        };
        self.database_login(described, endpoint, user, password).await
    }

    async fn ca_bundle(&self) -> Result<Option<PathBuf>> {
        self.ca_bundle_of(self.settings.ssl_mode.value).await
    }

    async fn iam_login(&self, server: &DatabaseServer, role: &str) -> Result<DatabaseLogin> {
        let account = self.account().await?;
        let described = account.database(server)?;
        let endpoint = database_endpoint(account, described).await?;
        let token = self.iam_token(&endpoint, role).await?;
        self.database_login(described, endpoint, role.to_owned(), Some(token)).await
    }

    async fn iam_token(&self, endpoint: &Endpoint, role: &str) -> Result<String> {
        iam_token::sign(self.account().await?.clients.sdk_config(), endpoint, role).await
    }
}

impl Aws {
    async fn database_login(
        &self,
        described: &DatabaseDescription,
        endpoint: Endpoint,
        user: String,
        password: Option<String>,
    ) -> Result<DatabaseLogin> {
        let ca_bundle = self.ca_bundle_of(described.ssl_mode.unwrap_or(self.settings.ssl_mode.value)).await?;
        Ok(DatabaseLogin { endpoint, user, password, database: described.database.clone(), ca_bundle })
    }

    async fn ca_bundle_of(&self, mode: SslMode) -> Result<Option<PathBuf>> {
        match mode {
            SslMode::Disable => Ok(None),
            SslMode::VerifyFull => ca_bundle::provide(self.settings.ssl_root_cert.as_ref()).await.map(Some),
        }
    }
}

/// Returns endpoints with their local ports: those of `master` and `replica` come first, so that they are the same on every target.
fn named_endpoints(mut databases: Vec<&str>, services: Vec<&str>) -> Vec<NamedEndpoint> {
    let usual = [DatabaseServer::MASTER, DatabaseServer::REPLICA];
    let rank = |name: &str| usual.iter().position(|server| server.name() == name).unwrap_or(usual.len());
    databases.sort_by_key(|name| rank(name));
    let named = |names: Vec<&str>, first_port: u16, is_database| {
        names
            .into_iter()
            .zip(first_port..)
            .map(move |(name, local_port)| NamedEndpoint { name: name.to_owned(), local_port, is_database })
            .collect::<Vec<_>>()
    };
    [named(databases, FIRST_LOCAL_PORT, true), named(services, FIRST_SERVICE_PORT, false)].concat()
}

/// Returns a login of the stacks.
async fn login_secret(account: &Account, name: Option<&str>) -> Result<LoginSecret> {
    let name = name.ok_or_else(|| {
        Failure::usage("the secret of the database's login is not known").hint(stack_hint("database"))
    })?;
    serde_json::from_str(&password::secret(account, name).await?).map_err(|_| {
        // The content is not part of the message: it may be another secret.
        Failure::new(format!("the secret `{name}` contains no login"))
            .hint("it must be a JSON object with `username` and `password`")
    })
}

async fn database_endpoint(account: &Account, database: &DatabaseDescription) -> Result<Endpoint> {
    match (&database.host, &database.instance) {
        (Some(host), _) => Ok(Endpoint { host: host.clone(), port: database.port.unwrap_or(5432) }),
        (None, Some(instance)) => instance_endpoint(account, instance).await,
        (None, None) => Err(Failure::usage("the database has neither a host nor an instance")),
    }
}

/// Returns the endpoint of an RDS instance, or the writer's of a cluster.
async fn instance_endpoint(account: &Account, name: &str) -> Result<Endpoint> {
    let endpoint = instance(&account.clients, name).await?.and_then(|instance| instance.endpoint);
    let of_instance = endpoint.and_then(|endpoint| endpoint.address.zip(endpoint.port));
    let found = match of_instance {
        Some(found) => Some(found),
        None => cluster(account, name).await?.and_then(|cluster| cluster.endpoint.zip(cluster.port)),
    };
    let found = found.and_then(|(host, port)| Some(Endpoint { host, port: u16::try_from(port).ok()? }));
    found.ok_or_else(|| {
        Failure::new(format!("the database `{name}` has no endpoint yet")).hint("covidctl status")
    })
}

/// Returns an RDS cluster, if it exists; the stacks create none.
pub(super) async fn cluster(account: &Account, name: &str) -> Result<Option<DbCluster>> {
    if account.description.is_of_stacks {
        return Ok(None);
    }
    let answer = account.clients.databases().describe_db_clusters().db_cluster_identifier(name).send().await;
    let answer = answer.api_context_optional("rds:DescribeDBClusters", || {
        format!("cannot look at the database cluster `{name}`")
    })?;
    Ok(answer.and_then(|answer| answer.db_clusters?.into_iter().next()))
}

/// Returns an RDS instance, if it exists.
pub(super) async fn instance(clients: &Clients, name: &str) -> Result<Option<DbInstance>> {
    let answer = clients.databases().describe_db_instances().db_instance_identifier(name).send().await;
    let answer = answer.api_context_optional("rds:DescribeDBInstances", || {
        format!("cannot look at the database `{name}`")
    })?;
    Ok(answer.and_then(|answer| answer.db_instances?.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_ports_of_master_and_replica_are_the_same_everywhere() {
        let ports = |databases: &[&str], services: &[&str]| {
            let endpoints = named_endpoints(databases.to_vec(), services.to_vec());
            endpoints.into_iter().map(|endpoint| (endpoint.name, endpoint.local_port)).collect::<Vec<_>>()
        };
        let of_stacks = ports(&covid19::DATABASES, &covid19::SERVICES);
        let expected = [("master", 15432), ("replica", 15433), ("metabase", 13000)];
        assert_eq!(of_stacks, expected.map(|(name, port)| (name.to_owned(), port)));
        let foreign = ports(&["archive", "master", "warehouse"], &[]);
        assert_eq!(foreign[0], ("master".to_owned(), 15432));
        assert_eq!(foreign[1..], [("archive".to_owned(), 15433), ("warehouse".to_owned(), 15434)]);
    }
}
