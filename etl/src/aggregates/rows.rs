//! Rows of the aggregates for PostgreSQL's binary COPY.

use uuid::Uuid;

use crate::clean::encoding::value;

/// Bytes of a message.
const PIECE: usize = 64 << 10;

/// Rows of one table.
pub struct Rows<'a> {
    pub table: &'static str,
    /// All columns but `run_id`, which is the first.
    pub columns: &'static str,
    /// Rows in COPY's binary format.
    pub pieces: Box<dyn Iterator<Item = Vec<u8>> + Send + 'a>,
}

impl<'a> Rows<'a> {
    /// Takes keys with their numbers. `columns` names the fields that `encode` writes for a key, and then the numbers.
    pub(super) fn new<K, const N: usize>(
        table: &'static str,
        columns: &'static str,
        run_id: Uuid,
        mut lines: impl Iterator<Item = (K, [u32; N])> + Send + 'a,
        encode: impl Fn(K, &mut Vec<u8>) + Send + 'a,
    ) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful")]
        let fields = 1 + columns.split(',').count() as i16;
        let next = move || {
            let mut piece = Vec::new();
            while piece.len() < PIECE
                && let Some((key, numbers)) = lines.next()
            {
                piece.extend_from_slice(&fields.to_be_bytes());
                value(&mut piece, Some(run_id.into_bytes()));
                encode(key, &mut piece);
                for number in numbers {
                    value(&mut piece, Some(i64::from(number).to_be_bytes()));
                }
            }
            (!piece.is_empty()).then_some(piece)
        };
        Self { table, columns, pieces: Box::new(std::iter::from_fn(next)) }
    }
}
