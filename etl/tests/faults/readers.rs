//! Readers query all the time while datasets are published one after the other: each sees a whole release, and none gets an error.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinSet;

use crate::fixture::{Fixture, LOOK, Seen, execute, look_by};
use crate::watch::until;

/// Only ends a test that would hang.
const TOO_LONG: Duration = Duration::from_mins(2);

/// A query like those of dashboards: names from the small tables, figures from the large one. Every case has a registration province.
const JOIN: &str = "
    SELECT count(*) AS rows, sum(hash_record_extended(covid_case, 0))::text AS digest
    FROM province JOIN covid_case ON registration_province_id = province.province_id
    LEFT JOIN department ON department_id = residence_department_id";

/// The way in which a reader queries.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// Single statements, each parsed again.
    Statements,
    /// A prepared statement with a cached plan, kept across all publications.
    Prepared,
    /// Transactions of this isolation level that first touch `province`, then join it, twice.
    Joins(&'static str),
}

impl Reader {
    /// Queries once; returns everything that one transaction sees.
    async fn look(self, connection: &mut PgConnection) -> sqlx::Result<Vec<Seen>> {
        match self {
            Self::Statements => Ok(vec![look_by(connection, LOOK).await?]),
            Self::Prepared => Ok(vec![sqlx::query(LOOK).fetch_one(connection).await?.into()]),
            Self::Joins(level) => {
                run(connection, &format!("BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM province"))
                    .await?;
                let seen = vec![look_by(connection, JOIN).await?, look_by(connection, JOIN).await?];
                run(connection, "COMMIT").await?;
                Ok(seen)
            }
        }
    }
}

async fn run(connection: &mut PgConnection, statements: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.map(drop)
}

#[tokio::test]
async fn single_statements_see_whole_data() {
    see_whole_data(&[Reader::Statements, Reader::Statements]).await;
}

#[tokio::test]
async fn prepared_statements_survive_swaps() {
    see_whole_data(&[Reader::Prepared, Reader::Prepared]).await;
}

#[tokio::test]
async fn transactions_that_join_never_fail() {
    see_whole_data(&[
        Reader::Joins("READ COMMITTED"),
        Reader::Joins("REPEATABLE READ"),
        Reader::Joins("SERIALIZABLE"),
    ])
    .await;
}

async fn see_whole_data(readers: &[Reader]) {
    let fixture = Fixture::new().await;
    let (new, old) = (fixture.dataset(30_000, 2), fixture.dataset(20_000, 1));
    fixture.load(&new, &[]).await;
    let new_data = fixture.seen().await;
    fixture.load(&old, &[]).await;
    let old_data = fixture.seen().await;
    assert_eq!((old_data.rows, new_data.rows), (20_000, 30_000));

    let over = Arc::new(AtomicBool::new(false));
    let mut at_work = JoinSet::new();
    let mut looks = Vec::new();
    for reader in readers {
        let (connection, over, count) =
            (fixture.connect().await, Arc::clone(&over), Arc::new(AtomicU64::new(0)));
        looks.push(Arc::clone(&count));
        at_work.spawn(look_until(*reader, connection, over, count));
    }
    for dataset in [&new, &old, &new] {
        let before: Vec<u64> = looks.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        until("every reader has looked at what is published", async || {
            looks.iter().zip(&before).all(|(count, before)| count.load(Ordering::Relaxed) > before + 1)
        })
        .await;
        fixture.load(dataset, &["--force"]).await;
    }
    over.store(true, Ordering::Relaxed);
    let expected = BTreeSet::from([old_data, new_data]);
    while let Some(seen) = at_work.join_next().await {
        assert_eq!(seen.unwrap(), expected);
    }
    fixture.clear_by_runs_of(&new).await;
}

/// Queries until all is published, and once more; returns everything that was seen.
async fn look_until(
    reader: Reader,
    mut connection: PgConnection,
    over: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
) -> BTreeSet<Seen> {
    let mut all = BTreeSet::new();
    execute(&mut connection, "SET plan_cache_mode = force_generic_plan").await;
    loop {
        let last = over.load(Ordering::Relaxed);
        let look = tokio::time::timeout(TOO_LONG, reader.look(&mut connection)).await;
        let seen = look.unwrap_or_else(|_| panic!("{reader:?} waits for ever"));
        let seen = seen.unwrap_or_else(|error| panic!("{reader:?} failed: {error}"));
        all.extend(seen);
        looks.fetch_add(1, Ordering::Relaxed);
        if last {
            return all;
        }
    }
}
