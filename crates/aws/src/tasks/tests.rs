use target::description::Texts;

use super::*;

fn job(definition: &str, command: Option<&str>) -> TaskDescription {
    TaskDescription {
        definition: definition.to_owned(),
        cluster: "covid19".to_owned(),
        container: None,
        subnets: Texts::default(),
        security_groups: Texts::default(),
        assign_public_ip: false,
        launch: Launch::Type("FARGATE".to_owned()),
        command: command.map(|word| vec![word.to_owned()]),
        environment: BTreeMap::new(),
    }
}

fn task(definition: &str, command: Option<&str>) -> Task {
    let command = command.map(|word| vec![word.to_owned()]);
    let container = ContainerOverride::builder().name("etl").set_command(command).build();
    let overrides = TaskOverride::builder().container_overrides(container).build();
    Task::builder().task_arn("arn:1/a").task_definition_arn(definition).overrides(overrides).build()
}

#[test]
fn state_names_the_job_of_the_family() {
    let (etl, report) = (job("covid19-etl", None), job("arn:aws:ecs:x:1:task-definition/daily:3", None));
    let jobs = [(JobKind::Etl, &etl), (JobKind::Report, &report)];
    let kind = |family: &str| {
        let definition = format!("arn:aws:ecs:x:1:task-definition/{family}:7");
        state_of(&task(&definition, None), &jobs, true).map(|state| state.kind)
    };
    assert_eq!(kind("covid19-etl"), Some(JobKind::Etl));
    assert_eq!(kind("daily"), Some(JobKind::Report));
    assert_eq!(kind("reports-etl"), Some(JobKind::Etl));
}

#[test]
fn state_tells_jobs_of_one_family_by_their_command() {
    let (etl, other) = (job("covid19-etl", None), job("covid19-etl", Some("refresh")));
    let jobs = [(JobKind::Etl, &etl), (JobKind::Named("refresh".into()), &other)];
    let kind = |command, is_of_stacks| {
        let task = task("arn:aws:ecs:x:1:task-definition/covid19-etl:7", command);
        state_of(&task, &jobs, is_of_stacks).unwrap().kind
    };
    assert_eq!(kind(None, true), JobKind::Etl);
    assert_eq!(kind(Some("run"), true), JobKind::Etl);
    assert_eq!(kind(Some("rollback"), true), JobKind::Rollback);
    assert_eq!(kind(Some("rollback"), false), JobKind::Etl);
    assert_eq!(kind(Some("refresh"), false), JobKind::Named("refresh".into()));
}

#[test]
fn exit_code_is_that_of_the_main_container() {
    let container = |name: &str, code: i32| Container::builder().name(name).exit_code(code).build();
    let stopped = |overrides: Option<TaskOverride>| {
        Task::builder()
            .task_arn("arn:1/a")
            .last_status(STOPPED)
            .containers(container("aws-guardduty-agent", 0))
            .containers(container("etl", 3))
            .set_overrides(overrides)
            .build()
    };
    let code = |task: &Task, named: Option<&str>| {
        let job = TaskDescription { container: named.map(str::to_owned), ..job("covid19-etl", None) };
        state_of(task, &[(JobKind::Etl, &job)], false).unwrap().stop.unwrap().exit_code
    };
    let (by_others, ours) = (stopped(None), stopped(task("covid19-etl", None).overrides));
    assert!(has_unnamed_containers(&by_others) && !has_unnamed_containers(&ours));
    assert_eq!((code(&by_others, Some("etl")), code(&ours, None)), (Some(3), Some(3)));
}

#[test]
fn cluster_is_in_the_arn() {
    assert_eq!(cluster_of("arn:aws:ecs:us-east-1:1:task/jobs/0a"), Some("jobs"));
    assert_eq!(cluster_of("arn:aws:ecs:us-east-1:1:task/0a"), None);
}
