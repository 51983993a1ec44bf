//! The archived releases: finding, ordering and reading them.

use std::sync::Arc;

use futures_util::TryStreamExt as _;

use crate::aggregates::reference_days::ReferenceDays;
use crate::clean::case::Case;
use crate::clean::columns::Columns;
use crate::clean::geography::Geography;
use crate::clean::years::{Period, Years, YearsWanted};
use crate::clean::{CaseCleaner, CaseRules};
use crate::dataset::Dataset;
use crate::dataset_date;
use crate::distinct::SeenIds;
use crate::extract::{self, Source};
use crate::parse::date::Day;
use crate::store::{OrRefused as _, Store};
use crate::transform::{self, Position, Transform};
use common::failure::{Context as _, Failure, Result};

/// The provinces of Argentina by INDEC code: an archive of the line list rarely has the reference tables of its time.
const PROVINCES: [i16; 24] =
    [2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46, 50, 54, 58, 62, 66, 70, 74, 78, 82, 86, 90, 94];

/// Files that are beside a line list.
const OTHER_FILES: [&str; 5] =
    ["provincias", "departamentos", "covid19determinaciones", "covid19vacunas", "datos_nomivac"];

/// A release of the line list.
pub(super) struct Release {
    pub(super) source: Source,
    columns: Columns,
    date: Day,
}

/// Finds the releases in a folder and its folders, the oldest first.
pub(super) async fn find(store: &Store) -> Result<Vec<Release>> {
    let objects: Vec<_> =
        store.objects().list(None).try_collect().await.or_refused(|| format!("cannot list `{store}`"))?;
    let mut releases = Vec::new();
    for object in objects {
        let name = object.location.filename().unwrap_or_default().to_lowercase();
        let is_archive = [".zip", ".csv"].iter().any(|extension| name.ends_with(extension));
        if !is_archive || OTHER_FILES.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let source = extract::source(store, Dataset::Cases, object)?;
        let (columns, date) = dataset_date::find(store, &source).await?;
        releases.push(Release { source, columns, date });
    }
    releases.sort_by(|left, right| {
        left.date.cmp(&right.date).then_with(|| left.source.key.cmp(&right.source.key))
    });
    Ok(releases)
}

/// Reads and cleans the cases of a release as a load of all years does.
pub(super) async fn read(store: &Store, release: &Release) -> Result<ReferenceDays> {
    let period = Period { years: Years::new(&YearsWanted::All, release.date), dataset_date: release.date };
    let rules =
        Arc::new(CaseRules { columns: release.columns, period, geography: Geography::new(PROVINCES, []) });
    let position = Arc::new(Position::default());
    let cleaner = move |_: &_, _: &str| Ok(CaseCleaner(Arc::clone(&rules)));
    let mut transform =
        Transform::start((store, &release.source), transform::parallelism(), &position, cleaner)?;
    let (mut counts, mut seen) = (ReferenceDays::default(), SeenIds::default());
    while let Some(block) = transform.next().await? {
        let mut start = 0;
        for row in &block.accepted {
            let encoded = &block.encoded[start..row.encoded_end];
            start = row.encoded_end;
            if !seen.insert(row.data.case_id).context(|| "cannot keep track of the case ids".to_owned())? {
                continue;
            }
            let case = Case::decode(encoded)
                .ok_or_else(|| Failure::new(format!("cannot count the case of line {}", row.line)))?;
            counts.add(&case);
        }
        transform.recycle(block);
    }
    Ok(counts)
}
