//! A database of the version before releases: its published tables become the first release.

use sqlx::PgConnection;

use crate::cluster::execute;
use crate::fixture::{CSV, Fixture};
use crate::outcome::{table, value};
use crate::rows::{file, good};

const BEFORE_RELEASES: [&str; 4] = [
    include_str!("../../../migrations/0001_schema.sql"),
    include_str!("../../../migrations/0002_counts.sql"),
    include_str!("../../../migrations/0003_tests_and_vaccinations.sql"),
    include_str!("../../../migrations/0004_counts_in_parts.sql"),
];

const RELEASES: &str = include_str!("../../../migrations/0005_releases.sql");

/// The state of the previous version: a published table with keys named after its run, its counts, and leftovers of a killed run.
const LOADED: &str = "
    INSERT INTO province VALUES (2, 'CABA'), (6, 'Buenos Aires');
    INSERT INTO department VALUES (6441, 'La Plata', 6);
    INSERT INTO covid_case
    SELECT id, 'F', id % 90, NULL, DATE '2022-01-01' + id % 100, NULL, false, false, NULL, NULL, 2, 6, 6441, 'Confirmado'
    FROM generate_series(1, 500) AS id;
    ALTER TABLE covid_case RENAME CONSTRAINT covid_case_residence_province_fkey TO covid_case_residence_province_fkey_0123456789ab;
    CREATE TABLE covid_case_staging (LIKE covid_case);
    CREATE TABLE covid_case_retired_0123456789ab (LIKE covid_case);
    INSERT INTO pipeline_run (run_id, kind, status, finished_at, dataset_updated_on, source_name, source_size, years) VALUES
        ('00000000-0000-4000-8000-000000000001', 'etl', 'succeeded', now() - interval '1 day', '2022-06-01', 'x', 1, 'all'),
        ('00000000-0000-4000-8000-000000000002', 'etl', 'succeeded', now(), '2022-06-02', 'x', 1, 'all');
    INSERT INTO case_count SELECT '00000000-0000-4000-8000-000000000002', registered_on, residence_province_id, sex, age / 10, classification, count(*), 0, 0, 0, 0
    FROM covid_case GROUP BY 2, 3, 4, 5, 6;
    INSERT INTO run_dataset (run_id, dataset, status) VALUES ('00000000-0000-4000-8000-000000000002', 'vaccinations', 'loaded');
    INSERT INTO vaccination_count VALUES ('00000000-0000-4000-8000-000000000002', 6, 'Moderna', 'first', 7);";

async fn node(connection: &mut PgConnection) -> i64 {
    value(connection, "SELECT relfilenode::bigint FROM pg_class WHERE relkind = 'r' AND relname IN ('covid_case', 'release_case_2')").await
}

#[tokio::test]
async fn migration_publishes_an_existing_table_without_copying_it() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    for migration in BEFORE_RELEASES {
        execute(&mut connection, migration).await;
    }
    execute(&mut connection, LOADED).await;
    let (rows, file_before) = (table(&mut connection).await, node(&mut connection).await);
    execute(&mut connection, RELEASES).await;
    assert_eq!(table(&mut connection).await, rows);
    assert_eq!(node(&mut connection).await, file_before, "the same file on disk");
    for (query, expected) in [
        (
            "SELECT release_id || ' ' || published_load() FROM published_release",
            "2 00000000-0000-4000-8000-000000000002",
        ),
        ("SELECT previous_load()::text", "00000000-0000-4000-8000-000000000001"),
        ("SELECT count(*) || ' ' || sum(cases) FROM case_counts()", "500 500"),
        ("SELECT sum(doses)::text FROM vaccination_counts()", "7"),
        (
            "SELECT count(*)::text FROM covid_case JOIN department ON department_id = residence_department_id JOIN province USING (province_id)",
            "500",
        ),
        (
            "SELECT count(*)::text FROM pg_constraint WHERE conrelid = 'release_case_2'::regclass AND contype IN ('p', 'f') AND convalidated",
            "4",
        ),
        (
            "SELECT count(*)::text FROM pg_class WHERE starts_with(relname, 'covid_case') AND relkind = 'r'",
            "0",
        ),
    ] {
        assert_eq!(value::<String>(&mut connection, query).await, expected, "{query}");
    }
}

/// The recorded migrations are those of the previous version.
#[tokio::test]
async fn run_on_a_database_of_the_version_before_publishes_the_second_release() {
    let fixture = Fixture::new().await;
    fixture.put(CSV, file(&good(600)));
    crate::fixture::Etl::new("migrate")
        .env(common::env::DATABASE_URL, &fixture.database.url())
        .end()
        .succeeded();
    let mut connection = fixture.connect().await;
    execute(
        &mut connection,
        "CREATE SCHEMA aside; ALTER TABLE _sqlx_migrations SET SCHEMA aside; DELETE FROM aside._sqlx_migrations WHERE version > 4;
         DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION covid19_owner; SET ROLE covid19_owner",
    )
    .await;
    for migration in BEFORE_RELEASES {
        execute(&mut connection, migration).await;
    }
    execute(&mut connection, LOADED).await;
    execute(&mut connection, "RESET ROLE; ALTER TABLE aside._sqlx_migrations SET SCHEMA public").await;
    let before = table(&mut connection).await;

    // A reader in a transaction delays the migration, which gives way to other readers meanwhile and tries again.
    let mut reader = fixture.connect().await;
    execute(&mut reader, "BEGIN; SELECT count(*) FROM covid_case").await;
    let run = tokio::task::spawn_blocking({
        let command = fixture.command().arguments(&["--years", "all"]);
        move || command.end()
    });
    while value::<i64>(
        &mut connection,
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'covid_case'::regclass",
    )
    .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    execute(&mut reader, "COMMIT").await;
    run.await.unwrap().succeeded();
    assert_eq!(value::<i64>(&mut connection, "SELECT count(*) FROM covid_case").await, 600);
    let rollback = crate::fixture::Etl::new("rollback")
        .env(common::env::STORE_URL, &crate::fixture::url(fixture.folder.path()));
    rollback.env(common::env::DATABASE_URL, &fixture.database.url()).end().succeeded();
    assert_eq!(table(&mut connection).await, before);
}
