//! The description of the pipeline that the stacks deploy.
//!
//! This is the one place that knows its jobs, log sources, databases and services; their names are settings and stack outputs ([`Names`]).

use std::collections::BTreeMap;

use super::names::{Name, Names};
use common::failure::{Failure, Result};
use target::Origin;
use target::description::{
    BastionDescription, BastionPlace, DatabaseDescription, Description, JobDescription, Launch,
    LoginDescription, ServiceDescription, StorageDescription, TaskDescription, Texts, Work,
};

/// The prefix of the names of the stacks' alarms.
const ALARM_PREFIX: &str = "covid19-";

/// Task group of loads whose client also starts the report; the EventBridge rule ignores it.
pub(super) const PIPELINE_GROUP: &str = "covid19-pipeline";

pub(super) const DATABASES: [&str; 2] = ["master", "replica"];

pub(super) const SERVICES: [&str; 1] = ["metabase"];

/// Returns the description.
pub(super) fn description(names: &Names) -> Result<Description> {
    let bastion = BastionDescription {
        place: BastionPlace::AutoScalingGroup(names.need(Name::BastionGroup)?.to_owned()),
        user: text(names, Name::BastionUser),
        port: Some(port(names, Name::BastionPort)?),
        key: None,
        security_group: text(names, Name::BastionSecurityGroup),
    };
    let databases = [
        ("master", database(names, Name::Master, Name::MasterEndpoint)?),
        ("replica", database(names, Name::Replica, Name::ReplicaEndpoint)?),
    ];
    let jobs = [
        ("download", download(names)?),
        ("etl", task(names, Name::EtlTask, "etl", Name::EtlGroup)?),
        ("report", task(names, Name::ReportTask, "report", Name::ReportGroup)?),
    ];
    let metabase = ServiceDescription {
        target_group: text(names, Name::MetabaseTargets),
        host: text(names, Name::MetabaseHost),
        port: port(names, Name::MetabasePort)?,
    };
    let bucket = |name| Ok::<_, Failure>(Some(format!("s3://{}", names.need(name)?)));
    Ok(Description {
        bastion: Some(bastion),
        databases: named(databases),
        jobs: named(jobs),
        logs: named([("metabase", names.need(Name::MetabaseGroup)?.to_owned())]),
        storage: StorageDescription {
            datasets: bucket(Name::DatasetsBucket)?,
            reports: bucket(Name::ReportsBucket)?,
        },
        services: named([("metabase", metabase)]),
        alarms: Some(ALARM_PREFIX.to_owned()),
        is_of_stacks: true,
    })
}

fn named<T, const N: usize>(entries: [(&str, T); N]) -> BTreeMap<String, T> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(names: &Names, name: Name) -> Option<String> {
    names.get(name).map(str::to_owned)
}

fn port(names: &Names, name: Name) -> Result<u16> {
    let port = names.need(name)?;
    port.parse().map_err(|_| Failure::usage(format!("`{}` is not a port: `{port}`", name.key())))
}

fn database(names: &Names, instance: Name, endpoint: Name) -> Result<DatabaseDescription> {
    let login = LoginDescription::Secrets {
        reader: text(names, Name::ReaderSecret),
        writer: text(names, Name::WriterSecret),
        administrator: text(names, Name::MasterSecret),
        dashboard: text(names, Name::MetabaseSecret),
    };
    Ok(DatabaseDescription {
        instance: text(names, instance),
        host: text(names, endpoint),
        port: Some(port(names, Name::DatabasePort)?),
        database: names.need(Name::Database)?.to_owned(),
        login,
        ssl_mode: None,
    })
}

fn download(names: &Names) -> Result<JobDescription> {
    Ok(JobDescription {
        work: Work::Function(names.need(Name::Download)?.to_owned()),
        log_group: text(names, Name::LambdaGroup),
        usual_log_group: None,
        schedule: text(names, Name::Schedule),
        source: Some("lambda".to_owned()),
    })
}

fn task(names: &Names, definition: Name, container: &str, group: Name) -> Result<JobDescription> {
    let list = |name: Name| match names.get(name) {
        Some(list) => Texts::Listed(list.split(',').map(|value| value.trim().to_owned()).collect()),
        None => Texts::Parameters(vec![names.parameter(name)]),
    };
    let task = TaskDescription {
        definition: names.need(definition)?.to_owned(),
        cluster: names.need(Name::Cluster)?.to_owned(),
        container: Some(container.to_owned()),
        subnets: list(Name::Subnets),
        security_groups: list(Name::SecurityGroups),
        assign_public_ip: false,
        launch: Launch::Type("FARGATE".to_owned()),
        command: None,
        environment: BTreeMap::new(),
    };
    let is_set = names.origin(group) == Some(Origin::File);
    Ok(JobDescription {
        work: Work::Task(task),
        log_group: text(names, group).filter(|_| is_set),
        usual_log_group: text(names, group),
        schedule: None,
        source: None,
    })
}
