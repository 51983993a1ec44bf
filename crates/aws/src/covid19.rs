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

/// Adds to a description what it leaves out and parameters below the prefix say: bastion, network of tasks, buckets.
pub(super) fn completed(mut description: Description, names: &Names) -> Description {
    if description.bastion.is_none() {
        description.bastion = text(names, Name::BastionGroup).map(|group| BastionDescription {
            place: BastionPlace::AutoScalingGroup(group),
            user: text(names, Name::BastionUser),
            port: port(names, Name::BastionPort).ok(),
            key: None,
            security_group: text(names, Name::BastionSecurityGroup),
        });
    }
    for job in description.jobs.values_mut() {
        let Work::Task(task) = &mut job.work else { continue };
        for (texts, name) in
            [(&mut task.subnets, Name::Subnets), (&mut task.security_groups, Name::SecurityGroups)]
        {
            if *texts == Texts::default()
                && let Some(list) = names.get(name)
            {
                *texts = listed(list);
            }
        }
    }
    let storage = &mut description.storage;
    for (url, name) in
        [(&mut storage.datasets, Name::DatasetsBucket), (&mut storage.reports, Name::ReportsBucket)]
    {
        if url.is_none() {
            *url = names.get(name).map(|bucket| format!("s3://{bucket}"));
        }
    }
    description
}

fn listed(list: &str) -> Texts {
    Texts::Listed(list.split(',').map(|value| value.trim().to_owned()).collect())
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
        Some(list) => listed(list),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_is_completed_by_parameters_and_not_changed() {
        let task = TaskDescription {
            definition: "etl".to_owned(),
            cluster: "jobs".to_owned(),
            container: None,
            subnets: Texts::default(),
            security_groups: Texts::Listed(vec!["sg-own".to_owned()]),
            assign_public_ip: false,
            launch: Launch::Type("FARGATE".to_owned()),
            command: None,
            environment: BTreeMap::new(),
        };
        let job = JobDescription {
            work: Work::Task(task),
            log_group: None,
            usual_log_group: None,
            schedule: None,
            source: None,
        };
        let described = Description { jobs: named([("etl", job)]), ..Description::default() };
        assert_eq!(completed(described.clone(), &Names::found(&[])), described);
        let names = Names::found(&[
            (Name::BastionGroup, "asg-prod"),
            (Name::Subnets, "subnet-1, subnet-2"),
            (Name::SecurityGroups, "sg-other"),
            (Name::DatasetsBucket, "datasets"),
        ]);
        let complete = completed(described, &names);
        assert_eq!(complete.bastion.unwrap().place, BastionPlace::AutoScalingGroup("asg-prod".to_owned()));
        let Work::Task(task) = &complete.jobs["etl"].work else { unreachable!() };
        assert_eq!(task.subnets, listed("subnet-1,subnet-2"));
        assert_eq!(task.security_groups, listed("sg-own"));
        assert_eq!(complete.storage.datasets.as_deref(), Some("s3://datasets"));
    }
}
