//! The log files of runs as log sources, like CloudWatch's log groups on AWS.
//!
//! A source consists of the files of all runs of its jobs; each file is a stream. A file is read on from its last position, so that a line
//! is returned once, whatever its time. An incomplete line waits for its end, unless its writer has ended; a very long one is returned in pieces.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Context as _, Result};

use super::layout::{Layout, cannot_read, found};
use super::{run_history, run_processes};
use logs::{Event, FilterPattern, Millis, PageRequest, PageResponse, Record, SERVER_SOURCE, Source};
use target::JobKind;
use target::covid19::{LOG_SOURCES, SERVER_LOG_GROUP};

/// Bytes of a file that are read at once, and the longest message.
const CHUNK_SIZE: u64 = 4 << 20;

/// Returns the source of a job; `etl` has the jobs of its image, except reports.
fn source_of(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::Report => "report",
        JobKind::Download => "lambda",
        _ => "etl",
    }
}

/// Returns all sources, or only that of one run with only its file.
pub(super) fn sources(layout: &Layout, run: Option<&str>) -> Vec<Arc<dyn Source>> {
    let only = run.map(|run| (run.to_owned(), source_of(&run_history::kind(layout, run))));
    // There is no local Metabase, so its source is empty.
    let wanted = LOG_SOURCES.iter().filter(|(name, _)| only.as_ref().is_none_or(|(_, of)| of == name));
    let source = |(name, group): &(&'static str, &'static str)| {
        let only = only.as_ref().map(|(run, _)| run.clone());
        let files = LogFiles { layout: layout.clone(), name, group, only, progress: Arc::default() };
        Arc::new(files) as Arc<dyn Source>
    };
    let server = run
        .is_none()
        .then(|| Arc::new(ServerLog { layout: layout.clone(), progress: Arc::default() }) as Arc<dyn Source>);
    wanted.map(source).chain(server).collect()
}

#[derive(Clone)]
struct LogFiles {
    layout: Layout,
    name: &'static str,
    group: &'static str,
    only: Option<String>,
    progress: Arc<Mutex<ReadProgress>>,
}

#[derive(Default)]
struct ReadProgress {
    /// Start of the first window.
    since: Option<Millis>,
    files: HashMap<String, FileState>,
    pages: u64,
}

#[derive(Default)]
struct FileState {
    /// Whether the file belongs to this source.
    belongs: bool,
    position: u64,
    /// The time of the last line with a timestamp.
    time: Option<Millis>,
}

#[async_trait]
impl Source for LogFiles {
    fn name(&self) -> &str {
        self.name
    }

    async fn page(&self, request: &PageRequest) -> Result<PageResponse> {
        let (files, request) = (self.clone(), request.clone());
        let page = tokio::task::spawn_blocking(move || files.next_page(&request));
        page.await.context(|| "cannot read the logs")?
    }
}

impl LogFiles {
    fn next_page(&self, request: &PageRequest) -> Result<PageResponse> {
        let pattern = request.pattern.as_deref().map(FilterPattern::parse).transpose()?;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *progress.since.get_or_insert(request.from);
        let (mut events, mut complete_until, mut found) = (Vec::new(), None, false);
        for run in run_history::logged(&self.layout)? {
            if self.only.as_ref().is_some_and(|only| *only != run) {
                continue;
            }
            let state = progress.files.entry(run.clone()).or_insert_with(|| FileState {
                belongs: source_of(&run_history::kind(&self.layout, &run)) == self.name,
                position: 0,
                time: None,
            });
            if !state.belongs {
                continue;
            }
            found = true;
            if self.read(&run, state, since, request.last, &mut events)? {
                // Lines of a file are almost in order.
                let time = state.time.unwrap_or(Millis::MIN);
                complete_until = Some(complete_until.map_or(time, |earliest: Millis| earliest.min(time)));
            }
        }
        if !found {
            return Ok(PageResponse::Missing);
        }
        events.retain(|event| pattern.as_ref().is_none_or(|pattern| pattern.matches(&event.message)));
        progress.pages += 1;
        Ok(PageResponse::Page {
            events,
            next: complete_until.map(|_| progress.pages.to_string()),
            complete_until,
        })
    }

    /// Reads the next chunk of a file; returns whether there is more.
    fn read(
        &self,
        run: &str,
        state: &mut FileState,
        since: Millis,
        last: bool,
        events: &mut Vec<Event>,
    ) -> Result<bool> {
        let path = self.layout.log_file(run);
        let file = LogFile { path: &path, group: self.group, stream: run };
        // Checked before reading: a writer that has ended by now has written everything.
        let complete = last && !self.has_writer(run);
        let started = || run_history::started(&self.layout, run);
        file.read(state, since, complete, started, events)
    }

    /// Returns whether the run is in progress.
    fn has_writer(&self, run: &str) -> bool {
        run.parse()
            .is_ok_and(|run| run_processes::find(&self.layout, run).is_ok_and(|process| process.is_some()))
    }
}

