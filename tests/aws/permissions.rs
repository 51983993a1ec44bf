//! What the requests of the tests need is evaluated against the policies of who sends them: at the end of each test, by the proxy.
//! Here: a policy that lacks something is noticed, and one that allows too much.

use serde_json::Value;

use crate::support::cloud::Cloud;
use crate::support::policies::{Evaluation, OPERATOR, Policies};

/// Checks that nothing but this was not needed of a policy: `statement: action or resource`, and why it is in the policy.
#[track_caller]
pub(crate) fn assert_unused(evaluation: &Evaluation, policy: &str, expected: &[(&str, &str)]) {
    let unused = evaluation.unused(policy);
    let expected: Vec<&str> = expected.iter().map(|(words, _)| *words).collect();
    let superfluous: Vec<_> = unused.iter().filter(|words| !expected.contains(&words.as_str())).collect();
    assert!(superfluous.is_empty(), "{policy}: allowed, and never needed: {superfluous:#?}");
    let needed: Vec<_> =
        expected.iter().filter(|words| !unused.iter().any(|unused| unused == *words)).collect();
    assert!(needed.is_empty(), "{policy}: needed after all, take it off the list: {needed:#?}");
}

/// The operator's policy with another text in the place of this one.
fn changed(from: &str, to: &str) -> Policies {
    let text = include_str!("../../docs/reference/iam-operator.json");
    assert!(text.contains(from));
    let document: Value = serde_json::from_str(&text.replace(from, to)).unwrap();
    let mut policies = Policies::default();
    policies.set(OPERATOR, vec![("changed.json".to_owned(), document)]);
    policies
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_that_lack_action_resource_or_condition_are_named() {
    let cloud = Cloud::deploy(0).await;
    cloud.say(&["status"]).await.worked();
    let region = cloud.moto.region;
    let bucket = format!("covid19-datasets-123456789012-{region}");
    for (from, to, lacking) in [
        (
            "\"rds:DescribeDBInstances\"",
            "\"rds:DescribeDBSnapshots\"",
            "`rds:DescribeDBInstances` on `arn:aws:rds:",
        ),
        (
            "arn:aws:s3:::covid19-datasets-*",
            "arn:aws:s3:::other-*",
            &format!("`s3:ListBucket` on `arn:aws:s3:::{bucket}`"),
        ),
        ("cluster/covid19\"", "cluster/other\"", "`ecs:ListTasks` on `arn:aws:ecs:"),
    ] {
        let denied = cloud.proxy.evaluate_by(&changed(from, to)).denied;
        assert!(!denied.is_empty(), "{from} is not missed");
        for line in &denied {
            assert!(line.starts_with(&format!("operator: {lacking}")), "{line}");
            assert!(line.ends_with("ImplicitlyDenied by changed.json"), "{line}");
        }
    }
    let denied = cloud.proxy.evaluate_by(&changed("ecs:RunTask", "ecs:RunTask")).denied;
    assert!(denied.is_empty(), "{denied:?}");
}
