//! The files of the runs' logs as sources of events, as CloudWatch's groups are on AWS.
//!
//! A source is the files of all runs of its kinds, each file a stream. What was given is not read again: each file is read on from
//! where the last look ended, so that a line appears once, whatever time it bears. A line without its end is half written and
//! waits, unless nobody is left to write the rest.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::failure::{Context as _, Result};
use serde::Deserialize;

use super::files::{Folders, cannot_read};
use super::{history, runs};
use logs::event::Millis;
use logs::pattern::Pattern;
use logs::{Ask, Event, Reply, Source};
use target::JobKind;

/// How much of a file is read at once.
const CHUNK: u64 = 4 << 20;

/// The sources and their groups, as they are called on AWS. Two of them never say anything here.
const SOURCES: [(&str, &str); 4] = [
    ("lambda", "/aws/lambda/covid19-download"),
    ("etl", "/ecs/covid19-etl"),
    ("report", "/ecs/covid19-report"),
    ("metabase", "/ecs/covid19-metabase"),
];

/// Where a run of this kind logs: `etl` has all that its image does, except reports.
const fn source_of(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Report => "report",
        JobKind::Download => "lambda",
        JobKind::Etl | JobKind::Rollback | JobKind::Migrate | JobKind::Sample => "etl",
    }
}

/// All sources, or the one of a run with only its file.
pub(super) fn sources(folders: &Folders, run: Option<&str>) -> Vec<Arc<dyn Source>> {
    let only = run.map(|run| (run.to_owned(), source_of(history::kind(folders, run))));
    let wanted = SOURCES.iter().filter(|(name, _)| only.as_ref().is_none_or(|(_, of)| of == name));
    let source = |(name, group): &(&'static str, &'static str)| {
        let only = only.as_ref().map(|(run, _)| run.clone());
        let files = Files { folders: folders.clone(), name, group, only, readings: Mutex::default() };
        Arc::new(LogFiles(Arc::new(files))) as Arc<dyn Source>
    };
    wanted.map(source).collect()
}

struct LogFiles(Arc<Files>);

struct Files {
    folders: Folders,
    name: &'static str,
    group: &'static str,
    only: Option<String>,
    readings: Mutex<Readings>,
}

#[derive(Default)]
struct Readings {
    /// The beginning of the first window.
    since: Option<Millis>,
    files: HashMap<String, Reading>,
    pages: u64,
}

/// How far a file has been read.
struct Reading {
    /// Whether it belongs to this source.
    ours: bool,
    position: u64,
    /// The time of the last line that had one.
    time: Option<Millis>,
}

#[derive(Deserialize)]
struct Stamp {
    #[serde(alias = "time")]
    timestamp: DateTime<Utc>,
}

#[async_trait]
impl Source for LogFiles {
    fn name(&self) -> &str {
        self.0.name
    }

    async fn page(&self, ask: &Ask) -> Result<Reply> {
        let (files, ask) = (Arc::clone(&self.0), ask.clone());
        let page = tokio::task::spawn_blocking(move || files.page(&ask));
        page.await.context(|| "cannot read the logs".to_owned())?
    }
}

impl Files {
    fn page(&self, ask: &Ask) -> Result<Reply> {
        let pattern = ask.pattern.as_deref().map(Pattern::parse).transpose()?;
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *readings.since.get_or_insert(ask.from);
        let (mut events, mut settled, mut found) = (Vec::new(), None, false);
        for run in history::logged(&self.folders)? {
            if self.only.as_ref().is_some_and(|only| *only != run) {
                continue;
            }
            let reading = readings.files.entry(run.clone()).or_insert_with(|| Reading {
                ours: source_of(history::kind(&self.folders, &run)) == self.name,
                position: 0,
                time: None,
            });
            if !reading.ours {
                continue;
            }
            found = true;
            if self.read(&run, reading, since, ask.last, &mut events)? {
                // Lines of a file are in order, or nearly so.
                let time = reading.time.unwrap_or(Millis::MIN);
                settled = Some(settled.map_or(time, |settled: Millis| settled.min(time)));
            }
        }
        if !found {
            return Ok(Reply::Missing);
        }
        events.retain(|event| pattern.as_ref().is_none_or(|pattern| pattern.matches(&event.message)));
        readings.pages += 1;
        Ok(Reply::Page { events, next: settled.map(|_| readings.pages.to_string()), settled })
    }

    /// Reads on in a file; whether there is more.
    fn read(
        &self,
        run: &str,
        reading: &mut Reading,
        since: Millis,
        last: bool,
        events: &mut Vec<Event>,
    ) -> Result<bool> {
        let path = self.folders.log_file(run);
        // Asked before reading: whoever is gone by now has written all that there will be.
        let complete = last && !self.is_written(run);
        let wrong = |error| cannot_read(&path, error);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(wrong)?,
        };
        let metadata = file.metadata().map_err(wrong)?;
        let modified =
            metadata.modified().map_or_else(|_| Utc::now(), DateTime::<Utc>::from).timestamp_millis();
        if metadata.len() <= reading.position || reading.position == 0 && modified < since {
            return Ok(false);
        }
        let content = chunk(&mut file, reading.position).map_err(wrong)?;
        let end = reading.position + content.len() as u64;
        let more = end < metadata.len();
        let whole = match content.iter().rposition(|byte| *byte == b'\n') {
            _ if complete && !more => content.len(),
            Some(last) => last + 1,
            None => 0,
        };
        for line in content[..whole].split_inclusive(|byte| *byte == b'\n') {
            let offset = reading.position;
            reading.position += line.len() as u64;
            let message = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            if message.is_empty() {
                continue;
            }
            let stamp =
                serde_json::from_str::<Stamp>(&message).ok().map(|stamp| stamp.timestamp.timestamp_millis());
            let time = stamp
                .or(reading.time)
                .unwrap_or_else(|| history::started(&self.folders, run).unwrap_or(modified));
            reading.time = Some(time);
            if time >= since {
                events.push(Event {
                    time,
                    ingested: time,
                    group: self.group.to_owned(),
                    stream: run.to_owned(),
                    event_id: format!("{run}:{offset}"),
                    message,
                });
            }
        }
        Ok(more)
    }

    /// Whether somebody may still write to it.
    fn is_written(&self, run: &str) -> bool {
        run.parse().is_ok_and(|run| runs::find(&self.folders, run).is_ok_and(|process| process.is_some()))
    }
}

/// The next piece of a file, with at least one whole line in it unless the file ends before.
fn chunk(file: &mut File, position: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(position))?;
    let mut content = Vec::new();
    loop {
        let read = file.by_ref().take(CHUNK).read_to_end(&mut content)?;
        if read == 0 || content.contains(&b'\n') {
            return Ok(content);
        }
    }
}

/// Whether a file in the folder of logs is a run's log, and of which run.
pub(super) fn run_of(file: &Path) -> Option<String> {
    let is_log = file.extension().is_some_and(|extension| extension == "jsonl");
    file.file_stem().filter(|_| is_log).and_then(|stem| stem.to_str()).map(str::to_owned)
}
