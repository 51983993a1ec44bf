//! The metrics that CloudWatch keeps of databases, tasks, services and buckets.
//!
//! A metric without points is left out: ECS publishes those of tasks only with Container Insights, RDS the lag only of replicas.

use aws_sdk_cloudwatch::types::{
    Dimension, Metric as CloudWatchMetric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy,
};
use aws_smithy_types::DateTime as Moment;
use chrono::{TimeDelta, Utc};
use common::failure::Result;

use super::account::Account;
use super::api_error::ApiContext as _;
use super::components::LAG_WARNING;
use super::tasks::family;
use target::description::{Description, Work};
use target::{Metric, WarningRange};

/// What is read of most metrics. Services publish them every minute; five minutes are three hours in a row of a screen.
const RECENT: Span = Span { period: 300, back: TimeDelta::hours(3) };

/// What is read of the size of buckets, which S3 publishes once a day.
const DAILY: Span = Span { period: 86_400, back: TimeDelta::days(30) };

/// Free storage at which the stacks' alarm is raised, too.
const MIN_FREE_GIB: f64 = 5.0;

const PER_GIB: f64 = 1.0 / (1024.0 * 1024.0 * 1024.0);

const USAGE_WARNING: f64 = 90.0;

/// The resolution in seconds, and how far the points go back.
struct Span {
    period: i32,
    back: TimeDelta,
}

/// A metric that is read, or several with a name each.
struct Series {
    name: String,
    unit: &'static str,
    factor: f64,
    warning: Option<WarningRange>,
    query: Query,
}

enum Query {
    Statistic(Source),
    /// What is used of what was reserved, in per cent.
    Share {
        used: Source,
        reserved: Source,
    },
    /// A metric of all services of a cluster. The name of each is the label of its result.
    Services {
        metric: &'static str,
        cluster: String,
    },
}

