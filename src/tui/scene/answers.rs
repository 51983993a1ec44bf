//! What the outside says in the scenes. Always the same.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::NOW;
use crate::db::checks::RunCheck;
use crate::db::runs::Issue;
use crate::ops::reports::Report;
use crate::tui::model::data::{Answer, Charts, Rejected, Table};
use logs::{Event, MergedEvent};
use target::Run;
use target::{ActiveRun, Component, ComponentState, JobKind};

pub(super) fn now() -> DateTime<Utc> {
    NOW.parse().unwrap_or_default()
}

pub(super) fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

pub(super) fn run_id(number: u128) -> Uuid {
    Uuid::from_u128(0x9f3c_1a7e_0000_4000_8000_0000_0000_0000 + number * 0x1357_9bdf_2468_ace1_0000_0000_0000)
}

pub(super) fn part(name: &str, state: ComponentState, seconds: i64, detail: &str) -> Component {
    Component { name: name.to_owned(), state, since: Some(ago(seconds)), detail: detail.to_owned() }
}

pub(super) fn local_parts() -> Vec<Component> {
    let ready = ComponentState::Ready;
    vec![
        part("datasets", ready, 640, "3 files, 416 MB"),
        part("last etl", ComponentState::Busy, 25, &format!("running {}", run_id(1))),
        part("postgresql", ready, 93_600, "version 17, 127.0.0.1:44087, process 4711"),
        part("last report", ready, 86_000, &format!("succeeded {}", run_id(3))),
        part("report", ready, 86_000, "20260301_061920_9f3c1a7e"),
    ]
}

pub(super) fn aws_parts() -> Vec<Component> {
    let ready = ComponentState::Ready;
    let timeless = |name, detail| Component { since: None, ..part(name, ready, 0, detail) };
    vec![
        timeless("schedule", "cron(0 9 * * ? *), next 2026-03-02 09:00 UTC"),
        part("lambda", ready, 760, "covid19-download, invoked last at that time"),
        part("datasets", ready, 652, "5 files, 417 MB"),
        part(
            "last etl",
            ComponentState::Failed,
            600,
            &format!("failed {}: its image cannot be pulled: covid19-etl:v0.4.1 not found", run_id(1)),
        ),
        timeless("master", "covid19-master is available, postgres 16.9, two zones"),
        timeless("replica", "covid19-replica is available, postgres 16.9, 0.4 s behind"),
        part("last report", ready, 86_000, &format!("succeeded {}", run_id(3))),
        part("report", ready, 86_000, "20260301_061920_9f3c1a7e"),
        timeless("metabase", "2 of 2 targets are healthy"),
        part("bastion", ready, 700_000, "i-0a1b2c3d4e5f67890 at 198.51.100.20"),
        part(
            "alarms",
            ComponentState::Failed,
            540,
            "covid19-run-failed (a task ended with another code than 0)",
        ),
    ]
}

pub(super) fn active() -> Vec<ActiveRun> {
    vec![ActiveRun { run: run_id(1), kind: JobKind::Etl, started_at: ago(25) }]
}

pub(super) fn run(number: u128, kind: &str, status: &str, seconds: i64, took: Option<i64>) -> Run {
    let etl = (kind == "etl" && took.is_some()).then_some(());
    Run {
        run_id: run_id(number),
        kind: kind.to_owned(),
        status: status.to_owned(),
        started_at: ago(seconds),
        finished_at: took.map(|took| ago(seconds - took)),
        dataset_updated_on: etl.and(NaiveDate::from_ymd_opt(2022, 6, 5)),
        source_name: etl.map(|()| "Covid19Casos.zip".to_owned()),
        source_size: etl.map(|()| 416_642_113),
        years: etl.map(|()| "2022".to_owned()),
        rows_read: etl.map(|()| 29_971_992),
        rows_filtered: etl.map(|()| 19_482_301),
        rows_loaded: etl.map(|()| 10_489_540),
        rows_repaired: etl.map(|()| 12_077),
        rows_rejected: etl.map(|()| 151),
        error: None,
        exit_code: None,
        started_by: None,
    }
}

pub(super) fn history() -> Vec<Run> {
    let mut failed = run(4, "etl", "failed", 173_000, Some(31));
    (failed.rows_loaded, failed.rows_rejected, failed.rows_filtered) = (None, None, None);
    failed.error =
        Some("cannot read `Covid19Casos.zip`: the archive ends in the middle of its member".to_owned());
    let mut runs = vec![
        run(1, "etl", "running", 25, None),
        run(3, "report", "succeeded", 86_020, Some(20)),
        run(2, "etl", "succeeded", 86_400, Some(84)),
        failed,
        run(5, "report", "succeeded", 259_000, Some(19)),
        run(6, "etl", "succeeded", 259_300, Some(81)),
        run(7, "etl", "skipped", 262_000, Some(1)),
    ];
    runs[6].rows_read = None;
    runs[2].started_by = Some("ana@laptop".to_owned());
    runs
}

