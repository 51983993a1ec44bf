//! Downloads by the Lambda: followed like any run, requested once, and the first step of the whole pipeline.

use crate::support::cloud::Cloud;
use crate::support::proxy::Fault;
use crate::support::step;

#[tokio::test(flavor = "multi_thread")]
async fn follow_covers_download_load_and_report() {
    let cloud = Cloud::deploy(0).await;
    step("run pipeline downloads, loads and reports");
    let said = cloud.say(&["run", "pipeline", "--years", "all", "-o", "json"]).await.worked();
    let runs = said.json();
    let facts =
        |index: usize| (runs[index]["kind"].as_str().unwrap(), runs[index]["status"].as_str().unwrap());
    for (index, kind) in ["download", "etl", "report"].into_iter().enumerate() {
        assert_eq!(facts(index), (kind, "succeeded"), "{runs}");
        assert!(runs[index]["started_by"].as_str().unwrap().contains('@'), "{runs}");
    }
    for line in ["file replaced", "run succeeded"] {
        assert!(said.err.contains(line), "`{line}` is missing: {said:?}");
    }
    // The client starts the load; the function does not.
    let listed = cloud.say(&["runs", "-o", "json"]).await.worked().json();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");

    step("logs --run shows the log of the download");
    let id = runs[0]["run_id"].as_str().unwrap();
    let log = cloud.say(&["logs", "--run", &id[..8], "-o", "raw"]).await.worked();
    assert_eq!(log.out.lines().filter(|line| line.contains("file replaced")).count(), 5, "{log:?}");
    cloud.say(&["stop", id]).await.failed(1, &["is not in progress"]);

    step("a second pipeline skips files that are already stored");
    let again = cloud.say(&["run", "pipeline", "--years", "all", "-o", "json"]).await.worked().json();
    assert_eq!(
        (again[0]["status"].as_str(), again[1]["status"].as_str()),
        (Some("skipped"), Some("skipped"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn run_download_invokes_function_once_even_if_response_is_lost() {
    let cloud = Cloud::deploy(0).await;
    cloud.proxy.fail("lambda:InvokeFunction", [Fault::Reset, Fault::Reset]);
    cloud
        .say(&["run", "download"])
        .await
        .failed(125, &["cannot invoke the function", "covidctl --target aws runs"]);
    assert!(!cloud.proxy.has_failed_all("lambda:InvokeFunction"), "it was asked for twice");
    cloud.say(&["run", "download", "--env", "CASES_URL=http://x"]).await.failed(2, &["CASES_URL", "stack"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_pipeline_keeps_datasets_of_the_user() {
    let cloud = Cloud::deploy(500).await;
    let said = cloud.say(&["run", "pipeline", "--years", "all", "-o", "json"]).await.worked();
    assert!(said.err.contains("kept the datasets in storage"), "{said:?}");
    assert_eq!(said.json()[0]["kind"], "etl");
}
