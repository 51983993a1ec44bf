//! The capabilities of a target, one trait each.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::failure::{Failure, Result};
use etl::store::Store;
use logs::LogSources;
use tunnel::{Discovery, Identity, SshRoute};
use uuid::Uuid;

use crate::{
    ActiveRun, CheckSink, Component, Database, DatabaseAccess, DatabaseLogin, DatabaseRole, DatabaseServer,
    DoctorContext, Job, JobKind, Location, Metric, MonthCost, ResourceHistory, Run, RunEnd, WithOrigin,
};

/// A target: what it is called, and what it can do. A capability that some kinds of target lack is optional.
#[derive(Clone)]
#[expect(missing_docs, reason = "the traits say it")]
pub struct Target {
    pub runs: Arc<dyn Runs>,
    pub storage: Arc<dyn Storage>,
    pub databases: Arc<dyn Databases>,
    pub components: Arc<dyn Components>,
    pub services: Option<Arc<dyn Services>>,
    pub bastion: Option<Arc<dyn Bastion>>,
    pub account: Option<Arc<dyn AccountHistory>>,
}

impl Target {
    /// Returns a target that one adapter provides whole, without the optional capabilities.
    pub fn of(adapter: Arc<impl Runs + Storage + Databases + Components + 'static>) -> Self {
        Self {
            runs: Arc::clone(&adapter) as _,
            storage: Arc::clone(&adapter) as _,
            databases: Arc::clone(&adapter) as _,
            components: adapter as _,
            services: None,
            bastion: None,
            account: None,
        }
    }

    /// Returns where the target is, as far as that is known without a request.
    pub fn location(&self) -> Location {
        self.components.location()
    }

    /// Makes sure that the target runs this project's image, before a command that needs releases, reports or the schema.
    ///
    /// # Errors
    /// A usage error if the target is a pipeline that the configuration file describes.
    pub fn ensure_releases(&self) -> Result<()> {
        let Location { target, capabilities, .. } = self.location();
        if capabilities.releases { Ok(()) } else { Err(described(&target)) }
    }

    /// Returns the services that start and stop at once.
    ///
    /// # Errors
    /// A usage error if the target consists of stacks, whose changes are shown and confirmed on the command line.
    pub fn services(&self) -> Result<&dyn Services> {
        self.services.as_deref().ok_or_else(|| {
            Failure::usage(
                "stacks are created and deleted on the command line, which shows the changes first",
            )
            .hint(format!("covidctl --target {} up", self.location().target))
        })
    }

    /// Returns the history of the account.
    ///
    /// # Errors
    /// A usage error if the target is not on AWS.
    pub fn account(&self) -> Result<&dyn AccountHistory> {
        self.account.as_deref().ok_or_else(|| {
            Failure::usage(format!("the target `{}` is not on AWS", self.location().target))
                .hint("--target aws")
        })
    }

    /// Returns the bastion.
    ///
    /// # Errors
    /// A usage error if the target has none.
    pub fn bastion(&self) -> Result<&dyn Bastion> {
        self.bastion.as_deref().ok_or_else(|| {
            Failure::usage(format!("the target `{}` has no bastion", self.location().target))
                .hint("--bastion user@host:port, or --target aws")
        })
    }
}

/// The error of a command that needs the pipeline of this project, on a target with this name that is another one.
pub fn described(target: &str) -> Failure {
    Failure::usage(format!("the target `{target}` is a pipeline with programs of its own, which have no stacks, releases and reports"))
        .hint("its tables in the configuration file describe it; status, doctor, logs, run, runs, stop, tunnel and psql work on it")
}

/// Starting, following and stopping the runs of jobs, and their history.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Returns the jobs that can be started, in the order of the pipeline, without a request.
    fn jobs(&self) -> Vec<JobKind>;

    /// Starts a job and returns the id of its run at once.
    async fn start(&self, job: &Job) -> Result<Uuid>;

    /// Waits at most `limit` for a run to end; returns `None` if it has not ended by then.
    async fn wait(&self, run: Uuid, limit: Duration) -> Result<Option<RunEnd>>;

    /// Asks a run to end, and ends it if it does not react.
    async fn stop(&self, run: Uuid) -> Result<()>;

    /// Returns the runs in progress, including those that other clients started.
    async fn active(&self) -> Result<Vec<ActiveRun>>;

    /// Returns the newest runs, newest first, including those that other clients started.
    async fn history(&self, limit: usize) -> Result<Vec<Run>>;

    /// Returns the run whose id begins as typed; `latest` is the newest.
    async fn find(&self, typed: &str) -> Result<Run>;

    /// Returns the log sources: all of them, or what one run logged. A run is named by the beginning of its id, or as `latest`.
    async fn logs(&self, run: Option<&str>) -> Result<LogSources>;
}

/// Where datasets, reports and run records are.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Opens the store of datasets.
    async fn datasets(&self) -> Result<Store>;

    /// Opens the store of reports and run records, which may be the same.
    async fn reports(&self) -> Result<Store>;
}

/// Access to the databases.
#[async_trait]
pub trait Databases: Send + Sync {
    /// Opens access to a server with the privileges of a role. It stays open as long as the value lives.
    async fn database(&self, access: DatabaseAccess) -> Result<Database>;

