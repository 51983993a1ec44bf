//! Splits a text into its header and blocks of complete records, which can be parsed independently and in any order.

use std::io::Read;

use crate::parse::header::{Header, empty};
use crate::parse::record::cut;
use common::failure::{Failure, Result};

/// The usual size: large enough that passing a block is cheap, small enough that a dozen fit in memory.
pub const BLOCK: usize = 512 << 10;

/// Longer lines are rejected.
const LONGEST_LINE: usize = 8 << 20;

/// Longer headers are rejected; the ministry's has less than 600 bytes.
const LONGEST_HEADER: usize = 64 << 10;

/// Complete lines of a file.
#[derive(Debug, Default)]
pub struct Block {
    /// From 0.
    pub number: u64,
    /// The number of its first line in the file, from 1.
    pub first_line: u64,
    /// Keeps its size when reused, which saves clearing it.
    buffer: Vec<u8>,
    length: usize,
}

impl Block {
    pub fn text(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Returns the buffer for reuse, unless a long line made it too large.
    pub fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() > 2 * BLOCK { Vec::new() } else { self.buffer }
    }
}

/// Reads a text block by block.
pub struct Blocks<'a> {
    input: &'a mut dyn Read,
    name: &'a str,
    columns: usize,
    /// Bytes read beyond the last block.
    rest: Vec<u8>,
    ended: bool,
    number: u64,
    line: u64,
}

impl<'a> Blocks<'a> {
    /// Reads the header, the first line that is not blank. `name` is the file, for messages.
    pub fn open(input: &'a mut dyn Read, name: &'a str) -> Result<(Header, Self)> {
        let mut blocks = Self { input, name, columns: 0, rest: Vec::new(), ended: false, number: 0, line: 1 };
        let (mut text, mut length) = (Vec::new(), 0);
        let end = loop {
            length = blocks.read_more(&mut text, length)?;
            // Drops blank lines immediately, so that each is scanned once.
            let blank = text[..length].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            blocks.line += line_ends(&text[..blank]);
            text.copy_within(blank..length, 0);
            length -= blank;
            let end = memchr::memchr(b'\n', &text[..length]);
            if end.unwrap_or(length) > LONGEST_HEADER {
                return Err(Failure::new(format!("the header of `{name}` is longer than 64 KiB"))
                    .hint("the first line must hold the column names, separated by commas: check what was put there"));
            }
            match end {
                Some(end) => break end + 1,
                None if !blocks.ended => {}
                None if length == 0 => return Err(empty(name)),
                None => break length,
            }
        };
        let header = Header::parse(text[..end].trim_ascii(), name)?;
        blocks.columns = header.columns();
        blocks.line += 1;
        blocks.rest = text[end..length].to_vec();
        Ok((header, blocks))
    }

    /// Returns the next block, in `buffer`; `None` at the end.
    pub fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Block>> {
        let (mut buffer, mut filled) = (buffer, self.rest.len());
        if buffer.len() < filled {
            buffer.resize(filled, 0);
        }
        buffer[..filled].copy_from_slice(&self.rest);
        let end = loop {
            if !self.ended {
                filled = self.read_more(&mut buffer, filled)?;
            }
            if self.ended {
                break filled;
            }
            if let Some(end) = cut(&buffer[..filled], self.columns) {
                break end;
            }
            if filled > LONGEST_LINE {
                if let Some(end) = memchr::memrchr(b'\n', &buffer[..filled]) {
                    break end + 1;
                }
                let what = format!("line {} of `{}` is longer than 8 MiB", self.line, self.name);
                return Err(
                    Failure::new(what).hint("this is no CSV of the ministry: check what was put there")
                );
            }
        };
        if end == 0 {
            return Ok(None);
        }
        self.rest.clear();
        self.rest.extend_from_slice(&buffer[end..filled]);
        let block = Block { number: self.number, first_line: self.line, buffer, length: end };
        self.number += 1;
        self.line += line_ends(block.text());
        Ok(Some(block))
    }