#[derive(Clone)]
struct Source {
    namespace: &'static str,
    metric: &'static str,
    dimensions: Vec<(&'static str, String)>,
}

/// Returns the metrics that have points.
pub(super) async fn all(account: &Account) -> Result<Vec<Metric>> {
    let description = &account.description;
    let mut metrics = read(account, &recent(description), &RECENT).await?;
    metrics.extend(read(account, &buckets(description), &DAILY).await?);
    Ok(metrics)
}

/// Databases, tasks and services.
fn recent(description: &Description) -> Vec<Series> {
    let mut all = Vec::new();
    for (name, database) in &description.databases {
        let Some(instance) = &database.instance else { continue };
        let mut add = |what: &str, unit, metric, factor, warning| {
            let dimensions = vec![("DBInstanceIdentifier", instance.clone())];
            let query = Query::Statistic(Source { namespace: "AWS/RDS", metric, dimensions });
            all.push(Series { name: format!("{name} {what}"), unit, factor, warning, query });
        };
        let usage = Some(WarningRange::From(USAGE_WARNING));
        let storage = Some(WarningRange::Below(MIN_FREE_GIB));
        add("cpu", "% in use", "CPUUtilization", 1.0, usage);
        add("storage", "GiB free", "FreeStorageSpace", PER_GIB, storage);
        add("sessions", "connections", "DatabaseConnections", 1.0, None);
        add("lag", "s behind", "ReplicaLag", 1.0, Some(WarningRange::From(LAG_WARNING)));
    }
    let mut tasks: Vec<_> = description
        .jobs
        .values()
        .filter_map(|job| match &job.work {
            Work::Task(task) => Some((cluster(&task.cluster), family(&task.definition))),
            Work::Function(_) => None,
        })
        .collect();
    tasks.sort_unstable();
    tasks.dedup();
    let warning = Some(WarningRange::From(USAGE_WARNING));
    for (cluster, family) in &tasks {
        for (what, used, reserved) in
            [("cpu", "CpuUtilized", "CpuReserved"), ("memory", "MemoryUtilized", "MemoryReserved")]
        {
            let source = |metric| Source {
                namespace: "ECS/ContainerInsights",
                metric,
                dimensions: vec![
                    ("ClusterName", (*cluster).to_owned()),
                    ("TaskDefinitionFamily", (*family).to_owned()),
                ],
            };
            let query = Query::Share { used: source(used), reserved: source(reserved) };
            all.push(Series {
                name: format!("{family} {what}"),
                unit: "% in use",
                factor: 1.0,
                warning,
                query,
            });
        }
    }
    let mut clusters: Vec<_> = tasks.iter().map(|(cluster, _)| *cluster).collect();
    clusters.sort_unstable();
    clusters.dedup();
    // Others cannot be names of clusters, and would end the text in the expression.
    clusters.retain(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    for cluster in clusters {
        for (what, metric) in [("cpu", "CPUUtilization"), ("memory", "MemoryUtilization")] {
            let query = Query::Services { metric, cluster: cluster.to_owned() };
            all.push(Series { name: what.to_owned(), unit: "% in use", factor: 1.0, warning, query });
        }
    }
    all
}

/// The buckets of datasets and reports.
fn buckets(description: &Description) -> Vec<Series> {
    let storage = &description.storage;
    let buckets = [("datasets", &storage.datasets), ("reports", &storage.reports)];
    let series = buckets.into_iter().filter_map(|(name, url)| {
        let bucket = url.as_ref()?.strip_prefix("s3://")?.split('/').next()?;
        // The emulator compares dimensions in this order.
        let dimensions =
            vec![("StorageType", "StandardStorage".to_owned()), ("BucketName", bucket.to_owned())];
        let query = Query::Statistic(Source { namespace: "AWS/S3", metric: "BucketSizeBytes", dimensions });
        Some(Series { name: name.to_owned(), unit: "GiB stored", factor: PER_GIB, warning: None, query })
    });
    series.collect()
}

/// Returns the name in the name or ARN of a cluster.
fn cluster(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

async fn read(account: &Account, series: &[Series], span: &Span) -> Result<Vec<Metric>> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let now = Utc::now();
    let queries = series.iter().enumerate().flat_map(|(at, series)| series.query.queries(at, span.period));
    let request =
        account.clients.metrics().get_metric_data().set_metric_data_queries(Some(queries.collect()));
    let answer = request
        .start_time(Moment::from_millis((now - span.back).timestamp_millis()))
        .end_time(Moment::from_millis(now.timestamp_millis()))
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await;
    let answer = answer.api_context("cloudwatch:GetMetricData", || "cannot read the metrics".to_owned())?;
    let results = answer.metric_data_results();
    let metrics = series.iter().enumerate().flat_map(|(at, series)| {
        let results = results.iter().filter(move |result| result.id() == Some(&id(at)));
        results.filter(|result| !result.values().is_empty()).map(|result| series.metric(result))
    });
    Ok(metrics.collect())
}

/// The id of the query of a series. Ids begin with a small letter.
fn id(at: usize) -> String {
    format!("m{at}")
}

impl Series {
    fn metric(&self, result: &MetricDataResult) -> Metric {
        let name = match &self.query {
            Query::Services { .. } => format!("{} {}", result.label().unwrap_or("service"), self.name),
            _ => self.name.clone(),
        };
        let values = result.values().iter().map(|value| value * self.factor).collect();
        Metric { name, unit: self.unit, values, warning: self.warning }
    }
}

impl Query {
    /// Returns the queries of a series: the one with its id, and those that it refers to.
    fn queries(&self, at: usize, period: i32) -> Vec<MetricDataQuery> {
        let query = MetricDataQuery::builder().id(id(at));
        match self {
            Self::Statistic(source) => vec![query.metric_stat(source.statistic(period)).build()],
            Self::Share { used, reserved } => {
                let hidden = |name: &str, source: &Source| {
                    let query = MetricDataQuery::builder().id(format!("{name}{at}")).return_data(false);
                    query.metric_stat(source.statistic(period)).build()
                };
                let share = query.expression(format!("100 * used{at} / reserved{at}")).build();
                vec![hidden("used", used), hidden("reserved", reserved), share]
            }
            Self::Services { metric, cluster } => {
                let wanted = format!("{{AWS/ECS,ClusterName,ServiceName}} MetricName=\"{metric}\"");
                let search = format!("SEARCH('{wanted} ClusterName=\"{cluster}\"', 'Average', {period})");
                vec![query.expression(search).label("${PROP('Dim.ServiceName')}").build()]
            }
        }
    }
}

impl Source {
    fn statistic(&self, period: i32) -> MetricStat {
        let dimension =
            |(name, value): &(&str, String)| Dimension::builder().name(*name).value(value).build();
        let metric = CloudWatchMetric::builder()
            .namespace(self.namespace)
            .metric_name(self.metric)
            .set_dimensions(Some(self.dimensions.iter().map(dimension).collect()));
        MetricStat::builder().metric(metric.build()).period(period).stat("Average").build()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::recorded_answers::replay;

    fn result(id: &str, label: &str, values: &[f64]) -> Value {
        let times = values.iter().map(|_| "2026-03-02T03:00:00Z");
        json!({ "Id": id, "Label": label, "Timestamps": times.collect::<Vec<_>>(), "Values": values, "StatusCode": "Complete" })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn metrics_have_unit_and_warning_and_those_without_points_are_left_out() {
        let of = |results: &[Value]| json!({ "data": { "MetricDataResults": results } });
        let gib = 1024.0 * 1024.0 * 1024.0;
        let recent = of(&[
            result("m0", "CPUUtilization", &[12.5, 91.0]),
            result("m1", "FreeStorageSpace", &[9.0 * gib, 4.5 * gib]),
            result("m2", "DatabaseConnections", &[]),
            result("m7", "ReplicaLag", &[0.0, 12.0]),
            result("m12", "metabase", &[3.0]),
            result("m12", "other", &[4.0]),
        ]);
        let daily = of(&[result("m1", "BucketSizeBytes", &[2.0 * gib])]);
        let account =
            replay::account(BTreeMap::from([("cloudwatch.GetMetricData", vec![recent, daily])])).await;
        let metrics = all(&account).await.unwrap();
        let shown: Vec<_> = metrics
            .iter()
            .map(|metric| (metric.name.as_str(), metric.unit, metric.values.as_slice(), metric.is_warning()))
            .collect();
        assert_eq!(
            shown,
            [
                ("master cpu", "% in use", &[12.5, 91.0][..], true),
                ("master storage", "GiB free", &[9.0, 4.5], true),
                ("replica lag", "s behind", &[0.0, 12.0], false),
                ("metabase cpu", "% in use", &[3.0], false),
                ("other cpu", "% in use", &[4.0], false),
                ("reports", "GiB stored", &[2.0], false),
            ]
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn queries_name_tasks_and_services_and_have_distinct_ids() {
        let account = replay::account(BTreeMap::new()).await;
        let series = recent(&account.description);
        let queries: Vec<_> =
            series.iter().enumerate().flat_map(|(at, series)| series.query.queries(at, 300)).collect();
        let mut ids: Vec<_> = queries.iter().filter_map(MetricDataQuery::id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), queries.len());
        let expressions: Vec<_> = queries.iter().filter_map(MetricDataQuery::expression).collect();
        assert!(expressions.contains(&"100 * used8 / reserved8"), "{expressions:?}");
        let search = "SEARCH('{AWS/ECS,ClusterName,ServiceName} MetricName=\"CPUUtilization\" ClusterName=\"covid19\"', \
                      'Average', 300)";
        assert!(expressions.contains(&search), "{expressions:?}");
    }
}
