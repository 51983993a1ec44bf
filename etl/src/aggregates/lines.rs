//! The keys of the aggregates and their encoding for PostgreSQL's binary COPY.
//!
//! The order of a key's fields in [`Key::encode`] is that of [`Key::COLUMNS`]; tests read the rows back from real tables.

use uuid::Uuid;

use super::interner::Interner;
use crate::clean::encoding::value;
use crate::parse::date::Day;

/// Bytes of a message.
const PIECE: usize = 64 << 10;

/// Rows of one table.
pub struct Rows<'a> {
    pub table: &'static str,
    pub columns: &'static str,
    /// Rows in COPY's binary format.
    pub pieces: Box<dyn Iterator<Item = Vec<u8>> + Send + 'a>,
}

/// The key of a row.
pub(super) trait Key {
    const TABLE: &'static str;
    /// Columns of the key and of its numbers, after `run_id`.
    const COLUMNS: &'static str;
    /// Number of columns of the key.
    const FIELDS: u8;
    fn encode(&self, interner: &Interner, out: &mut Vec<u8>);
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CaseKey {
    pub(super) registered_on: Day,
    pub(super) residence_province_id: Option<i16>,
    pub(super) sex: u16,
    pub(super) age_decade: Option<i16>,
    pub(super) classification: u16,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PlaceKey {
    pub(super) registered_on: Day,
    pub(super) registration_province_id: i16,
    pub(super) residence_province_id: Option<i16>,
    pub(super) residence_department_id: Option<i32>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DelayKey {
    pub(super) registered_on: Day,
    pub(super) symptoms_on: Option<Day>,
}

/// The name of a contradiction.
pub(super) struct ContradictionKey(pub(super) &'static str);

impl<'a> Rows<'a> {
    pub(super) fn new<K: Key, const N: usize>(
        run_id: Uuid,
        interner: Interner,
        mut lines: impl Iterator<Item = (K, [u32; N])> + Send + 'a,
    ) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful")]
        let fields = 1 + i16::from(K::FIELDS) + N as i16;
        let next = move || {
            let mut piece = Vec::new();
            while piece.len() < PIECE
                && let Some((key, numbers)) = lines.next()
            {
                piece.extend_from_slice(&fields.to_be_bytes());
                value(&mut piece, Some(run_id.into_bytes()));
                key.encode(&interner, &mut piece);
                for number in numbers {
                    value(&mut piece, Some(i64::from(number).to_be_bytes()));
                }
            }
            (!piece.is_empty()).then_some(piece)
        };
        Self { table: K::TABLE, columns: K::COLUMNS, pieces: Box::new(std::iter::from_fn(next)) }
    }
}

impl Key for CaseKey {
    const TABLE: &'static str = "case_count";
    const COLUMNS: &'static str = "registered_on, residence_province_id, sex, age_decade, classification, \
                                   cases, admitted, icu, ventilated, died";
    const FIELDS: u8 = 5;

    fn encode(&self, interner: &Interner, out: &mut Vec<u8>) {
        value(out, Some(self.registered_on.0.to_be_bytes()));
        value(out, self.residence_province_id.map(i16::to_be_bytes));
        value(out, interner.resolve(self.sex));
        value(out, self.age_decade.map(i16::to_be_bytes));
        value(out, interner.resolve(self.classification));
    }
}

impl Key for PlaceKey {
    const TABLE: &'static str = "place_count";
    const COLUMNS: &'static str = "registered_on, registration_province_id, residence_province_id, \
                                   residence_department_id, confirmed, died";
    const FIELDS: u8 = 4;

    fn encode(&self, _: &Interner, out: &mut Vec<u8>) {
        value(out, Some(self.registered_on.0.to_be_bytes()));
        value(out, Some(self.registration_province_id.to_be_bytes()));
        value(out, self.residence_province_id.map(i16::to_be_bytes));
        value(out, self.residence_department_id.map(i32::to_be_bytes));
    }
}

impl Key for DelayKey {
    const TABLE: &'static str = "delay_count";
    const COLUMNS: &'static str = "registered_on, symptoms_on, confirmed";
    const FIELDS: u8 = 2;

    fn encode(&self, _: &Interner, out: &mut Vec<u8>) {
        value(out, Some(self.registered_on.0.to_be_bytes()));
        value(out, self.symptoms_on.map(|day| day.0.to_be_bytes()));
    }
}

impl Key for ContradictionKey {
    const TABLE: &'static str = "contradiction_count";
    const COLUMNS: &'static str = "contradiction, cases";
    const FIELDS: u8 = 1;

    fn encode(&self, _: &Interner, out: &mut Vec<u8>) {
        value(out, Some(self.0.as_bytes()));
    }
}
