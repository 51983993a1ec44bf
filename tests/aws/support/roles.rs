//! The roles of a deployment, and what AWS does with them: the agent of ECS starts containers, EventBridge starts tasks, Lambda keeps what
//! failed. No request of this project shows that, so the deployed resources do.

use serde_json::{Value, json};

use super::moto::{Moto, between};
use super::permissions::{Permission, arn, pass_roles};
use super::policies::UNCHECKED;
use super::proxy::Proxy;

/// The families of tasks, and whether the tests run them.
const FAMILIES: [(&str, bool); 3] =
    [("covid19-etl", true), ("covid19-report", true), ("covid19-metabase", false)];

const IAM_VERSION: &str = "2010-05-08";

/// The access keys of the deployment's roles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) region: &'static str,
    /// The stacks have created the roles.
    pub(crate) are_deployed: bool,
}

impl Keys {
    /// Returns the key of a role: its name, so that its policies are found.
    pub(crate) fn of(self, role: &str) -> String {
        if self.are_deployed { format!("{role}-{}", self.region) } else { UNCHECKED.to_owned() }
    }
}

/// Gives the proxy the policies of the region's roles, and what AWS does with the roles.
pub(crate) async fn deployed(moto: &Moto, proxy: &Proxy) {
    for (role, policies) in roles(moto).await {
        proxy.set_policies(&role, policies);
    }
    for (family, has_role) in FAMILIES {
        let body = json!({ "taskDefinition": family });
        let target = "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition";
        let definition = moto.json("ecs", target, &body).await["taskDefinition"].clone();
        let role = has_role.then(|| format!("{family}-{}", moto.region));
        let of_task = definition["taskRoleArn"].as_str().map(|_| role_name(&definition["taskRoleArn"]));
        assert_eq!(of_task, role, "the role of the task");
        proxy.require(of_agent(&definition, moto.region));
    }
    proxy.require(of_rule(moto, "covid19-report-after-etl").await);
    let function = moto.function("covid19-download").await;
    // moto's functions have no dead-letter queue; the stack publishes its address.
    let name = json!({ "Name": "/covid19/dead-letter-queue" });
    let queue = moto.json("ssm", "AmazonSSM.GetParameter", &name).await["Parameter"]["Value"].clone();
    let queue = arn("sqs", moto.region, queue.as_str().unwrap().rsplit('/').next().unwrap());
    proxy.require([Permission::new(&role_name(&function["Role"]), "sqs:SendMessage", queue)]);
}

/// Returns the roles of the region's stacks, each with its policies.
async fn roles(moto: &Moto) -> Vec<(String, Vec<(String, Value)>)> {
    let listed = moto.query("iam", "ListRoles", IAM_VERSION, &[("MaxItems", "1000")]).await;
    let names = listed.split("<RoleName>").skip(1).map(|rest| rest.split('<').next().unwrap());
    let mut roles = Vec::new();
    for role in names.filter(|name| name.starts_with("covid19-") && name.ends_with(moto.region)) {
        let listed = moto.query("iam", "ListRolePolicies", IAM_VERSION, &[("RoleName", role)]).await;
        let names = listed.split("<member>").skip(1).map(|rest| rest.split('<').next().unwrap());
        let mut policies = Vec::new();
        for name in names {
            let words = [("RoleName", role), ("PolicyName", name)];
            let policy = moto.query("iam", "GetRolePolicy", IAM_VERSION, &words).await;
            let document = percent_encoding::percent_decode_str(between(&policy, "PolicyDocument"));
            let document = document.decode_utf8().unwrap().replace("&#34;", "\"").replace("&quot;", "\"");
            policies.push((format!("{role}/{name}"), serde_json::from_str(&document).unwrap()));
        }
        roles.push((role.to_owned(), policies));
    }
    roles
}

/// Returns what the agent needs to start a container (ECS Developer Guide, "Amazon ECS task execution IAM role").
fn of_agent(definition: &Value, region: &str) -> Vec<Permission> {
    let role = role_name(&definition["executionRoleArn"]);
    let need = |action: &str, resource: String| Permission::new(&role, action, resource);
    let container = &definition["containerDefinitions"][0];
    let image = container["image"].as_str().unwrap();
    let repository = image.split_once('/').unwrap().1.split(':').next().unwrap();
    let repository = arn("ecr", region, &format!("repository/{repository}"));
    let mut needs = vec![
        need("ecr:GetAuthorizationToken", "*".to_owned()),
        need("ecr:BatchGetImage", repository.clone()),
        need("ecr:GetDownloadUrlForLayer", repository),
    ];
    let options = &container["logConfiguration"]["options"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let stream = format!("{}/{}/0", text(&options["awslogs-stream-prefix"]), text(&container["name"]));
    let stream = format!("log-group:{}:log-stream:{stream}", text(&options["awslogs-group"]));
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        needs.push(need(action, arn("logs", region, &stream)));
    }
    for secret in container["secrets"].as_array().unwrap() {
        // Behind the seven parts of the ARN are the key and the version.
        let secret: Vec<&str> = secret["valueFrom"].as_str().unwrap().split(':').take(7).collect();
        needs.push(need("secretsmanager:GetSecretValue", secret.join(":")));
    }
    needs
}

/// Returns what EventBridge needs to start a task (EventBridge User Guide, "Using IAM roles").
async fn of_rule(moto: &Moto, rule: &str) -> Vec<Permission> {
    let targets = moto.json("events", "AWSEvents.ListTargetsByRule", &json!({ "Rule": rule })).await;
    let target = &targets["Targets"][0];
    let (principal, cluster) = (role_name(&target["RoleArn"]), target["Arn"].as_str().unwrap());
    let definition = target["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap();
    let run =
        Permission::new(&principal, "ecs:RunTask", format!("{definition}:1")).given("ecs:cluster", cluster);
    [run].into_iter().chain(pass_roles(&principal, definition, moto.region)).collect()
}

fn role_name(arn: &Value) -> String {
    let arn = arn.as_str().unwrap_or_else(|| panic!("not a role: {arn}"));
    arn.rsplit('/').next().unwrap().to_owned()
}
