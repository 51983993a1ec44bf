//! Loads the register of doses: a hundred million rows become a few million counts, and rows of their own only if wanted.

use std::sync::{Arc, OnceLock};

use chrono::Utc;
use common::failure::Result;
use sqlx::postgres::PgConnection;

use crate::aggregates::doses::DoseAggregates;
use crate::clean::doses::{DoseCleaner, DoseRules, Layout};
use crate::clean::texts::Texts;
use crate::context::LoadContext;
use crate::dataset::Dataset;
use crate::extract::Source;
use crate::load::dose_counts;
use crate::load::dose_rows::{self, DoseRowWriter};
use crate::load::rejects::Rejects;
use crate::parse::date::Day;
use crate::parse::record::Records;
use crate::progress::Progress;
use crate::tally::{IssueKind, RowCounts, Tally};
use crate::transform::{self, CleanedBlock, Position, Transform};

/// Counts every dose of a file. The inner error is the file's: none of its doses is counted then, and the run goes on.
pub async fn load(
    context: &LoadContext<'_>,
    source: &Source,
    session: &mut PgConnection,
    rejects: &mut Rejects<'_>,
    tally: &mut Tally,
) -> Result<Result<RowCounts>> {
    let position = Arc::new(Position::default());
    let _progress = Progress::start(&position, source.size, context.options.log_format);
    let (texts, layout) = (Texts::default(), Arc::new(OnceLock::new()));
    let today = Day::from(Utc::now().date_naive());
    let rules = DoseRules {
        geography: context.rules.geography.clone(),
        today,
        texts: texts.clone(),
        keep_rows: context.options.dose_rows,
        layout: Arc::clone(&layout),
    };
    let cleaner = move |header: &_, name: &str| DoseCleaner::new(header, name, rules.clone());
    let mut transform =
        Transform::start((context.store, source), transform::parallelism(), &position, cleaner)?;
    let mut doses = DoseAggregates::default();
    let mut row_session =
        if context.options.dose_rows { Some(context.database.connect().await?) } else { None };
    let mut rows = match &mut row_session {
        Some(session) => Some(DoseRowWriter::begin(session, context.release, today).await?),
        None => None,
    };
    let (mut counts, mut issues) = (RowCounts::default(), Tally::default());
    loop {
        let block = match transform.next().await {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(failure) => return Ok(Err(failure)),
        };
        for row in &block.accepted {
            doses.add(&row.data).map_err(dose_counts::no_room)?;
            for repair in &row.data.repairs {
                issues.count(Dataset::Doses, IssueKind::Repaired, repair, 1);
            }
        }
        if let Some(rows) = &mut rows {
            rows.send(&block.encoded).await?;
        }
        for (line, reason, text) in rejected(&block, layout.get()) {
            issues.count(Dataset::Doses, IssueKind::Rejected, reason, 1);
            rejects.add(Dataset::Doses, line, reason, &text).await?;
        }
        counts.read += block.read;
        counts.loaded += block.accepted.len() as u64;
        transform.recycle(block);
    }
    counts.rejected = issues.total(Dataset::Doses, IssueKind::Rejected);
    counts.repaired = issues.total(Dataset::Doses, IssueKind::Repaired);
    dose_counts::write(session, context.options.run_id, doses, &texts.snapshot()).await?;
    if let Some(rows) = rows {
        rows.finish().await?;
        dose_rows::analyze(session, context.release).await?;
    }
    tally.merge(&issues);
    Ok(Ok(counts))
}

/// Returns line, reason and text of every rejected row of a block.
fn rejected<'a>(
    block: &'a CleanedBlock<DoseCleaner>,
    layout: Option<&Layout>,
) -> impl Iterator<Item = (u64, &'static str, Vec<u8>)> + 'a {
    let layout = layout.copied();
    block.rejected.iter().map(move |row| {
        let raw = block.text(&row.raw);
        (row.line, row.reason, layout.map_or_else(Vec::new, |layout| without_person(raw, layout)))
    })
}

/// Returns the text of a row without the number of its person, which is never stored; of a row in which it cannot be found, nothing.
fn without_person(raw: &[u8], Layout { columns, person }: Layout) -> Vec<u8> {
    let Some(person) = person else { return raw.to_vec() };
    let mut records = Records::new(raw, 1, columns);
    let Some(record) = records.next().filter(|record| record.well_formed) else {
        return b"(not kept: it may contain id_persona_dw)".to_vec();
    };
    let number = records.fields().get(record.raw, person).0;
    let start = number.as_ptr().addr() - record.raw.as_ptr().addr();
    [&record.raw[..start], &record.raw[start + number.len()..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_rejected_row_has_no_number_of_a_person() {
        let text = |raw: &str, person| {
            String::from_utf8(without_person(raw.as_bytes(), Layout { columns: 3, person })).unwrap()
        };
        assert_eq!(text("\"F\",ayer,\"4711\"", Some(2)), "\"F\",ayer,\"\"");
        assert_eq!(text("4711,ayer,F", Some(0)), ",ayer,F");
        assert_eq!(text("F,4711", Some(2)), "(not kept: it may contain id_persona_dw)");
        assert_eq!(text("F,4711", None), "F,4711");
    }
}