/// The log of the private server, which PostgreSQL writes.
#[derive(Clone)]
struct ServerLog {
    layout: Layout,
    progress: Arc<Mutex<(Option<Millis>, FileState)>>,
}

#[async_trait]
impl Source for ServerLog {
    fn name(&self) -> &str {
        SERVER_SOURCE
    }

    async fn page(&self, request: &PageRequest) -> Result<PageResponse> {
        let (log, request) = (self.clone(), request.clone());
        let page = tokio::task::spawn_blocking(move || log.next_page(&request));
        page.await.context(|| "cannot read the server's log")?
    }
}

impl ServerLog {
    fn next_page(&self, request: &PageRequest) -> Result<PageResponse> {
        let pattern = request.pattern.as_deref().map(FilterPattern::parse).transpose()?;
        let path = &self.layout.server_log;
        if !path.exists() {
            return Ok(PageResponse::Missing);
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, state) = &mut *progress;
        let since = *since.get_or_insert(request.from);
        let mut events = Vec::new();
        let file = LogFile { path, group: SERVER_LOG_GROUP, stream: "postgresql.log" };
        let more = file.read(state, since, request.last, || None, &mut events)?;
        events.retain(|event| pattern.as_ref().is_none_or(|pattern| pattern.matches(&event.message)));
        let complete_until = more.then(|| state.time.unwrap_or(Millis::MIN));
        Ok(PageResponse::Page { events, next: more.then(|| state.position.to_string()), complete_until })
    }
}

/// A file that only grows.
struct LogFile<'a> {
    path: &'a Path,
    group: &'a str,
    stream: &'a str,
}

impl LogFile<'_> {
    /// Reads the next chunk; returns whether there is more. `started` is the time of lines before the first one with a time.
    fn read(
        &self,
        state: &mut FileState,
        since: Millis,
        complete: bool,
        started: impl Fn() -> Option<Millis>,
        events: &mut Vec<Event>,
    ) -> Result<bool> {
        let Some(mut file) = found(File::open(self.path)).context(cannot_read(self.path))? else {
            return Ok(false);
        };
        let metadata = file.metadata().context(cannot_read(self.path))?;
        let modified =
            metadata.modified().map_or_else(|_| Utc::now(), DateTime::<Utc>::from).timestamp_millis();
        if metadata.len() <= state.position || state.position == 0 && modified < since {
            return Ok(false);
        }
        let content = chunk(&mut file, state.position).context(cannot_read(self.path))?;
        let end = state.position + content.len() as u64;
        let more = end < metadata.len();
        let whole = whole(&content, complete && !more);
        for line in content[..whole].split_inclusive(|byte| *byte == b'\n') {
            let offset = state.position;
            state.position += line.len() as u64;
            let message = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            if message.is_empty() {
                continue;
            }
            let time = Record::new(&message).time().or(state.time);
            let time = time.unwrap_or_else(|| started().unwrap_or(modified));
            state.time = Some(time);
            if time >= since {
                events.push(Event {
                    time,
                    ingested: time,
                    group: self.group.to_owned(),
                    stream: self.stream.to_owned(),
                    event_id: format!("{}:{offset}", self.stream),
                    message,
                });
            }
        }
        Ok(more)
    }
}

/// Reads the next chunk of a file.
fn chunk(file: &mut File, position: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(position))?;
    let mut content = Vec::new();
    file.take(CHUNK_SIZE).read_to_end(&mut content)?;
    Ok(content)
}

/// Returns the length of a chunk that consists of whole lines, or of a piece of a line that is longer than a chunk. The rest is read again.
fn whole(content: &[u8], is_complete: bool) -> usize {
    if is_complete {
        return content.len();
    }
    match content.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => last + 1,
        None if content.len() as u64 == CHUNK_SIZE => {
            // Not inside a character: its continuation bytes begin with 10.
            let last = content.iter().rposition(|byte| byte & 0xC0 != 0x80);
            last.filter(|start| *start > content.len() - 4).unwrap_or(content.len())
        }
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_longer_than_a_chunk_is_read_in_pieces() {
        let mut file = tempfile::tempfile().unwrap();
        let text = format!("a{}\nend", "ñ".repeat(5 << 20));
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let (mut pieces, mut position) = (Vec::new(), 0);
        while position < text.len() as u64 {
            let content = chunk(&mut file, position).unwrap();
            assert!(content.len() as u64 <= CHUNK_SIZE);
            let length = whole(&content, position + content.len() as u64 == text.len() as u64);
            pieces.push(String::from_utf8(content[..length].to_vec()).unwrap());
            position += length as u64;
        }
        assert_eq!(pieces.concat(), text);
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn incomplete_line_waits_for_its_end() {
        assert_eq!(whole(b"one\ntw", false), 4);
        assert_eq!(whole(b"tw", false), 0);
        assert_eq!(whole(b"one\ntw", true), 6);
    }
}
