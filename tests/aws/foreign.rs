//! A pipeline that others have deployed, where something is wrong: rights that are missing, names that do not exist.

use crate::support::fault::Fault;
use crate::support::foreign::Foreign;
use crate::support::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn adopt_names_missing_rights_and_proposes_the_rest() {
    let foreign = Foreign::deploy().await;
    foreign.proxy.fail(
        "events:ListRules",
        [Fault::Refused(400, "AccessDeniedException", "no identity-based policy allows it")],
    );
    foreign.proxy.fail(
        "logs:DescribeLogGroups",
        [Fault::Refused(400, "AccessDeniedException", "no identity-based policy allows it")],
    );
    let words = ["--region", foreign.moto.region, "--endpoint-url", &foreign.proxy.endpoint, "adopt"];
    let proposed = foreign.say(&words).await.worked();
    for right in ["events:ListRules", "logs:DescribeLogGroups"] {
        assert!(proposed.err.contains(&format!("`{right}` is not allowed")), "{proposed:?}");
    }
    // Without the rule, nothing ties the task definition to its cluster.
    let commented = "# no rule, schedule, task or service ties it to a cluster: set `cluster`";
    assert!(proposed.out.contains(commented), "{}", proposed.out);
    assert!(proposed.out.contains("# [targets.prod.jobs.etl]\n# task-definition ="), "{}", proposed.out);
    assert!(proposed.out.contains("[targets.prod.databases.master]\n"), "{}", proposed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_what_does_not_exist() {
    let foreign = Foreign::deploy().await;
    let text = format!(
        "[targets.prod]\nkind = 'aws'\nregion = '{}'\nendpoint-url = '{}'\nssl-mode = 'disable'\n\
         bastion = {{ tag = 'Name=Jump Host' }}\n\
         [targets.prod.databases.master]\ninstance = 'archive'\ndatabase = 'x'\nuser = 'x'\n\
         [targets.prod.jobs.etl]\ntask-definition = 'data-pipeline-cluster'\ncluster = 'data-pipeline'\n\
         [targets.prod.logs]\nmetabase = '/ecs/nowhere*'\n",
        foreign.moto.region, foreign.proxy.endpoint
    );
    std::fs::create_dir_all(foreign.config().parent().unwrap()).unwrap();
    std::fs::write(foreign.config(), text).unwrap();
    let doctor = foreign.say(&["--target", "prod", "doctor"]).await;
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    for expected in [
        "no instance of the tag `Name=Jump Host` is in service",
        "failed   master",
        "the cluster `data-pipeline` is not active",
        "`/ecs/nowhere*` matches no log group",
        "adopt other",
    ] {
        assert!(doctor.out.contains(expected), "`{expected}` is not in {}", doctor.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_show_the_described_pipeline_and_start_its_jobs() {
    let foreign = Foreign::deploy().await;
    let (region, endpoint) = (foreign.moto.region, foreign.proxy.endpoint.as_str());
    let words = ["--region", region, "--endpoint-url", endpoint, "--ssl-mode", "disable", "adopt", "--write"];
    foreign.say(&words).await.worked();
    let terminal = Terminal::new(110, 30);
    terminal.run(&foreign.covidctl(&["--target", "prod"]));
    let look = move || {
        let overview = terminal.see("last etl");
        for name in ["schedule etl", "download", "master", "replica", "bastion"] {
            assert!(overview.contains(name), "{name}: {overview}");
        }
        for other in ["metabase", "datasets", "alarms", "last report"] {
            assert!(!overview.contains(other), "{other}: {overview}");
        }
        terminal.press(&[":"]);
        terminal.tmux(&["send-keys", "-t", "t", "-l", "run etl"]);
        terminal.press(&["Enter"]);
        terminal.see("Start this job?");
        terminal.press(&["y", "2"]);
        terminal.wait("the end of the run", |text| text.contains("etl") && text.contains("succeeded"));
        terminal.press(&["3"]);
        terminal.see("loaded 1200 rows");
        terminal.press(&["8"]);
        terminal.see("can be started in the cluster");
        terminal
    };
    drop(tokio::task::spawn_blocking(look).await.unwrap());
}
