//! Cuts a text into its header and blocks of whole lines: the unit in which rows travel to the parsers.
//!
//! A block ends behind a whole record, so that blocks can be parsed apart from each other, in any order.

use std::io::Read;

use crate::failure::{Failure, OrFail as _, Result};
use crate::parse::header::{Header, empty};
use crate::parse::record::cut;

/// The usual size of a block: large enough that handing it over costs nothing, small enough that a dozen fit in memory.
pub const BLOCK: usize = 512 << 10;

/// A line that is longer is no line of a CSV.
const LONGEST_LINE: usize = 8 << 20;

/// Some whole lines of a file.
#[derive(Debug, Default)]
pub struct Block {
    /// The blocks of a file are numbered from 0.
    pub number: u64,
    /// The line in the file, from 1, of its first line.
    pub first_line: u64,
    /// The memory that holds the text. It keeps its size when it is used again, which saves clearing it.
    buffer: Vec<u8>,
    length: usize,
}

impl Block {
    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Gives the memory back, to be used again; what a monstrous line took is not kept.
    pub fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() > 2 * BLOCK { Vec::new() } else { self.buffer }
    }
}

/// A text that is read block by block.
pub struct Blocks<'a> {
    input: &'a mut dyn Read,
    name: &'a str,
    columns: usize,
    /// What was read beyond the last block.
    rest: Vec<u8>,
    ended: bool,
    number: u64,
    line: u64,
}

impl<'a> Blocks<'a> {
    /// Reads the header. `name` is the file, for messages.
    pub fn open(input: &'a mut dyn Read, name: &'a str) -> Result<(Header, Self)> {
        let mut blocks = Self { input, name, columns: 0, rest: Vec::new(), ended: false, number: 0, line: 1 };
        loop {
            let mut text = std::mem::take(&mut blocks.rest);
            let length = text.len();
            let length = blocks.read_more(&mut text, length)?;
            text.truncate(length);
            let end = memchr::memchr(b'\n', &text).map_or(text.len(), |end| end + 1);
            if text.is_empty() {
                return Err(empty(name));
            }
            let line = text[..end].trim_ascii();
            blocks.rest = text[end..].to_vec();
            blocks.line += 1;
            if !line.is_empty() {
                let header = Header::parse(line, name)?;
                blocks.columns = header.columns();
                return Ok((header, blocks));
            }
        }
    }

    /// The next block, in `buffer`'s memory; `None` at the end.
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
                return Err(Failure::new(format!(
                    "line {} of `{}` is longer than 8 MiB",
                    self.line, self.name
                ))
                .hint("this is no CSV of the ministry: check what was put there"));
            }
        };
        if end == 0 {
            return Ok(None);
        }
        self.rest.clear();
        self.rest.extend_from_slice(&buffer[end..filled]);
        let block = Block { number: self.number, first_line: self.line, buffer, length: end };
        self.number += 1;
        self.line += memchr::memchr_iter(b'\n', block.text()).count() as u64;
        Ok(Some(block))
    }

    /// Reads up to a block's worth of text behind the first `start` bytes of the buffer; gives how many it has then.
    fn read_more(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<usize> {
        let target = if start < BLOCK { BLOCK } else { start + BLOCK };
        if buffer.len() < target {
            buffer.resize(target, 0);
        }
        let read = super::fill(&mut self.input, &mut buffer[start..target]);
        let count = read.or_fail(|| format!("cannot read on in `{}` behind line {}", self.name, self.line)).map_err(|failure| {
            failure.hint("the file is damaged, or the place where it stands went away: download it again, or run again")
        })?;
        self.ended = count < target - start;
        Ok(start + count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn blocks_put_together_are_the_file() {
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
    fn a_header_alone_has_no_blocks_and_an_empty_file_is_said() {
        let mut input = &b"a,b"[..];
        let (_, mut blocks) = Blocks::open(&mut input, "x.csv").unwrap();
        assert!(blocks.next(Vec::new()).unwrap().is_none());
        for nothing in ["", "\n\r\n"] {
            let mut input = nothing.as_bytes();
            assert_eq!(Blocks::open(&mut input, "x.csv").err().unwrap().to_string(), "`x.csv` is empty");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut input = std::io::Read::chain(&b"a,b\n"[..], std::io::repeat(b'x'));
        let (_, mut blocks) = Blocks::open(&mut input, "x.csv").unwrap();
        let failure = blocks.next(Vec::new()).unwrap_err();
        assert!(failure.to_string().starts_with("line 2 of `x.csv` is longer"), "{failure}");
    }
}
