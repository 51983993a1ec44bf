//! Every environment variable of the pipeline, defined once and shared by both programs.
//!
//! The ECS task definition, the local target and the tests set exactly these names. Nothing else in the workspace may
//! spell one out.

/// Where the datasets stand: `file:///folder` or `s3://bucket/prefix`.
pub const STORE_URL: &str = "STORE_URL";

/// Where reports and run records go; the store where it is unset.
pub const REPORTS_URL: &str = "REPORTS_URL";

/// PostgreSQL, as `postgres://user:password@host:port/database?sslmode=…`. A secret: never printed.
///
/// What it leaves out is taken from `PGHOST`, `PGPORT`, `PGUSER` and `PGPASSWORD`, so that an ECS task can get the parts from its
/// secret: `postgres:///database`.
pub const DATABASE_URL: &str = "DATABASE_URL";

/// Which years of registration to load: `latest`, `all`, or a list such as `2021,2022`.
pub const YEARS: &str = "YEARS";

/// Loads although the same dataset is published already: `true` or `false`.
pub const FORCE: &str = "FORCE";

/// Publishes a load although checks of the publish gate failed: `true` or `false`.
pub const ACCEPT_ANOMALIES: &str = "ACCEPT_ANOMALIES";

/// The largest share of rejected rows, in percent.
pub const MAX_REJECTED_PERCENT: &str = "MAX_REJECTED_PERCENT";

/// The smallest number of rows of a year, in percent of its published rows.
pub const MIN_ROWS_PERCENT: &str = "MIN_ROWS_PERCENT";

/// The largest rise of a column's share of missing values against the published release, in percentage points.
pub const MAX_MISSING_INCREASE: &str = "MAX_MISSING_INCREASE";

/// The largest share of repaired values of a column on a first load, in percent.
pub const MAX_REPAIRED_PERCENT: &str = "MAX_REPAIRED_PERCENT";

/// The largest share of classifications other than the ministry's four, in percent.
pub const MAX_UNKNOWN_CLASSIFICATION_PERCENT: &str = "MAX_UNKNOWN_CLASSIFICATION_PERCENT";

/// How many releases are kept besides the published one.
pub const KEEP_RELEASES: &str = "KEEP_RELEASES";

/// How long a replaced release stays that a reader may still need, such as `24h`.
pub const RETIRE_AFTER: &str = "RETIRE_AFTER";

/// The language of reports: `es` or `en`.
pub const REPORT_LANG: &str = "REPORT_LANG";

/// The id of this run (a UUID), given by whoever started it so that it can be followed from the first moment.
pub const RUN_ID: &str = "RUN_ID";

/// Who started this run, in words for its record: a person, or the schedule.
pub const STARTED_BY: &str = "STARTED_BY";

/// Set by ECS: where a container asks what it is.
pub const ECS_METADATA: &str = "ECS_CONTAINER_METADATA_URI_V4";

/// `text`, `json`, or `auto`: text on a terminal, JSON lines elsewhere.
pub const LOG_FORMAT: &str = "LOG_FORMAT";

/// Where the line list is published.
pub const CASES_URL: &str = "CASES_URL";

/// Where `provincias.csv` is published.
pub const PROVINCES_URL: &str = "PROVINCES_URL";

/// Where `departamentos.csv` is published.
pub const DEPARTMENTS_URL: &str = "DEPARTMENTS_URL";

/// Where `Covid19Determinaciones.zip` is published.
pub const TESTS_URL: &str = "TESTS_URL";

/// Where `Covid19VacunasAgrupadas.csv.zip` is published.
pub const VACCINATIONS_URL: &str = "VACCINATIONS_URL";

/// The cluster in which the download starts the load.
pub const ETL_CLUSTER: &str = "ETL_CLUSTER";

/// The family of the load's task definition.
pub const ETL_TASK_DEFINITION: &str = "ETL_TASK_DEFINITION";

/// The subnets of the load, separated by commas.
pub const ETL_SUBNETS: &str = "ETL_SUBNETS";

/// The security groups of the load, separated by commas.
pub const ETL_SECURITY_GROUPS: &str = "ETL_SECURITY_GROUPS";
