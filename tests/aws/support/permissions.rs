//! The permissions that a request needs: action, resource and the context of its conditions (Service Authorization Reference).

use std::collections::BTreeMap;

use super::call::Call;
use super::moto::ACCOUNT;

/// What a principal must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Permission {
    /// An access key; a role's is the role's name.
    pub(crate) principal: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: BTreeMap<String, String>,
}

impl Permission {
    pub(crate) fn new(principal: &str, action: &str, resource: impl Into<String>) -> Self {
        Self {
            principal: principal.to_owned(),
            action: action.to_owned(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    pub(crate) fn given(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.insert(key.to_owned(), value.into());
        self
    }
}

/// Returns what the request needs. `tags` are those of the instance that it names.
pub(crate) fn of(call: &Call, tags: &BTreeMap<String, String>) -> Vec<Permission> {
    let (service, action) = call.operation.split_once(':').unwrap();
    let need = |action: &str, resource: String| Permission::new(&call.principal, action, resource);
    let arn = |resource: String| arn(service, &call.region, &resource);
    let json = call.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let with_tags = |mut permission: Permission| {
        let tags = tags.iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value.clone()));
        permission.context.extend(tags);
        permission
    };
    let one = |resource: String| vec![need(&call.operation, resource)];
    match (service, action) {
        ("sts" | "autoscaling" | "elasticloadbalancing", _)
        | ("cloudtrail", "LookupEvents")
        | ("cloudwatch", "GetMetricData" | "GetMetricStatistics")
        | ("ec2", "DescribeImages" | "DescribeInstances" | "DescribeSecurityGroups" | "DescribeSubnets")
        | ("ecs", "ListClusters" | "ListServices" | "ListTaskDefinitionFamilies")
        | ("events", "ListRules")
        | ("lambda", "ListFunctions")
        | ("logs", "DescribeLogGroups")
        | ("rds", "DescribeDBEngineVersions")
        | ("scheduler", "ListSchedules")
        | ("secretsmanager", "ListSecrets")
        | ("ssm", "DescribeParameters") => one("*".to_owned()),
        ("ce", "GetCostAndUsage") => one(format!("arn:aws:billing::{ACCOUNT}:billingview/primary")),
        ("ecs", "DescribeClusters") => {
            one(arn(format!("cluster/{}", json["clusters"][0].as_str().unwrap_or_default())))
        }
        ("ecs", "DescribeServices") => one(json["services"][0].as_str().unwrap_or_default().to_owned()),
        ("events", "ListTargetsByRule") => one(arn(format!("rule/{}", text("Rule")))),
        ("rds", "DescribeDBClusters") => {
            one(arn(format!("cluster:{}", call.parameter("DBClusterIdentifier").unwrap_or("*"))))
        }
        ("scheduler", "GetSchedule") => one(arn("schedule/default/hourly".to_owned())),
        ("ssm", "GetParameter") => one(arn(format!("parameter{}", text("Name")))),
        // It names no alarms: composite ones are asked for, too.
        ("cloudwatch", "DescribeAlarms") => one(arn("alarm:*".to_owned())),
        ("cloudformation", _) => of_stack(call),
        ("ec2", "GetConsoleOutput") => {
            let instance = call.parameter("InstanceId").unwrap_or_default();
            vec![with_tags(need(&call.operation, arn(format!("instance/{instance}"))))]
        }
        ("ec2-instance-connect", _) => {
            let instance = self::arn("ec2", &call.region, &format!("instance/{}", text("InstanceId")));
            vec![with_tags(need(&call.operation, instance))]
        }
        ("ecr", _) => one(arn(format!("repository/{}", text("repositoryName")))),
        ("ecs", _) => of_task(call),
        ("events", _) => one(arn(format!("rule/{}", text("Name")))),
        ("lambda", _) => one(arn(format!("function:{}", call.function()))),
        // For all actions except those on tags, the ARN ends with a stream (CloudWatch Logs User Guide, "Resources").
        ("logs", _) => {
            one(arn(format!("log-group:{}:log-stream:{}", text("logGroupName"), text("logStreamName"))))
        }
        ("rds", _) => one(arn(format!("db:{}", call.parameter("DBInstanceIdentifier").unwrap_or("*")))),
        ("s3", _) => of_object(call),
        ("secretsmanager", _) => one(arn_of(&text("SecretId"), |name| arn(format!("secret:{name}-000000")))),
        ("ssm", "GetParametersByPath") => {
            let recursive = json["Recursive"].as_bool().unwrap_or_default().to_string();
            vec![
                need(&call.operation, arn(format!("parameter{}", text("Path"))))
                    .given("ssm:Recursive", recursive),
            ]
        }
        _ => one("a resource that tests/aws/support/permissions.rs does not know yet".to_owned()),
    }
}

fn of_stack(call: &Call) -> Vec<Permission> {
    let stack_arn = |name: &str| {
        let id = "00000000-0000-0000-0000-000000000000";
        arn_of(name, |name| arn("cloudformation", &call.region, &format!("stack/{name}/{id}")))
    };
    // `DescribeEvents` may name a change set alone.
    let resource = call.parameter("StackName").map(stack_arn);
    let resource = resource.or_else(|| call.parameter("ChangeSetName").map(str::to_owned));
    let resource = resource.unwrap_or_else(|| stack_arn("*"));
    let mut needs = vec![Permission::new(&call.principal, &call.operation, resource.clone())];
    if call.parameter("Tags.member.1.Key").is_some() {
        needs.push(Permission::new(&call.principal, "cloudformation:TagResource", resource));
    }
    needs
}

fn of_task(call: &Call) -> Vec<Permission> {
    if call.operation == "ecs:DescribeTaskDefinition" {
        // It knows no resources (Service Authorization Reference).
        return vec![Permission::new(&call.principal, &call.operation, "*")];
    }
    let json = call.json();
    let text = |name: &str| json[name].as_str().unwrap_or("default").to_owned();
    let arn = |resource: String| arn("ecs", &call.region, &resource);
    let cluster = arn_of(&text("cluster"), |name| arn(format!("cluster/{name}")));
    let name = cluster.rsplit('/').next().unwrap_or_default();
    let task = |id: &str| arn_of(id, |id| arn(format!("task/{name}/{id}")));
    let resources = match call.operation.as_str() {
        "ecs:RunTask" => vec![revision(&text("taskDefinition"), &call.region)],
        "ecs:DescribeTasks" => {
            json["tasks"].as_array().into_iter().flatten().filter_map(|id| id.as_str()).map(task).collect()
        }
        "ecs:StopTask" => vec![task(&text("task"))],
        // The instances of the cluster; Fargate has none.
        _ => vec![arn(format!("container-instance/{name}/*"))],
    };
    let need = |resource| Permission::new(&call.principal, &call.operation, resource);
    let mut needs: Vec<_> =
        resources.into_iter().map(need).map(|need| need.given("ecs:cluster", cluster.clone())).collect();
    if call.operation == "ecs:RunTask" {
        needs.extend(pass_roles(&call.principal, &text("taskDefinition"), &call.region));
    }
    needs
}

/// Returns a task definition's ARN; without a revision, the newest is meant.
fn revision(definition: &str, region: &str) -> String {
    let family = definition.rsplit('/').next().unwrap_or_default();
    let revision = if family.contains(':') { family.to_owned() } else { format!("{family}:1") };
    arn("ecs", region, &format!("task-definition/{revision}"))
}

/// Returns what running a task needs: to hand over the roles of its definition.
pub(crate) fn pass_roles(principal: &str, definition: &str, region: &str) -> [Permission; 2] {
    let family = definition.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    ["covid19-execution", family].map(|role| {
        Permission::new(principal, "iam:PassRole", format!("arn:aws:iam::{ACCOUNT}:role/{role}-{region}"))
            .given("iam:PassedToService", "ecs-tasks.amazonaws.com")
    })
}

fn of_object(call: &Call) -> Vec<Permission> {
    let (bucket, object) =
        (format!("arn:aws:s3:::{}", call.bucket()), format!("arn:aws:s3:::{}", call.object()));
    let need = |action: &str, resource: &str| Permission::new(&call.principal, action, resource);
    let is_of_bucket = matches!(call.operation.as_str(), "s3:ListBucket" | "s3:ListBucketVersions");
    let mut needs = vec![need(&call.operation, if is_of_bucket { &bucket } else { &object })];
    if let Some(source) = call.copy_source() {
        needs.push(need("s3:GetObject", &format!("arn:aws:s3:::{source}")));
    }
    needs
}

/// Returns what the answer needs beside that: to be told that an object is missing. Without it, S3 answers 403 (Amazon S3 API Reference, on
/// `GetObject`).
pub(crate) fn of_answer(call: &Call, status: u16) -> Option<Permission> {
    let is_missing = call.operation == "s3:GetObject" && status == 404;
    let bucket = format!("arn:aws:s3:::{}", call.bucket());
    is_missing.then(|| Permission::new(&call.principal, "s3:ListBucket", bucket))
}

pub(crate) fn arn(service: &str, region: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{region}:{ACCOUNT}:{resource}")
}

/// Returns the ARN that a request gives, or makes it from the name.
fn arn_of(id: &str, make: impl Fn(&str) -> String) -> String {
    if id.starts_with("arn:") { id.to_owned() } else { make(id) }
}
