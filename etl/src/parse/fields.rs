//! Splits a line into its fields, sixty-four bytes at a time and without copying.
//!
//! A field is quoted (`"…"`, a quote inside doubled, then a comma or the line's end) or bare (no quote inside); anything else is
//! broken quoting. Quotes and commas are bit masks with a bit per byte, so that a few operations on integers find the commas that
//! separate fields among sixty-four bytes. The idea is from Langdale and Lemire, "Parsing gigabytes of JSON per second",
//! <https://arxiv.org/abs/1902.08318>.

use wide::u8x16;

use super::field::Field;

/// The positions of the fields of a line.
#[derive(Debug)]
pub struct Fields {
    /// The end of each field, which is the position of its comma. As many as a record should have; further ones are only counted.
    ends: Box<[u32]>,
    count: usize,
}

/// Why a line is not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It ends inside a quoted field.
    Open,
    /// It has a quote in the wrong place.
    Quote,
}

impl Fields {
    pub(super) fn new(columns: usize) -> Self {
        Self { ends: vec![0; columns].into_boxed_slice(), count: 0 }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns a field of `line`, which must be the line that was split without error.
    #[inline]
    pub fn get<'a>(&self, line: &'a [u8], index: usize) -> Field<'a> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
        match &line[start..self.ends[index] as usize] {
            [b'"', quoted @ .., b'"'] => Field(quoted),
            bare => Field(bare),
        }
    }

    /// Splits a line, without its line end.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a line is shorter than a block, a block shorter than 4 GiB"
    )]
    pub(super) fn split(&mut self, line: &[u8]) -> Result<(), Broken> {
        // Local variables stay in registers; a count in `self` might alias the ends.
        let (ends, mut count) = (&mut *self.ends, 0);
        let mut note = |at: usize| {
            if let Some(end) = ends.get_mut(count) {
                *end = at as u32;
            }
            count += 1;
        };
        let mut state = State { inside: 0, begins: 1, closed: 0, wrong: 0 };
        let (pieces, rest) = line.as_chunks();
        for (number, piece) in pieces.iter().enumerate() {
            let separators = state.separators(&Marks::of(piece));
            ones(separators).for_each(|bit| note(number * PIECE + bit));
        }
        if !rest.is_empty() {
            let separators = state.separators(&Marks::of_rest(line, rest));
            ones(separators).for_each(|bit| note(line.len() - rest.len() + bit));
        }
        note(line.len());
        self.count = count;
        match state {
            State { wrong: 0, inside: 0, .. } => Ok(()),
            State { wrong: 0, .. } => Err(Broken::Open),
            _ => Err(Broken::Quote),
        }
    }
}

/// Returns the positions of the set bits, the lowest first.
#[inline]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        lowest
    })
}

/// Bytes that are processed together, one per bit of an integer.
const PIECE: usize = 64;

/// Bit masks of a piece of a line; the lowest bit is the first byte's.
struct Marks {
    quotes: u64,
    commas: u64,
    /// Bytes that belong to the line.
    bytes: u64,
}

impl Marks {
    #[inline]
    fn of(piece: &[u8; PIECE]) -> Self {
        let (sixteens, _) = piece.as_chunks::<16>();
        let equal = |byte| {
            sixteens.iter().rev().fold(0, |bits, sixteen| {
                bits << 16 | u64::from(u8x16::new(*sixteen).simd_eq(u8x16::splat(byte)).to_bitmask())
            })
        };
        Self { quotes: equal(b'"'), commas: equal(b','), bytes: u64::MAX }
    }

    /// Returns the masks of the last bytes of a line, fewer than [`PIECE`].
    #[inline]
    fn of_rest(line: &[u8], rest: &[u8]) -> Self {
        let bytes = (1 << rest.len()) - 1;
        // Usually the line has a whole piece that ends with these bytes.
        if let Some(last) = line.last_chunk() {
            let Self { quotes, commas, .. } = Self::of(last);
            let known = PIECE - rest.len();
            return Self { quotes: quotes >> known, commas: commas >> known, bytes };
        }
        let mut padded = [0; PIECE];
        padded[..rest.len()].copy_from_slice(rest);
        Self { bytes, ..Self::of(&padded) }
    }
}

/// The state between two pieces.
struct State {
    /// All bits are set if the next byte is inside a quoted field.
    inside: u64,
    /// The lowest bit is set if the next byte begins a field.
    begins: u64,
    /// The lowest bit is set if the last byte closed a quoted field.
    closed: u64,
    /// Any bit is set if a quote was in the wrong place.
    wrong: u64,
}

impl State {
    /// Returns the commas that separate fields.
    #[inline]
    fn separators(&mut self, marks: &Marks) -> u64 {
        let Marks { quotes, commas, bytes } = *marks;
        // From an opening quote to the byte before the closing one; a doubled quote closes and opens again.
        let inside = parity(quotes) ^ self.inside;
        let separators = commas & !inside;
        let (opening, closing) = (quotes & inside, quotes & !inside);
        let field_begins = separators << 1 | self.begins;
        let behind_closing = closing << 1 | self.closed;
        self.wrong |= opening & !(field_begins | behind_closing);
        self.wrong |= behind_closing & !(separators | quotes) & bytes;
        self.inside = (inside >> 63).wrapping_neg();
        self.begins = separators >> 63;
        self.closed = closing >> 63;
        separators
    }
}

/// Sets each bit if it and those below it have an odd number of ones.
#[inline]
fn parity(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |bits, distance| bits ^ bits << distance)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits a line byte by byte.
    fn plainly(line: &[u8]) -> Result<Vec<&[u8]>, Broken> {
        let (mut fields, mut at) = (Vec::new(), 0);
        loop {
            let start = at;
            if line.get(at) == Some(&b'"') {
                loop {
                    at += 1;
                    match (line.get(at), line.get(at + 1)) {
                        (None, _) => return Err(Broken::Open),
                        (Some(b'"'), Some(b'"')) => at += 1,
                        (Some(b'"'), _) => break,
                        _ => {}
                    }
                }
                fields.push(&line[start + 1..at]);
                at += 1;
            } else {
                while line.get(at).is_some_and(|byte| !b",\"".contains(byte)) {
                    at += 1;
                }
                fields.push(&line[start..at]);
            }
            match line.get(at) {
                None => return Ok(fields),
                Some(b',') => at += 1,
                Some(_) => return Err(Broken::Quote),
            }
        }
    }

    fn split(line: &[u8]) -> Result<Vec<&[u8]>, Broken> {
        let mut fields = Fields::new(300);
        fields.split(line).map(|()| (0..fields.count()).map(|index| fields.get(line, index).0).collect())
    }

    #[test]
    fn quoted_field_may_span_two_pieces() {
        for length in 0..200 {
            let text = "x,".repeat(length / 2);
            let line = format!("\"{text}\",\"\"\"{text}\",{text}");
            assert_eq!(split(line.as_bytes()), plainly(line.as_bytes()), "{line}");
            assert_eq!(split(line.as_bytes()).unwrap()[0], text.as_bytes());
        }
    }

    #[test]
    fn more_fields_than_wanted_are_counted() {
        let mut fields = Fields::new(2);
        assert_eq!(fields.split(b"1,2,3,4"), Ok(()));
        assert_eq!((fields.count(), fields.get(b"1,2,3,4", 1)), (4, Field(b"2")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn pieces_do_not_matter(line in "([\",a]{0,9}|(\"[,a]{0,40}\",){0,9}|[a,]{0,70}){0,5}") {
            prop_assert_eq!(split(line.as_bytes()), plainly(line.as_bytes()));
        }
    }
}
