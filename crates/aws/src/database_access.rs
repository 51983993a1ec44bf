//! Access to the databases on AWS: endpoint, login from Secrets Manager, tunnel through the bastion.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_rds::types::DbInstance;
use common::failure::{Failure, Result};

use super::api_error::ApiContext as _;
use super::bastion::Group;
use super::clients::Clients;
use super::names::Name;
use super::{Account, Aws, ca_bundle, iam_token};
use target::{
    Bastion, Database, DatabaseAccess, DatabaseLogin, DatabaseRole, DatabaseServer, Databases, LoginSecret,
    SslMode,
};
use tunnel::{Discovery, Endpoint, Forwarding, Identity, Options, Service, Trust, Tunnel};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl Databases for Aws {
    async fn database(&self, access: DatabaseAccess) -> Result<Database> {
        let login = self.login(access).await?;
        self.connect(login).await
    }

    async fn logins(&self) -> Result<Option<[LoginSecret; 3]>> {
        Ok(Some([
            self.secret(Name::WriterSecret).await?,
            self.secret(Name::ReaderSecret).await?,
            self.secret(Name::MetabaseSecret).await?,
        ]))
    }
}

#[async_trait]
impl Bastion for Aws {
    async fn connect(&self, login: DatabaseLogin) -> Result<Database> {
        let service = Service::new(self.settings.tunnels.clone());
        if let Some(local) = service.find(&self.settings.scope(), &login.endpoint).await {
            return login.through(local, ());
        }
        let options = Options {
            discovery: self.discovery().await?,
            forwardings: vec![Forwarding { port: 0, target: login.endpoint.clone() }],
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            identity: Identity::default(),
            prompt: false,
            known_hosts: self.settings.known_hosts.clone(),
            known_hosts_files: Vec::new(),
            trust: Trust::default(),
            host_key: None,
            cipher: None,
            jumps: Vec::new(),
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

    async fn discovery(&self) -> Result<Arc<dyn Discovery>> {
        let Account { clients, names, .. } = self.account().await?;
        let port = names.need(Name::BastionPort)?;
        let port =
            port.parse().map_err(|_| Failure::usage(format!("invalid port of the bastion: `{port}`")))?;
        Ok(Arc::new(Group {
            clients: Arc::clone(clients),
            name: names.need(Name::BastionGroup)?.to_owned(),
            user: names.need(Name::BastionUser)?.to_owned(),
            port,
            firewall: names.get(Name::BastionSecurityGroup).map(str::to_owned),
        }))
    }

    async fn endpoint(&self, name: &str) -> Result<Endpoint> {
        let Account { clients, names, .. } = self.account().await?;
        let (host, port, instance) = match name {
            "master" => (Name::MasterEndpoint, Name::DatabasePort, Some(Name::Master)),
            "replica" => (Name::ReplicaEndpoint, Name::DatabasePort, Some(Name::Replica)),
            "metabase" => (Name::MetabaseHost, Name::MetabasePort, None),
            _ => {
                return Err(Failure::usage(format!("there is no target `{name}`")).hint(
                    "the targets are master, replica and metabase; use -L LOCAL-PORT:HOST:PORT for others",
                ));
            }
        };
        let port = names.need(port)?;
        let port = port.parse().map_err(|_| Failure::usage(format!("invalid port `{port}`")))?;
        match (names.get(host), instance) {
            (None, Some(instance)) => instance_endpoint(clients, names.need(instance)?).await,
            _ => Ok(Endpoint { host: names.need(host)?.to_owned(), port }),
        }
    }

    async fn login(&self, access: DatabaseAccess) -> Result<DatabaseLogin> {
        let endpoint = self.endpoint(server_name(access.server)).await?;
        let secret = match access.role {
            DatabaseRole::Reader => Name::ReaderSecret,
            DatabaseRole::Writer => Name::WriterSecret,
            DatabaseRole::Administrator => Name::MasterSecret,
        };
        let LoginSecret { username, password } = self.secret(secret).await?;
        self.database_login(endpoint, username, password).await
    }

    async fn ca_bundle(&self) -> Result<Option<PathBuf>> {
        match self.settings.ssl_mode.value {
            SslMode::Disable => Ok(None),
            SslMode::VerifyFull => ca_bundle::provide(self.settings.ssl_root_cert.as_ref()).await.map(Some),
        }
    }

    async fn iam_login(&self, server: DatabaseServer, role: &str) -> Result<DatabaseLogin> {
        let endpoint = self.endpoint(server_name(server)).await?;
        let token = self.iam_token(&endpoint, role).await?;
        self.database_login(endpoint, role.to_owned(), token).await
    }

    async fn iam_token(&self, endpoint: &Endpoint, role: &str) -> Result<String> {
        iam_token::sign(self.account().await?.clients.sdk_config(), endpoint, role).await
    }
}

impl Aws {
    async fn database_login(
        &self,
        endpoint: Endpoint,
        user: String,
        password: String,
    ) -> Result<DatabaseLogin> {
        let database = self.account().await?.names.need(Name::Database)?.to_owned();
        Ok(DatabaseLogin { endpoint, user, password, database, ca_bundle: self.ca_bundle().await? })
    }

    async fn secret(&self, name: Name) -> Result<LoginSecret> {
        let Account { clients, names, .. } = self.account().await?;
        let name = names.need(name)?;
        let answer = clients.secrets().get_secret_value().secret_id(name).send().await;
        let answer = answer
            .api_context("secretsmanager:GetSecretValue", || format!("cannot read the secret `{name}`"))?;
        serde_json::from_str(answer.secret_string().unwrap_or_default()).map_err(|_| {
            // The content is not part of the message: it may be another secret.
            Failure::new(format!("the secret `{name}` contains no login"))
                .hint("it must be a JSON object with `username` and `password`")
        })
    }
}

const fn server_name(server: DatabaseServer) -> &'static str {
    match server {
        DatabaseServer::Master => "master",
        DatabaseServer::Replica => "replica",
    }
}

/// Returns the endpoint of an RDS instance.
async fn instance_endpoint(clients: &Clients, name: &str) -> Result<Endpoint> {
    let endpoint = instance(clients, name).await?.and_then(|instance| instance.endpoint);
    let found = endpoint.and_then(|endpoint| {
        Some(Endpoint { host: endpoint.address?, port: u16::try_from(endpoint.port?).ok()? })
    });
    found.ok_or_else(|| {
        Failure::new(format!("the database `{name}` has no endpoint yet")).hint("covidctl status")
    })
}

/// Returns an RDS instance, if it exists.
pub(super) async fn instance(clients: &Clients, name: &str) -> Result<Option<DbInstance>> {
    let answer = clients.databases().describe_db_instances().db_instance_identifier(name).send().await;
    let answer = answer.api_context_optional("rds:DescribeDBInstances", || {
        format!("cannot look at the database `{name}`")
    })?;
    Ok(answer.and_then(|answer| answer.db_instances?.into_iter().next()))
}
