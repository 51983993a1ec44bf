//! Counts by key in bounded memory. When there are too many keys, they are written to an unnamed temporary file in the order of the keys; at the
//! end the files are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use foldhash::{HashMap, HashMapExt as _};

/// Keys in memory, in a hash table of 2^19 slots of 17 bytes.
const MAX_KEYS: usize = 450_000;

/// Files before they are merged into one.
const MAX_FILES: usize = 64;

/// How often each key was added.
#[derive(Debug)]
pub struct GroupCounts {
    recent: HashMap<u64, u32>,
    files: Vec<File>,
}

/// A key and its sum.
type Sum = (u64, u64);

impl Default for GroupCounts {
    fn default() -> Self {
        Self { recent: HashMap::new(), files: Vec::new() }
    }
}

impl GroupCounts {
    /// Adds 1 to a key.
    ///
    /// # Errors
    /// If a temporary file cannot be written or read.
    #[inline]
    pub fn add(&mut self, key: u64) -> io::Result<()> {
        *self.recent.entry(key).or_default() += 1;
        if self.recent.len() >= MAX_KEYS { self.spill() } else { Ok(()) }
    }

    /// Returns every key once, in ascending order, with its sum.
    ///
    /// # Errors
    /// If a temporary file cannot be read.
    pub fn into_sums(mut self) -> io::Result<impl Iterator<Item = io::Result<Sum>>> {
        let recent = self.take_recent();
        let files = self.files.into_iter().map(read).collect::<io::Result<Vec<_>>>()?;
        let mut sources: Vec<Box<dyn Iterator<Item = io::Result<Sum>> + Send>> = Vec::new();
        sources.push(Box::new(recent.into_iter().map(Ok)));
        sources.extend(files.into_iter().map(|file| Box::new(file) as _));
        Merge::new(sources)
    }

    /// Takes out the keys in memory, in ascending order.
    fn take_recent(&mut self) -> Vec<Sum> {
        let mut recent: Vec<Sum> = self.recent.drain().map(|(key, count)| (key, count.into())).collect();
        recent.sort_unstable();
        recent
    }

    #[cold]
    fn spill(&mut self) -> io::Result<()> {
        let recent = self.take_recent();
        self.files.push(write(recent.into_iter().map(Ok))?);
        if self.files.len() >= MAX_FILES {
            let files = std::mem::take(&mut self.files);
            let sums = Merge::new(files.into_iter().map(read).collect::<io::Result<Vec<_>>>()?)?;
            self.files.push(write(sums)?);
        }
        Ok(())
    }
}

/// Writes sums to a temporary file.
fn write(sums: impl Iterator<Item = io::Result<Sum>>) -> io::Result<File> {
    let mut out = BufWriter::new(tempfile::tempfile()?);
    for sum in sums {
        let (key, sum) = sum?;
        out.write_all(&key.to_le_bytes())?;
        out.write_all(&sum.to_le_bytes())?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Reads a file of [`write`].
fn read(mut file: File) -> io::Result<impl Iterator<Item = io::Result<Sum>> + Send> {
    file.rewind()?;
    let mut file = BufReader::new(file);
    let mut next = move || -> io::Result<Option<Sum>> {
        let (mut key, mut sum) = ([0; 8], [0; 8]);
        match file.read_exact(&mut key) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        file.read_exact(&mut sum)?;
        Ok(Some((u64::from_le_bytes(key), u64::from_le_bytes(sum))))
    };
    Ok(std::iter::from_fn(move || next().transpose()))
}

/// Adds up the sums of sources that are each in ascending order of the keys.
struct Merge<Source> {
    sources: Vec<Source>,
    /// The next sum of each source, with the source's position.
    next: BinaryHeap<Reverse<(Sum, usize)>>,
}

impl<Source: Iterator<Item = io::Result<Sum>>> Merge<Source> {
    fn new(sources: Vec<Source>) -> io::Result<Self> {
        let mut merge = Self { next: BinaryHeap::with_capacity(sources.len()), sources };
        for at in 0..merge.sources.len() {
            merge.advance(at)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, at: usize) -> io::Result<()> {
        if let Some(sum) = self.sources[at].next() {
            self.next.push(Reverse((sum?, at)));
        }
        Ok(())
    }
}

impl<Source: Iterator<Item = io::Result<Sum>>> Iterator for Merge<Source> {
    type Item = io::Result<Sum>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut merged: Option<Sum> = None;
        while let Some(Reverse(((key, sum), at))) = self.next.peek().copied() {
            match &mut merged {
                None => merged = Some((key, sum)),
                Some((first, sums)) if *first == key => *sums += sum,
                Some(_) => break,
            }
            self.next.pop();
            if let Err(error) = self.advance(at) {
                return Some(Err(error));
            }
        }
        merged.map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn into_sums_has_each_key_once_however_many_there_are() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let (mut counts, mut model) = (GroupCounts::default(), BTreeMap::new());
        for _ in 0..2_000_000 {
            // Some keys often, some once.
            let number = rand_xoshiro::rand_core::Rng::next_u64(&mut random);
            let key = if number.is_multiple_of(2) { number % 1000 } else { number % 1_500_000 };
            counts.add(key).unwrap();
            *model.entry(key).or_insert(0_u64) += 1;
        }
        assert!(!counts.files.is_empty() && counts.recent.len() < MAX_KEYS, "memory is bounded");
        let sums: Vec<Sum> = counts.into_sums().unwrap().map(Result::unwrap).collect();
        assert!(sums.iter().copied().eq(model), "{} keys", sums.len());
    }

    #[test]
    fn many_files_become_one() {
        let mut counts = GroupCounts::default();
        for round in 0..=(MAX_FILES as u64) {
            counts.recent.extend([(1, 1), (round + 2, 1)]);
            counts.spill().unwrap();
        }
        assert_eq!(counts.files.len(), 2);
        let sums: Vec<Sum> = counts.into_sums().unwrap().map(Result::unwrap).collect();
        assert_eq!(sums[0], (1, MAX_FILES as u64 + 1));
        assert_eq!(sums.len(), MAX_FILES + 2);
    }
}