pub(super) fn issue(dataset: &str, kind: &str, reason: &str, rows: i64) -> Issue {
    let (dataset, kind, reason) = (dataset.to_owned(), kind.to_owned(), reason.to_owned());
    Issue { dataset, kind, reason, rows }
}

pub(super) fn issues() -> Vec<Issue> {
    vec![
        issue("cases", "rejected", "invalid_registration_date", 97),
        issue("cases", "rejected", "malformed", 41),
        issue("cases", "rejected", "duplicate_case_id", 13),
        issue("cases", "repaired", "missing_age", 9804),
        issue("cases", "repaired", "unknown_residence_department", 1911),
        issue("cases", "repaired", "age_out_of_range", 362),
    ]
}

pub(super) fn checks() -> Vec<RunCheck> {
    let check = |dataset: &str, check: &str, outcome: &str, message: &str| RunCheck {
        dataset: dataset.to_owned(),
        check: check.to_owned(),
        subject: String::new(),
        outcome: outcome.to_owned(),
        measured: None,
        threshold: None,
        message: message.to_owned(),
    };
    let accepted =
        "the cases of 2022 have 10489540 rows, 11804212 are published (88.9 %, at least 90 % must be there)";
    let passed = (0..36).map(|_| check("cases", "missing_increase", "passed", ""));
    let skipped = check("cases", "dataset_date", "skipped", "the date of the published dataset is not known");
    [check("cases", "rows_percent", "accepted", accepted), skipped].into_iter().chain(passed).collect()
}

pub(super) fn data() -> Answer {
    let table = |name: &str, rows, size| Table { name: name.to_owned(), rows, size };
    Answer {
        published: history().into_iter().find(|run| run.kind == "etl" && run.status == "succeeded"),
        tables: vec![
            table("covid_case", 10_489_540, 1_402_000_000),
            table("rejected_row", 151, 98_304),
            table("test_count", 81_204, 9_437_184),
            table("province", 24, 32_768),
            table("department", 529, 65_536),
            table("pipeline_run", 7, 49_152),
        ],
        left_out: vec!["vaccinations missing".to_owned()],
        refused: None,
        checks: checks(),
        issues: issues(),
        charts: Some(Charts { weeks: weeks(), provinces: provinces() }),
    }
}

/// Two waves, as the year 2022 had them.
pub(super) fn weeks() -> Vec<(NaiveDate, i64)> {
    const CASES: [i64; 23] = [
        131_000, 412_000, 745_000, 702_000, 461_000, 238_000, 121_000, 66_000, 41_000, 27_000, 19_500,
        14_200, 10_100, 8_300, 7_900, 9_400, 12_800, 19_900, 31_000, 44_000, 58_500, 61_200, 55_400,
    ];
    let first = NaiveDate::from_ymd_opt(2021, 12, 26).unwrap_or_default();
    (0..).zip(CASES).map(|(week, cases)| (first + TimeDelta::weeks(week), cases)).collect()
}

pub(super) fn provinces() -> Vec<(Option<String>, i64)> {
    let known = [
        ("Buenos Aires", 1_131_204),
        ("CABA", 402_377),
        ("Córdoba", 398_120),
        ("Santa Fe", 241_887),
        ("Mendoza", 118_034),
        ("Tucumán", 109_822),
        ("Entre Ríos", 61_245),
        ("Salta", 58_190),
        ("Río Negro", 47_005),
        ("Neuquén", 46_871),
        ("San Juan", 44_400),
        ("Chaco", 41_233),
        ("Jujuy", 33_020),
    ];
    let known = known.map(|(name, cases)| (Some(name.to_owned()), cases));
    known.into_iter().chain([(None, 21_318)]).collect()
}

pub(super) fn rejected() -> Vec<Rejected> {
    let raw = |number: i64| {
        format!(
            r#""{}","F","34","Años","Argentina","Buenos Aires","La Plata","","2{number:03}-02-30","","","NO","","#,
            1_000_000 + number
        )
    };
    (0..40).map(|number| Rejected { line: 734 * number + 41, raw: raw(number) }).collect()
}

