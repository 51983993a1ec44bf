//! What Metabase cannot read from the database: the keys of views, and which tables are internal.
//!
//! `covid_case`, `province` and `department` are views of the published release, and a view has no keys.

/// The keys as `table.column`, each foreign key with the column that it references.
pub(super) const KEYS: [(&str, Option<&str>); 11] = [
    ("province.province_id", None),
    ("department.department_id", None),
    ("covid_case.case_id", None),
    ("department.province_id", Some("province.province_id")),
    ("covid_case.registration_province_id", Some("province.province_id")),
    ("covid_case.residence_province_id", Some("province.province_id")),
    ("covid_case.residence_department_id", Some("department.department_id")),
    ("dose_count.residence_province_id", Some("province.province_id")),
    ("dose_count.residence_department_id", Some("department.department_id")),
    ("dose_application_count.application_province_id", Some("province.province_id")),
    ("dose_application_count.application_department_id", Some("department.department_id")),
];

/// Tables that readers use only through views and functions. Releases have partitions of the first ones, named after them.
const INTERNAL_TABLES: [&str; 25] = [
    "release_case",
    "release_province",
    "release_department",
    "release",
    "release_dataset",
    "published_release",
    "run_check",
    "run_profile",
    "run_issue",
    "run_dataset",
    "rejected_row",
    "case_count",
    "place_count",
    "delay_count",
    "contradiction_count",
    "test_count",
    "vaccination_count",
    "daily_estimate",
    "fatality_estimate",
    "wave_estimate",
    "incidence_estimate",
    "run_dose_count",
    "run_dose_application_count",
    "release_dose",
    "_sqlx_migrations",
];

pub(super) fn is_internal(table: &str) -> bool {
    INTERNAL_TABLES.contains(&table) || is_partition(table)
}

/// Returns whether a table is a partition of an internal one, such as `release_case_12`.
pub(super) fn is_partition(table: &str) -> bool {
    INTERNAL_TABLES.iter().any(|parent| {
        let suffix = table.strip_prefix(parent).and_then(|rest| rest.strip_prefix('_'));
        suffix.is_some_and(|suffix| {
            let is_allowed = |character: char| character.is_ascii_hexdigit() || character == '_';
            !suffix.is_empty() && suffix.chars().all(is_allowed)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_internal_accepts_partitions_but_no_tables_of_user() {
        for table in [
            "release",
            "release_case",
            "release_case_12",
            "release_dose_3_2021_01",
            "case_count",
            "run_check",
        ] {
            assert!(is_internal(table), "{table}");
        }
        for table in
            ["covid_case", "province", "pipeline_run", "release_notes", "release_case_", "test_count_of_mine"]
        {
            assert!(!is_internal(table), "{table}");
        }
    }
}
