//! A standby of a master, like the read replica: the report runs there unchanged and gives the same answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use common::env;
use etl::report::Pointer;
use sqlx::{Connection as _, PgConnection};

use crate::fixture::{Fixture, execute};
use crate::server::Server;
use crate::snapshots::{roll_back, whole};
use crate::watch::until;

/// Returns the answers that `etl report` writes, by file: the table of each question.
fn report(database: &str, folder: &Path) -> BTreeMap<String, String> {
    let ended = Command::new(env!("CARGO_BIN_EXE_etl"))
        .arg("report")
        .env_clear()
        .env(env::DATABASE_URL, database)
        .env(env::REPORTS_URL, format!("file://{}", folder.display()))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let pointer = std::fs::read(folder.join("reports/latest.json")).unwrap();
    let pointer: Pointer = serde_json::from_slice(&pointer).unwrap();
    let report = folder.join("reports").join(pointer.folder);
    let files = std::fs::read_dir(report).unwrap().map(|file| file.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    tables
        .map(|path| (path.file_name().unwrap().display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// Waits until the standby has replayed everything that the master has now.
async fn caught_up(master: &mut PgConnection, standby: &mut PgConnection) {
    let written: String =
        sqlx::query_scalar("SELECT pg_current_wal_flush_lsn()::text").fetch_one(master).await.unwrap();
    until("the standby has caught up", async || {
        sqlx::query_scalar("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn")
            .bind(&written)
            .fetch_one(&mut *standby)
            .await
            .unwrap()
    })
    .await;
}

#[tokio::test]
async fn report_on_a_replica_equals_that_on_the_master() {
    let master = Server::start();
    let fixture = Fixture::on(&master.url()).await;
    let (_, new) = fixture.with_two_datasets(4000).await;
    let standby = master.standby();
    let there = standby.url().replace("/postgres?", &format!("/{}?", fixture.database()));
    let (here_folder, there_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut reader = PgConnection::connect(&there).await.unwrap();

    let mut reports = Vec::new();
    for load in [None, Some(&new)] {
        if let Some(dataset) = load {
            fixture.load(dataset, &[]).await;
        }
        caught_up(&mut fixture.connect().await, &mut reader).await;
        let said = report(&there, there_folder.path());
        assert_eq!(said, report(&fixture.url(), here_folder.path()));
        reports.push(said);
    }
    assert!(reports[0].len() > 20, "{:?}", reports[0].keys());
    assert_ne!(
        reports[0]["confirmed_by_month.csv"], reports[1]["confirmed_by_month.csv"],
        "the load has come through"
    );
}

/// Lets the standby report its oldest snapshot; without that, PostgreSQL cancels its readers on conflicts.
async fn report_snapshots(standby: &str, master: &mut PgConnection) {
    let mut connection = PgConnection::connect(standby).await.unwrap();
    for setting in ["hot_standby_feedback = on", "wal_receiver_status_interval = '1s'"] {
        execute(&mut connection, &format!("ALTER SYSTEM SET {setting}")).await;
    }
    execute(&mut connection, "SELECT pg_reload_conf()").await;
    until("the standby reports its oldest snapshot", async || {
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE backend_xmin IS NOT NULL)")
            .fetch_one(&mut *master)
            .await
            .unwrap()
    })
    .await;
}

/// The pointer, the rows and the lock check of `current_release()` on a standby, which has no serializable transactions.
#[tokio::test]
async fn snapshot_on_a_standby_sees_its_release_through_publish_rollback_and_publish() {
    let master = Server::start();
    let fixture = Fixture::on(&master.url()).await;
    let keep = ["--keep-releases", "1"];
    let datasets =
        [fixture.dataset(3_000, 1), fixture.dirty_dataset(3_500, 2, 0.02), fixture.dataset(4_000, 3)];
    fixture.load(&datasets[0], &keep).await;
    let standby = master.standby();
    let there = standby.url().replace("/postgres?", &format!("/{}?", fixture.database()));
    let mut here = fixture.connect().await;
    report_snapshots(&there, &mut here).await;
    let mut releases = vec![whole(&mut here).await];

    let mut readers = Vec::new();
    for step in 0..=3 {
        let mut newest = PgConnection::connect(&there).await.unwrap();
        caught_up(&mut here, &mut newest).await;
        let now = whole(&mut newest).await;
        assert_eq!(now, whole(&mut here).await, "step {step}");
        for (level, reader, seen) in &mut readers {
            let expected = if *level == "READ COMMITTED" { &now } else { &*seen };
            assert_eq!(&whole(reader).await, expected, "step {step}, {level}");
        }
        for level in ["READ COMMITTED", "REPEATABLE READ"] {
            let mut reader = PgConnection::connect(&there).await.unwrap();
            execute(&mut reader, &format!("BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM run_issue"))
                .await;
            readers.push((level, reader, now.clone()));
        }
        match step {
            0 => drop(fixture.load(&datasets[1], &keep).await),
            1 => roll_back(&fixture),
            2 => drop(fixture.load(&datasets[2], &keep).await),
            _ => {}
        }
        releases.push(whole(&mut here).await);
    }
    assert_eq!(releases[0], releases[2], "rolled back");
    assert_ne!(releases[0], releases[1]);
    assert_ne!(releases[2], releases[3]);
}
