//! The description of a pipeline on AWS: its bastion, databases, jobs and log groups.
//!
//! The configuration file describes a pipeline that exists already. What the stacks deploy is described by the adapter; only that
//! description has the fields that the file cannot set.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::SslMode;
pub use crate::texts::Texts;

/// What a target on AWS consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Description {
    pub bastion: Option<BastionDescription>,
    /// By name.
    pub databases: BTreeMap<String, DatabaseDescription>,
    /// By name; each is a log source, too.
    pub jobs: BTreeMap<String, JobDescription>,
    /// Log groups by the name of the source; a `*` at the end matches several groups.
    pub logs: BTreeMap<String, String>,
    pub storage: StorageDescription,
    /// Services behind a load balancer, by name.
    pub services: BTreeMap<String, ServiceDescription>,
    /// Prefix of the names of the pipeline's alarms.
    pub alarms: Option<String>,
    /// Whether the pipeline consists of the stacks: it runs this project's image, which keeps releases, run records and reports.
    pub is_of_stacks: bool,
}

/// The host that the databases are reached through.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BastionTable")]
pub struct BastionDescription {
    /// Where it is.
    pub place: BastionPlace,
    /// The user to log in as; that of `address` if absent.
    pub user: Option<String>,
    /// Port of sshd, 22 if absent.
    pub port: Option<u16>,
    /// Private key file; its path is relative to the configuration file.
    pub key: Option<PathBuf>,
    /// Id of the security group that must let the operator in.
    pub security_group: Option<String>,
}