    /// Reads up to a block after the first `start` bytes of the buffer; returns its length.
    fn read_more(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<usize> {
        let target = if start < BLOCK { BLOCK } else { start + BLOCK };
        if buffer.len() < target {
            buffer.resize(target, 0);
        }
        let count = super::read::fill(&mut self.input, &mut buffer[start..target])
            .map_err(|error| super::read::unreadable_at(self.name, self.line, error))?;
        self.ended = count < target - start;
        Ok(start + count)
    }
}

fn line_ends(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn blocks_concatenate_to_file() {
        let mut text = b"\xC3\xB1,b\r\n".to_vec();
        for line in 0..60_000 {
            writeln!(text, "{line},\"valor {line}\"").unwrap();
        }
        let mut input = &text[..];
        let (header, mut blocks) = Blocks::open(&mut input, "x.csv").unwrap();
        assert_eq!(header.columns(), 2);
        let (mut whole, mut line) = (Vec::<u8>::new(), 2);
        while let Some(block) = blocks.next(Vec::new()).unwrap() {
            assert_eq!(block.first_line, line);
            assert_eq!(block.text().last(), Some(&b'\n'));
            line += memchr::memchr_iter(b'\n', block.text()).count() as u64;
            whole.extend(block.text());
        }
        assert_eq!(whole, text[6..]);
        assert_eq!(line, 60_002);
    }

    #[test]
    fn open_accepts_header_alone_and_rejects_empty_file() {
        let mut input = &b"a,b"[..];
        let (_, mut blocks) = Blocks::open(&mut input, "x.csv").unwrap();
        assert!(blocks.next(Vec::new()).unwrap().is_none());
        for nothing in ["", "\n\r\n"] {
            let mut input = nothing.as_bytes();
            assert_eq!(Blocks::open(&mut input, "x.csv").err().unwrap().to_string(), "`x.csv` is empty");
        }
    }

    #[test]
    fn open_reads_blank_lines_once_and_counts_them() {
        /// Counts the bytes read.
        struct Counted<R>(R, u64);
        impl<R: Read> Read for Counted<R> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let count = self.0.read(buffer)?;
                self.1 += count as u64;
                Ok(count)
            }
        }
        let blank = " \r\n".repeat(3_000_000);
        let text = format!("{blank}  a,b\r\n1,2\r\n");
        let mut input = Counted(text.as_bytes(), 0);
        let (header, mut blocks) = Blocks::open(&mut input, "x.csv").unwrap();
        assert_eq!(header.columns(), 2);
        let block = blocks.next(Vec::new()).unwrap().unwrap();
        assert_eq!((block.first_line, block.text()), (3_000_002, &b"1,2\r\n"[..]));
        assert_eq!(input.1, text.len() as u64);
    }

    #[test]
    fn open_rejects_header_beyond_limit() {
        let open =
            |text: &str| Blocks::open(&mut text.as_bytes(), "x.csv").map(|(header, _)| header.columns());
        let columns = |count: usize| vec!["a"; count].join(",");
        assert_eq!(open(&(columns(LONGEST_HEADER / 2) + "\n")).unwrap(), LONGEST_HEADER / 2);
        for text in [columns(500_000), columns(500_000) + "\n1", columns(LONGEST_HEADER / 2 + 1) + "\n1\n"] {
            assert_eq!(open(&text).unwrap_err().to_string(), "the header of `x.csv` is longer than 64 KiB");
        }
    }

    #[test]
    fn next_rejects_endless_line() {
        let mut input = std::io::Read::chain(&b"a,b\n"[..], std::io::repeat(b'x'));
        let (_, mut blocks) = Blocks::open(&mut input, "x.csv").unwrap();
        let failure = blocks.next(Vec::new()).unwrap_err();
        assert!(failure.to_string().starts_with("line 2 of `x.csv` is longer"), "{failure}");
    }
}
