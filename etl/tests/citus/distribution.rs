//! `etl migrate` on a cluster: what is distributed, when, and what it says.

use sqlx::{AssertSqlSafe, Row as _};

use crate::cluster::execute;
use crate::fixture::{Fixture, SHARDS, etl, whole};

/// Tables that Citus distributes, in alphabetical order.
const DISTRIBUTED: &str = "SELECT coalesce(string_agg(logicalrelid::text, ' ' ORDER BY logicalrelid::text), '') FROM pg_dist_partition";

/// Rows of the published release on each node.
const ROWS_BY_NODE: &str = "
    SELECT nodeport, sum(result::bigint)::bigint AS rows
    FROM run_command_on_shards(
        (SELECT ('release_case_' || release_id)::regclass FROM published_release), 'SELECT count(*) FROM %s') AS answer
    JOIN pg_dist_shard_placement USING (shardid) GROUP BY 1 ORDER BY 1";

#[tokio::test]
async fn migrate_on_a_coordinator_distributes_the_cases_alone_and_once() {
    let Some(fixture) = Fixture::new().await else { return };
    let first = fixture.etl(&["migrate"]).succeeded();
    assert!(first.stderr.contains("the cases are distributed over the nodes of Citus"), "{}", first.stderr);
    let tables: String = fixture.value(DISTRIBUTED).await;
    assert_eq!(tables, "release_case release_case_1 release_case_2");
    let again = fixture.etl(&["migrate"]).succeeded();
    assert!(
        again.stderr.contains("schema is up to date") && !again.stderr.contains("Citus"),
        "{}",
        again.stderr
    );
    assert_eq!(fixture.value::<String>(DISTRIBUTED).await, tables);
}

#[tokio::test]
async fn first_run_distributes_and_every_node_has_rows() {
    let Some(fixture) = Fixture::new().await else { return };
    let reports = fixture.reports("postgres");
    etl(&fixture.url(), &fixture.dataset(4_000, 1), &reports, &["run", "--years", "all"]).succeeded();
    let nodes = sqlx::query(ROWS_BY_NODE).fetch_all(&mut fixture.connect().await).await.unwrap();
    let rows: Vec<i64> = nodes.iter().map(|node| node.get("rows")).collect();
    assert_eq!((rows.len(), rows.iter().sum::<i64>()), (fixture.workers.len(), 4_000));
    for rows_of_node in rows {
        assert!(rows_of_node > 4_000 / i64::try_from(fixture.workers.len()).unwrap() / 2, "{rows_of_node}");
    }
    let shards = format!(
        "SELECT count(*) = {SHARDS} FROM pg_dist_shard WHERE logicalrelid = 'release_case_1'::regclass"
    );
    assert!(fixture.value::<bool>(&shards).await);
}

#[tokio::test]
async fn migrate_without_worker_nodes_keeps_the_cases_and_says_so() {
    let Some(fixture) = Fixture::without_workers().await else { return };
    let ended = fixture.etl(&["migrate"]).succeeded();
    assert!(ended.stderr.contains("no worker node is active"), "{}", ended.stderr);
    assert_eq!(fixture.value::<String>(DISTRIBUTED).await, "");
    fixture.load(&fixture.dataset(1_000, 1), &[]).succeeded();
}

/// A database outgrows its server: nodes are added later.
#[tokio::test]
async fn full_table_is_distributed_and_leaves_no_local_copy() {
    let Some(fixture) = Fixture::without_workers().await else { return };
    fixture.etl(&["migrate"]).succeeded();
    for seed in 1..=2 {
        fixture.load(&fixture.dataset(2_000, seed), &[]).succeeded();
    }
    let mut reader = fixture.connect().await;
    let before = whole(&mut reader).await;
    let local = "SELECT sum(pg_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'release_case'::regclass";
    assert!(fixture.value::<i64>(local).await > 0);

    fixture.add_workers().await;
    let ended = fixture.etl(&["migrate"]).succeeded();
    assert!(ended.stderr.contains("the cases are distributed over the nodes"), "{}", ended.stderr);
    assert!(ended.stderr.contains("copy of the distributed cases is deleted"), "{}", ended.stderr);
    assert_eq!(whole(&mut reader).await, before);
    assert_eq!(whole(&mut fixture.connect().await).await, before);
    assert_eq!(fixture.value::<i64>(local).await, 0);
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE 'release_case%'";
    assert_eq!(fixture.value::<i64>(keys).await, 0);

    fixture.roll_back(&[]).succeeded();
    assert_ne!(whole(&mut reader).await, before);
    fixture.load(&fixture.dataset(2_100, 3), &[]).succeeded();
    assert!(whole(&mut reader).await.starts_with("2100 "));
}

#[tokio::test]
async fn worker_node_is_refused() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.etl(&["migrate"]).succeeded();
    let folder = tempfile::tempdir().unwrap();
    let ended = etl(&fixture.worker_url(0), folder.path(), folder.path(), &["migrate"]).failed();
    assert!(ended.stderr.contains("worker node of a Citus cluster"), "{}", ended.stderr);
    assert!(ended.stderr.contains("point DATABASE_URL at the coordinator"), "{}", ended.stderr);
}

/// The way in which CONTRIBUTING.md tells migrations to change the cases.
#[tokio::test]
async fn migration_of_the_distributed_table_reaches_every_shard() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.etl(&["migrate"]).succeeded();
    fixture.load(&fixture.dataset(1_000, 1), &[]).succeeded();
    let mut connection = fixture.connect().await;
    execute(&mut connection, "SET citus.enable_ddl_propagation = off; SET ROLE covid19_owner").await;
    let migration = "
        CREATE TABLE other (id integer);
        DO $$ BEGIN
            SET LOCAL citus.enable_ddl_propagation = on;
            EXECUTE 'ALTER TABLE public.release_case ADD COLUMN added integer';
            SET LOCAL citus.enable_ddl_propagation = off;
        END $$;
        COMMENT ON COLUMN release_case.added IS 'Added.';";
    execute(&mut connection, migration).await;
    let column = AssertSqlSafe("SELECT count(added) FROM release_case");
    assert_eq!(sqlx::query_scalar::<_, i64>(column).fetch_one(&mut connection).await.unwrap(), 0);
    fixture.load(&fixture.dataset(1_100, 2), &[]).succeeded();
    assert!(whole(&mut fixture.connect().await).await.starts_with("1100 "));
}