/// How the bastion is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BastionPlace {
    /// The instance in service of an Auto Scaling group.
    AutoScalingGroup(String),
    /// The running instance with this tag.
    Tag {
        /// Name of the tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// An instance.
    Instance(String),
    /// A host with a fixed name or address, `[user@]host[:port]`.
    Address(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct BastionTable {
    auto_scaling_group: Option<String>,
    tag: Option<String>,
    instance: Option<String>,
    address: Option<String>,
    user: Option<String>,
    port: Option<u16>,
    key: Option<PathBuf>,
    security_group: Option<String>,
}

impl TryFrom<BastionTable> for BastionDescription {
    type Error = &'static str;

    fn try_from(table: BastionTable) -> Result<Self, Self::Error> {
        const PLACE: &str = "one of `auto-scaling-group`, `tag`, `instance` and `address` is needed";
        let BastionTable { auto_scaling_group, tag, instance, address, user, port, key, security_group } =
            table;
        let place = match (auto_scaling_group, tag, instance, address) {
            (Some(group), None, None, None) => BastionPlace::AutoScalingGroup(group),
            (None, Some(tag), None, None) => {
                let (key, value) = tag.split_once('=').ok_or("`tag` is written as \"Name=value\"")?;
                BastionPlace::Tag { key: key.to_owned(), value: value.to_owned() }
            }
            (None, None, Some(instance), None) => BastionPlace::Instance(instance),
            (None, None, None, Some(address)) => BastionPlace::Address(address),
            _ => return Err(PLACE),
        };
        Ok(Self { place, user, port, key, security_group })
    }
}

/// A database and its login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "DatabaseTable")]
pub struct DatabaseDescription {
    /// Identifier of an RDS instance or cluster.
    pub instance: Option<String>,
    /// Host, as the bastion sees it; the endpoint of the instance if absent.
    pub host: Option<String>,
    /// Port of the host, 5432 if absent.
    pub port: Option<u16>,
    /// Name of the database on the server.
    pub database: String,
    /// How to log in.
    pub login: LoginDescription,
    /// That of the target if absent.
    pub ssl_mode: Option<SslMode>,
}

/// How to log in to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginDescription {
    /// One login for everything.
    User {
        /// The login role.
        user: String,
        /// Where the password is; psql asks for it if absent.
        password: Option<PasswordPlace>,
    },
    /// A login for each purpose, in secrets with `username` and `password`; a missing one is not known yet.
    Secrets {
        /// A login that can only read.
        reader: Option<String>,
        /// A login that loads and migrates.
        writer: Option<String>,
        /// A login that creates roles and databases.
        administrator: Option<String>,
        /// The login of the dashboard.
        dashboard: Option<String>,
    },
}

/// Where a password is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PasswordTable")]
pub enum PasswordPlace {
    /// An SSM parameter.
    Parameter(String),
    /// A secret of Secrets Manager; without a field, the whole text is the password.
    Secret {
        /// Its name or ARN.
        secret: String,
        /// The field of the JSON object that it holds.
        field: Option<String>,
    },
    /// A program that prints the password, with its arguments.
    Command(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DatabaseTable {
    instance: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    database: String,
    user: String,
    password: Option<PasswordPlace>,
    ssl_mode: Option<SslMode>,
}

impl TryFrom<DatabaseTable> for DatabaseDescription {
    type Error = &'static str;

    fn try_from(table: DatabaseTable) -> Result<Self, Self::Error> {
        let DatabaseTable { instance, host, port, database, user, password, ssl_mode } = table;
        if instance.is_none() && host.is_none() {
            return Err("`instance` or `host` is needed");
        }
        let login = LoginDescription::User { user, password };
        Ok(Self { instance, host, port, database, login, ssl_mode })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PasswordTable {
    parameter: Option<String>,
    secret: Option<String>,
    field: Option<String>,
    command: Option<Vec<String>>,
}

impl TryFrom<PasswordTable> for PasswordPlace {
    type Error = &'static str;

    fn try_from(table: PasswordTable) -> Result<Self, Self::Error> {
        match table {
            PasswordTable { parameter: Some(name), secret: None, field: None, command: None } => {
                Ok(Self::Parameter(name))
            }
            PasswordTable { parameter: None, secret: Some(secret), field, command: None } => {
                Ok(Self::Secret { secret, field })
            }
            PasswordTable { parameter: None, secret: None, field: None, command: Some(words) } => {
                if words.is_empty() { Err("`command` is empty") } else { Ok(Self::Command(words)) }
            }
            _ => Err("one of `parameter`, `secret` (with `field`) and `command` is needed"),
        }
    }
}

/// A job that can be started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "JobTable")]
pub struct JobDescription {
    /// What is started.
    pub work: Work,
    /// Its log group; that of the task definition or function if absent.
    pub log_group: Option<String>,
    /// Its log group if neither says so, or may not be asked.
    pub usual_log_group: Option<String>,
    /// Name of the EventBridge rule that starts it.
    pub schedule: Option<String>,
    /// Name of its log source, if it is not that of the job.
    pub source: Option<String>,
}

/// What a job consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// An ECS task.
    Task(TaskDescription),
    /// A Lambda function.
    Function(String),
}

/// An ECS task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDescription {
    /// Family, `family:revision` or ARN of the task definition.
    pub definition: String,
    /// Name or ARN of the cluster.
    pub cluster: String,
    /// The container that does the work; the first essential one if absent.
    pub container: Option<String>,
    /// Subnet ids; none for tasks on container instances without `awsvpc`.
    pub subnets: Texts,
    /// Security group ids.
    pub security_groups: Texts,
    /// Whether the task gets a public address, which it needs in a public subnet.
    pub assign_public_ip: bool,
    /// Where it runs.
    pub launch: Launch,
    /// Replaces the command of the container.
    pub command: Option<Vec<String>>,
    /// Environment variables beside those of the task definition.
    pub environment: BTreeMap<String, String>,
}

/// What a task runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A launch type, such as `FARGATE`, `EC2` or `EXTERNAL`.
    Type(String),
    /// A capacity provider, such as `FARGATE_SPOT`.
    CapacityProvider(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct JobTable {
    task_definition: Option<String>,
    cluster: Option<String>,
    container: Option<String>,
    #[serde(default)]
    subnets: Texts,
    #[serde(default)]
    security_groups: Texts,
    assign_public_ip: Option<bool>,
    launch_type: Option<String>,
    capacity_provider: Option<String>,
    command: Option<Vec<String>>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    function: Option<String>,
    log_group: Option<String>,
    schedule: Option<String>,
}

impl TryFrom<JobTable> for JobDescription {
    type Error = &'static str;

    fn try_from(table: JobTable) -> Result<Self, Self::Error> {
        let is_function_alone = table.task_definition.is_none()
            && table.cluster.is_none()
            && table.container.is_none()
            && table.subnets.is_empty()
            && table.security_groups.is_empty()
            && table.assign_public_ip.is_none()
            && table.launch_type.is_none()
            && table.capacity_provider.is_none()
            && table.command.is_none()
            && table.environment.is_empty();
        let work = match (table.function, table.task_definition) {
            (Some(function), None) if is_function_alone => Work::Function(function),
            (Some(_), _) => {
                return Err("`function` is a job of its own: beside it stand `schedule` and `log-group`");
            }
            (None, Some(definition)) => Work::Task(TaskDescription {
                definition,
                cluster: table.cluster.unwrap_or_else(|| "default".to_owned()),
                container: table.container,
                subnets: table.subnets,
                security_groups: table.security_groups,
                assign_public_ip: table.assign_public_ip.unwrap_or_default(),
                launch: match (table.launch_type, table.capacity_provider) {
                    (Some(_), Some(_)) => {
                        return Err("`launch-type` and `capacity-provider` exclude each other");
                    }
                    (None, Some(provider)) => Launch::CapacityProvider(provider),
                    (kind, None) => Launch::Type(kind.unwrap_or_else(|| "FARGATE".to_owned()).to_uppercase()),
                },
                command: table.command,
                environment: table.environment,
            }),
            (None, None) => return Err("`task-definition` or `function` is needed"),
        };
        Ok(Self {
            work,
            log_group: table.log_group,
            usual_log_group: None,
            schedule: table.schedule,
            source: None,
        })
    }
}

/// Where files are, as URLs of `s3://bucket/folder`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StorageDescription {
    /// The datasets that a load reads.
    pub datasets: Option<String>,
    /// Run records; a folder of this machine if absent.
    pub reports: Option<String>,
}

/// A service behind a load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDescription {
    /// ARN of the target group, which knows whether it is healthy.
    pub target_group: Option<String>,
    /// Host, as the bastion sees it.
    pub host: Option<String>,
    /// Port of the host.
    pub port: u16,
}