    /// Opens access with a login that can only read, whatever the session sets.
    async fn reader(&self, server: DatabaseServer) -> Result<Database> {
        self.database(DatabaseAccess { server, role: DatabaseRole::Reader }).await
    }

    /// Returns the names of the databases, the one that `psql` opens first, without a request.
    fn names(&self) -> Vec<String> {
        vec![DatabaseServer::MASTER.name().to_owned()]
    }

    /// Keeps what jobs need on this machine (a server) running as long as the value lives.
    async fn keep_alive(&self) -> Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(()))
    }

    /// Returns the logins whose passwords a new database must know, from the target's secrets: writer, reader, Metabase. `None` if the
    /// target manages no logins.
    async fn logins(&self) -> Result<Option<[LoginSecret; 3]>> {
        Ok(None)
    }

    /// Returns whether migrations run as a job of the target; otherwise the client applies them.
    fn migrates_by_job(&self) -> bool {
        false
    }
}

/// User name and password of a database login. It has no `Debug`: the password is a secret.
#[derive(serde::Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LoginSecret {
    pub username: String,
    pub password: String,
}

/// The components of a target and their health.
#[async_trait]
pub trait Components: Send + Sync {
    /// Returns the target's location, without a request.
    fn location(&self) -> Location;

    /// Returns the location with everything that only a service can say, such as the account.
    async fn identify(&self) -> Result<Location> {
        Ok(self.location())
    }

    /// Returns the components and their states. Changes nothing.
    async fn list(&self) -> Result<Vec<Component>>;

    /// Returns the metrics that a service of the target keeps; none if it keeps none.
    async fn metrics(&self) -> Result<Vec<Metric>> {
        Ok(Vec::new())
    }

    /// Reports each check of the target to `sink` as soon as it is known; a failed check does not stop the others. Changes nothing.
    /// Returns whether the data inside the target can be checked, too.
    async fn diagnose(&self, context: &DoctorContext, sink: &CheckSink<'_>) -> bool;

    /// Returns every resource name that the target uses, with its key and its origin.
    async fn names(&self) -> Result<Vec<(&'static str, WithOrigin<String>)>> {
        Ok(Vec::new())
    }
}

/// Services that start and stop at once and cost nothing.
#[async_trait]
pub trait Services: Send + Sync {
    /// Creates what is missing and starts what is stopped; does nothing the second time.
    async fn up(&self, progress: Arc<dyn Progress>) -> Result<()>;

    /// Stops everything.
    async fn down(&self, data: DataRetention, progress: Arc<dyn Progress>) -> Result<()>;
}

/// What happened in the account that the target is in.
#[async_trait]
pub trait AccountHistory: Send + Sync {
    /// Returns the last changes of the target's resources.
    async fn changes(&self) -> Result<ResourceHistory>;

    /// Returns what the account has cost this month. The request itself is charged.
    async fn cost(&self) -> Result<MonthCost>;
}

/// A bastion in front of the databases.
#[async_trait]
pub trait Bastion: Send + Sync {
    /// Returns how to log in to the bastion.
    async fn access(&self) -> Result<BastionAccess>;

    /// Returns the endpoints behind the bastion that have names, without a request.
    fn endpoints(&self) -> Vec<NamedEndpoint>;

    /// Returns the host and port of a named endpoint, as the bastion sees them.
    async fn endpoint(&self, name: &str) -> Result<tunnel::Endpoint>;

    /// Returns how to log in to a database through a tunnel that the caller opens.
    async fn login(&self, access: &DatabaseAccess) -> Result<DatabaseLogin>;

    /// Opens a tunnel for a login, or uses one that runs in the background.
    async fn connect(&self, login: DatabaseLogin) -> Result<Database>;

    /// Returns the CA bundle that the databases' certificates are verified against; `None` turns TLS off.
    async fn ca_bundle(&self) -> Result<Option<PathBuf>>;

    /// Returns the login of a role with an IAM token as its password.
    async fn iam_login(&self, server: &DatabaseServer, role: &str) -> Result<DatabaseLogin>;

    /// Returns an IAM token for a role. It is valid for 15 minutes at most, for new connections.
    async fn iam_token(&self, endpoint: &tunnel::Endpoint, role: &str) -> Result<String>;
}

/// How to log in to a bastion.
pub struct BastionAccess {
    /// Finds its address.
    pub discovery: Arc<dyn Discovery>,
    /// The keys for it.
    pub identity: Identity,
    /// Files of known hosts beside the usual ones.
    pub known_hosts_files: Vec<PathBuf>,
    /// The hosts to jump through, the nearest first.
    pub jumps: Vec<SshRoute>,
}

impl From<SshRoute> for BastionAccess {
    fn from(route: SshRoute) -> Self {
        let SshRoute { bastion, identity, known_hosts_files, jumps, .. } = route;
        Self { discovery: Arc::new(bastion), identity, known_hosts_files, jumps }
    }
}

/// An endpoint behind a bastion, with a fixed local port that other programs can be configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NamedEndpoint {
    pub name: String,
    pub local_port: u16,
    pub is_database: bool,
}

/// What happens to the data of a target that goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DataRetention {
    Keep,
    Delete,
}

/// Receives the steps of a long operation.
pub trait Progress: Send + Sync {
    /// Reports that a step begins.
    fn step(&self, step: &str);
}
