//! The names of the pipeline's environment variables, which the ECS task definitions, the local target and the tests set.

/// URL of the datasets: `file:///directory` or `s3://bucket/prefix`.
pub const STORE_URL: &str = "STORE_URL";
/// URL of reports and run records; defaults to [`STORE_URL`].
pub const REPORTS_URL: &str = "REPORTS_URL";
/// `postgres://user:password@host:port/database?sslmode=…`. A secret: never printed.
///
/// Missing parts come from `PGHOST`, `PGPORT`, `PGUSER` and `PGPASSWORD`, which an ECS task gets from its secret.
pub const DATABASE_URL: &str = "DATABASE_URL";

/// Years of registration to load: `latest`, `all`, or a list such as `2021,2022`.
pub const YEARS: &str = "YEARS";
/// Loads even if the same dataset is already published: `true` or `false`.
pub const FORCE: &str = "FORCE";
/// The language of reports: `es` or `en`.
pub const REPORT_LANG: &str = "REPORT_LANG";

/// Publishes even if checks of the publish gate fail: `true` or `false`.
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

/// Number of releases to keep besides the published one.
pub const KEEP_RELEASES: &str = "KEEP_RELEASES";
/// How long a replaced release is kept for readers that may still need it, such as `24h`.
pub const RETIRE_AFTER: &str = "RETIRE_AFTER";

/// UUID of the run, set by the client that starts it.
pub const RUN_ID: &str = "RUN_ID";
/// How long a run may take, such as `2h`.
pub const TIME_LIMIT: &str = "TIME_LIMIT";
/// The user or schedule that started the run, for its record.
pub const STARTED_BY: &str = "STARTED_BY";
/// When the task of the run was requested, in RFC 3339, for the phases in its record.
pub const REQUESTED_AT: &str = "REQUESTED_AT";
/// URL of the task metadata endpoint, set by ECS.
pub const ECS_METADATA: &str = "ECS_CONTAINER_METADATA_URI_V4";
/// `text`, `json`, or `auto`: text on a terminal, JSON lines elsewhere.
pub const LOG_FORMAT: &str = "LOG_FORMAT";

/// Download URL of the line list.
pub const CASES_URL: &str = "CASES_URL";
/// Download URL of `provincias.csv`.
pub const PROVINCES_URL: &str = "PROVINCES_URL";
/// Download URL of `departamentos.csv`.
pub const DEPARTMENTS_URL: &str = "DEPARTMENTS_URL";
/// Download URL of `Covid19Determinaciones.zip`.
pub const TESTS_URL: &str = "TESTS_URL";
/// Download URL of `Covid19VacunasAgrupadas.csv.zip`.
pub const VACCINATIONS_URL: &str = "VACCINATIONS_URL";
/// Downloads the register of doses, too: `true` or `false`.
pub const DOSES: &str = "DOSES";
/// Keeps the rows of the register of doses beside their counts: `true` or `false`.
pub const DOSE_ROWS: &str = "DOSE_ROWS";
/// Download URL of `datos_nomivac_covid19.zip`; implies [`DOSES`].
pub const DOSES_URL: &str = "DOSES_URL";
/// Follows redirects of downloads to other hosts: `true` or `false`.
pub const ALLOW_REDIRECTS: &str = "ALLOW_REDIRECTS";
/// The largest size of a downloaded file in gigabytes.
pub const MAX_DOWNLOAD_GB: &str = "MAX_DOWNLOAD_GB";

/// ECS cluster of the load that the download starts.
pub const ETL_CLUSTER: &str = "ETL_CLUSTER";
/// Family of its task definition.
pub const ETL_TASK_DEFINITION: &str = "ETL_TASK_DEFINITION";
/// Its subnets, separated by commas.
pub const ETL_SUBNETS: &str = "ETL_SUBNETS";
/// Its security groups, separated by commas.
pub const ETL_SECURITY_GROUPS: &str = "ETL_SECURITY_GROUPS";
