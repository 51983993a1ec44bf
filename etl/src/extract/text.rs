//! Decodes the ministry's encodings to UTF-8: UTF-8 with or without BOM, and UTF-16LE with BOM (until August 2020).
//!
//! UTF-8 is validated by the parser, because an invalid character affects only its row. For the same reason an unpaired surrogate is
//! decoded to a byte that is never valid.

use std::io::{self, Cursor, Read};

use super::magic;
use common::failure::Result;

/// Never valid in UTF-8.
const INVALID: u8 = 0xFF;

/// Bytes needed to detect the format.
const START: usize = 512;

/// A reader of UTF-8 without BOM.
pub(super) struct Utf8<R> {
    input: R,
    encoding: Encoding,
    /// Decoded bytes not yet read.
    ready: Cursor<Vec<u8>>,
    /// Encoded bytes of an incomplete character.
    rest: Vec<u8>,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
}

impl<R: Read> Utf8<R> {
    /// Removes a BOM; fails for files other than text. `name` is the file, for messages.
    pub(super) fn open(mut input: R, name: &str) -> Result<Self> {
        let mut start = [0; START];
        let length = super::read::fill(&mut input, &mut start)
            .map_err(|error| super::read::unreadable_at(name, 1, error))?;
        let start = &start[..length];
        magic::refuse_other_than_text(start, name)?;
        let (encoding, ready, rest) = match start.strip_prefix(b"\xFF\xFE") {
            Some(text) => (Encoding::Utf16Le, Vec::new(), text.to_vec()),
            None => {
                (Encoding::Utf8, start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).to_vec(), Vec::new())
            }
        };
        Ok(Self { input, encoding, ready: Cursor::new(ready), rest, ended: false })
    }

    /// Decodes the next chunk of UTF-16 into `ready`.
    fn decode(&mut self) -> io::Result<()> {
        let mut piece = std::mem::take(&mut self.rest);
        let kept = piece.len();
        piece.resize(64 << 10, 0);
        let count = super::read::fill(&mut self.input, &mut piece[kept..])?;
        piece.truncate(kept + count);
        self.ended = count == 0;
        // A pair must not be split between two pieces: keep an odd byte and a leading surrogate for the next one.
        let mut whole = piece.len() & !1;
        if !self.ended && whole >= 2 && (0xD8..0xDC).contains(&piece[whole - 1]) {
            whole -= 2;
        }
        let (text, rest) = piece.split_at(whole);
        let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let mut ready = std::mem::take(&mut self.ready).into_inner();
        ready.clear();
        for character in char::decode_utf16(units) {
            match character {
                Ok(character) => ready.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(_) => ready.push(INVALID),
            }
        }
        if self.ended && !rest.is_empty() {
            ready.push(INVALID);
        } else {
            self.rest = rest.to_vec();
        }
        self.ready = Cursor::new(ready);
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.ready.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            match self.encoding {
                Encoding::Utf8 => return self.input.read(buffer),
                Encoding::Utf16Le if self.ended => return Ok(0),
                Encoding::Utf16Le => self.decode()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns one byte per read.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let (mut whole, mut slow) = (Vec::new(), Vec::new());
        Utf8::open(bytes, "x").unwrap().read_to_end(&mut whole).unwrap();
        Utf8::open(Trickle(bytes), "x").unwrap().read_to_end(&mut slow).unwrap();
        assert_eq!(whole, slow);
        whole
    }

    fn utf16(text: &str) -> Vec<u8> {
        "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        assert_eq!(decoded("edad_años".as_bytes()), "edad_años".as_bytes());
        assert_eq!(decoded("\u{FEFF}edad_años".as_bytes()), "edad_años".as_bytes());
        assert_eq!(decoded(&utf16("edad_años 🦠")), "edad_años 🦠".as_bytes());
        assert_eq!(decoded(b""), b"");
        assert_eq!(decoded(b"a"), b"a");
    }

    #[test]
    fn damaged_utf8_stays_invalid() {
        let mut lone = utf16("a");
        lone.extend([0x00, 0xD8]);
        lone.extend("b".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(decoded(&lone), b"a\xFFb");
        let mut odd = utf16("a");
        odd.push(0x41);
        assert_eq!(decoded(&odd), b"a\xFF");
    }

    proptest! {
        #[test]
        fn utf16_is_decoded_like_the_standard_library_does(text in "[^\\u{0}]\\PC{0,40}|\\PC{300,900}") {
            prop_assert_eq!(decoded(&utf16(&text)), text.into_bytes());
        }
    }
}
