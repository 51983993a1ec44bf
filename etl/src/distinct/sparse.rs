//! A set of sparse ids: a log-structured merge tree in unnamed temporary files, behind a Bloom filter of fixed size that answers most
//! lookups.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;

/// Ids in memory before they are written as a run: about 5 MiB.
const RECENT: usize = 1 << 18;

/// Runs of one level before they are merged.
const FAN_IN: usize = 4;

/// Ids between two fences: 4 KiB of a file.
const FENCE: usize = 512;

#[derive(Default)]
pub(super) struct Sparse {
    filter: Bloom,
    recent: HashSet<u64>,
    /// Runs by level; a level holds fewer than [`FAN_IN`].
    levels: Vec<Vec<Run>>,
}

impl Sparse {
    /// Adds an id; returns false if it is in the set.
    pub(super) fn insert(&mut self, id: u64) -> io::Result<bool> {
        if self.filter.insert(id) && self.contains(id)? {
            return Ok(false);
        }
        self.recent.insert(id);
        if self.recent.len() >= RECENT {
            self.spill()?;
        }
        Ok(true)
    }

    fn contains(&self, id: u64) -> io::Result<bool> {
        if self.recent.contains(&id) {
            return Ok(true);
        }
        // The first run that has the id or cannot be read.
        let mut found = self.levels.iter().flatten().map(|run| run.contains(id));
        found.find(|found| !matches!(found, Ok(false))).unwrap_or(Ok(false))
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut ids: Vec<u64> = self.recent.drain().collect();
        ids.sort_unstable();
        let mut run = Run::write(ids.into_iter().map(Ok))?;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let runs = &mut self.levels[level];
            runs.push(run);
            if runs.len() < FAN_IN {
                break;
            }
            run = merge(std::mem::take(runs))?;
        }
        Ok(())
    }
}

/// Ascending ids in a file without a name.
struct Run {
    file: File,
    length: usize,
    /// The first id of every [`FENCE`] ids.
    fences: Vec<u64>,
}

impl Run {
    fn write(ids: impl Iterator<Item = io::Result<u64>>) -> io::Result<Self> {
        let mut out = BufWriter::new(tempfile::tempfile()?);
        let (mut length, mut fences) = (0, Vec::new());
        for id in ids {
            let id = id?;
            if length % FENCE == 0 {
                fences.push(id);
            }
            length += 1;
            out.write_all(&id.to_le_bytes())?;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Self { file, length, fences })
    }

    fn contains(&self, id: u64) -> io::Result<bool> {
        let Some(fence) = self.fences.partition_point(|first| *first <= id).checked_sub(1) else {
            return Ok(false);
        };
        let mut bytes = [0; FENCE * 8];
        let count = FENCE.min(self.length - fence * FENCE);
        let bytes = &mut bytes[..count * 8];
        self.file.read_exact_at(bytes, (fence * FENCE * 8) as u64)?;
        let wanted = id.to_le_bytes();
        Ok(bytes.chunks_exact(8).any(|stored| stored == wanted))
    }

    fn into_ids(mut self) -> io::Result<impl Iterator<Item = io::Result<u64>>> {
        self.file.rewind()?;
        let mut input = BufReader::new(self.file);
        Ok((0..self.length).map(move |_| {
            let mut bytes = [0; 8];
            input.read_exact(&mut bytes).map(|()| u64::from_le_bytes(bytes))
        }))
    }
}

fn merge(runs: Vec<Run>) -> io::Result<Run> {
    let mut inputs = Vec::new();
    for run in runs {
        inputs.push(run.into_ids()?.peekable());
    }
    Run::write(std::iter::from_fn(move || {
        // An error counts as smallest, so that it is passed on at once.
        let smallest = inputs
            .iter_mut()
            .enumerate()
            .filter_map(|(at, input)| input.peek().map(|id| (id.as_ref().map_or(0, |id| *id), at)))
            .min()?;
        inputs[smallest.1].next()
    }))
}

/// A Bloom filter with three bits per id. With ten million ids, one in a hundred new ones has to be looked up, with thirty million one in
/// nine.
struct Bloom(Vec<u64>);

impl Default for Bloom {
    fn default() -> Self {
        Self(vec![0; Self::WORDS])
    }
}

impl Bloom {
    /// 16 MiB.
    const WORDS: usize = (16 << 20) / 8;

    /// Adds an id; returns true if it may be there already.
    fn insert(&mut self, id: u64) -> bool {
        let hash = mixed(id);
        let mut seen = true;
        for part in 0..3 {
            #[expect(clippy::cast_possible_truncation, reason = "the bits that are wanted")]
            let bit = hash.rotate_left(21 * part) as usize % (Self::WORDS * 64);
            let mask = 1 << (bit % 64);
            seen &= self.0[bit / 64] & mask != 0;
            self.0[bit / 64] |= mask;
        }
        seen
    }
}

/// Spreads an id over all 64 bits (the finaliser of `SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>).
const fn mixed(id: u64) -> u64 {
    let id = (id ^ (id >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let id = (id ^ (id >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    id ^ (id >> 31)
}
