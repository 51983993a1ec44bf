//! A blocking reader of an object that prefetches ranges, so that round trips and decompression overlap.
//!
//! Every range request is conditional on the same version; if the object is replaced meanwhile, reading fails.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf as _, Bytes};
use object_store::path::Path as Key;
use object_store::{DynObjectStore, GetOptions, GetRange, ObjectStore as _};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// With the prefetched ranges, a reader holds at most 8 MiB.
const RANGE: u64 = 2 << 20;

/// The first range after a seek: searching an archive's directory needs a few small reads.
const FIRST_RANGE: u64 = 64 << 10;

/// The number of prefetched ranges.
const AHEAD: usize = 3;

/// Blocks on the runtime, so it must not run on one of its threads.
pub(super) struct Ranges {
    objects: Arc<DynObjectStore>,
    key: Key,
    size: u64,
    options: GetOptions,
    runtime: Handle,
    progress: Arc<AtomicU64>,
    /// The position of the next `read`.
    position: u64,
    current: Bytes,
    ahead: VecDeque<JoinHandle<object_store::Result<Bytes>>>,
    /// The start of the next range to request.
    next: u64,
    /// Whether nothing was read since the last seek.
    sought: bool,
}

impl Ranges {
    pub(super) fn new(
        objects: &Arc<DynObjectStore>,
        key: &Key,
        size: u64,
        options: GetOptions,
        runtime: &Handle,
        progress: &Arc<AtomicU64>,
    ) -> Self {
        Self {
            objects: Arc::clone(objects),
            key: key.clone(),
            size,
            options,
            runtime: runtime.clone(),
            progress: Arc::clone(progress),
            position: 0,
            current: Bytes::new(),
            ahead: VecDeque::new(),
            next: 0,
            sought: true,
        }
    }

    fn ask(&mut self, length: u64) {
        let range = self.next..(self.next + length).min(self.size);
        self.next = range.end;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..self.options.clone() };
        let (objects, key) = (Arc::clone(&self.objects), self.key.clone());
        self.ahead.push_back(
            self.runtime.spawn(async move { objects.get_opts(&key, options).await?.bytes().await }),
        );
    }

    /// Discards prefetched ranges; reading continues at `position`.
    fn restart(&mut self, position: u64) {
        self.ahead.drain(..).for_each(|range| range.abort());
        self.current.clear();
        self.position = position;
        self.next = position;
        self.sought = true;
    }
}

impl BufRead for Ranges {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() {
            let sought = std::mem::take(&mut self.sought);
            let (wanted, length) = if sought { (1, FIRST_RANGE) } else { (AHEAD, RANGE) };
            while self.next < self.size && self.ahead.len() < wanted {
                self.ask(length);
            }
            if let Some(range) = self.ahead.pop_front() {
                self.current =
                    self.runtime.block_on(range).map_err(io::Error::other)?.map_err(io::Error::other)?;
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        self.current.advance(count);
        self.position += count as u64;
        self.progress.store(self.position, Ordering::Relaxed);
    }
}

impl Read for Ranges {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Ranges {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = super::read::position_after(to, self.position, self.size)?;
        match position.checked_sub(self.position).and_then(|forward| usize::try_from(forward).ok()) {
            Some(forward) if forward <= self.current.len() => {
                self.current.advance(forward);
                self.position = position;
            }
            _ => self.restart(position),
        }
        Ok(position)
    }
}

impl Drop for Ranges {
    fn drop(&mut self) {
        self.restart(self.size);
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn is_a_file(steps in prop::collection::vec((any::<bool>(), 0_u64..9_000_000, 1_usize..3_000_000), 1..12)) {
            let content: Vec<u8> = (0..7_340_033_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
            let objects: Arc<DynObjectStore> = Arc::new(InMemory::new());
            let key = Key::from("x");
            runtime.block_on(objects.put(&key, content.clone().into())).unwrap();
            let mut file =
                Ranges::new(&objects, &key, content.len() as u64, GetOptions::default(), runtime.handle(), &Arc::default());
            let mut model = io::Cursor::new(&content);
            for (absolute, to, length) in steps {
                let to = if absolute { SeekFrom::Start(to) } else { SeekFrom::Current(to.cast_signed() / 3) };
                prop_assert_eq!(file.seek(to).unwrap(), model.seek(to).unwrap());
                let (mut ours, mut theirs) = (vec![0; length], vec![0; length]);
                let count = super::super::read::fill(&mut file, &mut ours).unwrap();
                prop_assert_eq!(count, super::super::read::fill(&mut model, &mut theirs).unwrap());
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