pub(super) fn reports() -> Vec<Report> {
    let report = |name: &str, seconds, latest| Report {
        name: name.to_owned(),
        stored_at: ago(seconds),
        files: 10,
        size: 48_213,
        latest,
    };
    vec![
        report("20260301_061920_9f3c1a7e-0000-4000-8000-000000000003", 86_000, true),
        report("20260227_061901_9f3c1a7e-0000-4000-8000-000000000005", 258_981, false),
    ]
}

pub(super) fn event(seconds: i64, source: usize, message: &str) -> MergedEvent {
    let time = ago(seconds).timestamp_millis();
    let event = Event {
        time,
        ingested: time,
        group: String::new(),
        stream: ["2026/03/02/[$LATEST]5d41", "9f3c1a7e", "0b7e2d11", "metabase/metabase/77aa"][source]
            .to_owned(),
        event_id: String::new(),
        message: message.to_owned(),
    };
    MergedEvent { source, event, late: None }
}

pub(super) fn log() -> Vec<MergedEvent> {
    let mut lines = vec![
        event(760, 0, "START RequestId: 7c1d3a52-88aa-4c1e-a1f0-0c2d5e8f9b10 Version: $LATEST"),
        event(
            758,
            0,
            r#"{"level":"INFO","message":"downloading","source":"Covid19Casos.zip","bytes":416642113}"#,
        ),
        event(711, 0, r#"{"level":"INFO","message":"stored","bucket":"covid19-datasets-123456789012"}"#),
        event(711, 0, "END RequestId: 7c1d3a52-88aa-4c1e-a1f0-0c2d5e8f9b10"),
        event(
            711,
            0,
            "REPORT RequestId: 7c1d3a52-88aa-4c1e-a1f0-0c2d5e8f9b10\tDuration: 48112.40 ms\tBilled Duration: 48113 ms\tMemory Size: 1024 MB\tMax Memory Used: 318 MB\tInit Duration: 212.9 ms\t",
        ),
        event(
            640,
            1,
            r#"{"level":"INFO","message":"run started","bytes":416642113,"dataset_date":"2022-06-05","source":"Covid19Casos.zip"}"#,
        ),
        event(
            612,
            1,
            r#"{"level":"WARN","message":"rows rejected","reason":"invalid_registration_date","rows":97,"first_line":41}"#,
        ),
        event(
            611,
            1,
            r#"{"level":"WARN","message":"rows rejected","reason":"malformed","rows":41,"first_line":2993}"#,
        ),
        event(
            560,
            1,
            r#"{"level":"INFO","message":"rows loaded, adding keys","rows":10489540,"seconds":80.2}"#,
        ),
        event(
            556,
            1,
            r#"{"level":"INFO","message":"run succeeded","read":29971992,"filtered":19482301,"loaded":10489540,"rejected":151}"#,
        ),
        event(
            540,
            2,
            r#"{"level":"INFO","message":"report written","files":10,"folder":"s3://covid19-reports-123456789012/reports/20260302_060340"}"#,
        ),
        event(300, 3, "2026-03-02 03:07:40,112 INFO metabase.sync :: sync of covid19 finished in 3.1 s"),
        event(
            120,
            3,
            "2026-03-02 03:10:40,001 ERROR metabase.query :: Traceback of a failed question\njava.sql.SQLTimeoutException: canceling statement due to statement timeout\n\tat org.postgresql.Driver.execute(Driver.java:312)\n\tat metabase.driver.sql.run(sql.clj:88)",
        ),
        event(
            25,
            1,
            r#"{"level":"INFO","message":"run started","bytes":416642113,"dataset_date":"2022-06-05","source":"Covid19Casos.zip"}"#,
        ),
    ];
    if let Some(late) = lines.get_mut(7) {
        late.late = Some(37_000);
    }
    lines
}

/// What may stand in a log, and must not do what it says.
pub(super) fn hostile() -> Vec<MergedEvent> {
    let long = "0123456789".repeat(100_000);
    let texts = [
        "\x1b[2J\x1b[1;1Hgone \x1b]0;title\x07 and \x1b[31mred\x1b[0m \u{9b}31m",
        "right to left: \u{202e}txet neddih\u{202c} and \u{2066}isolated\u{2069} \u{200f}mark",
        "wide 测试数据 한국어 カタカナ 👩\u{200d}🚀 ❤\u{fe0f} 🇦🇷 end",
        "marks Z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}a\u{307}l\u{308}go \u{0} nul \u{7f} del \u{8}\u{8}\u{8} back",
        "tab\there\tand\r\nmore\rlines\u{2028}and separators",
        "\u{fffd}\u{fffd} invalid bytes, zero\u{200b}width\u{feff}",
        &long,
        "the line after all of them",
    ];
    texts.iter().map(|text| event(60, 1, text)).collect()
}
