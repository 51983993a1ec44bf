//! Multipart uploads into the store. The object appears when the upload is complete; until then readers see the old one.
//!
//! One part is uploaded while the next one is collected. In S3 an upload outlives its process: [`Upload::pause`] returns what another
//! process needs to resume. In a folder it does not.

use std::sync::Arc;

use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::store::{Store, refused};
use common::failure::{Context as _, Failure, Result};

/// The size of a part. A download holds two in memory: one being collected, one being uploaded. S3 allows 10,000 parts: 80 GB.
pub const PART_BYTES: usize = 8 << 20;

/// An upload that another process can resume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedUpload {
    id: String,
    parts: Vec<String>,
}

impl PausedUpload {
    #[cfg(test)]
    pub(super) fn new(id: String, parts: Vec<String>) -> Self {
        Self { id, parts }
    }

    pub fn size(&self) -> u64 {
        (self.parts.len() * PART_BYTES) as u64
    }
}

pub(super) struct Upload {
    store: Store,
    key: Key,
    sink: Option<Sink>,
    parts: Vec<PartId>,
    in_flight: Option<JoinHandle<object_store::Result<Option<PartId>>>>,
}

enum Sink {
    Folder(Box<dyn MultipartUpload>),
    Parts { store: Arc<dyn MultipartStore>, id: String },
}

impl Upload {
    pub(super) fn new(store: &Store, key: &Key) -> Self {
        Self { store: store.clone(), key: key.clone(), sink: None, parts: Vec::new(), in_flight: None }
    }

    pub(super) fn resume(store: &Store, key: &Key, paused: PausedUpload) -> Self {
        let mut upload = Self::new(store, key);
        upload.sink = store.parts().map(|store| Sink::Parts { store: Arc::clone(store), id: paused.id });
        upload.parts = paused.parts.into_iter().map(|content_id| PartId { content_id }).collect();
        upload
    }

    /// Starts to upload the next part once the previous one is complete.
    pub(super) async fn put(&mut self, part: Vec<u8>) -> Result<()> {
        self.complete_part().await?;
        if self.sink.is_none() {
            self.sink = Some(self.begin().await.map_err(|error| self.failed(error))?);
        }
        let number = self.parts.len();
        match &mut self.sink {
            Some(Sink::Folder(upload)) => {
                let written = upload.put_part(part.into());
                self.in_flight = Some(tokio::spawn(async move { written.await.map(|()| None) }));
            }
            Some(Sink::Parts { store, id }) => {
                let (store, id, key) = (Arc::clone(store), id.clone(), self.key.clone());
                self.in_flight = Some(tokio::spawn(async move {
                    store.put_part(&key, &id, number, part.into()).await.map(Some)
                }));
            }
            None => {}
        }
        Ok(())
    }

    async fn begin(&self) -> object_store::Result<Sink> {
        Ok(match self.store.parts() {
            Some(store) => {
                Sink::Parts { store: Arc::clone(store), id: store.create_multipart(&self.key).await? }
            }
            None => Sink::Folder(self.store.objects().put_multipart(&self.key).await?),
        })
    }

    async fn complete_part(&mut self) -> Result<()> {
        let Some(in_flight) = self.in_flight.take() else { return Ok(()) };
        let part = in_flight.await.context(|| "an upload task failed".to_owned())?;
        self.parts.extend(part.map_err(|error| self.failed(error))?);
        Ok(())
    }

    /// Uploads the last part, which may be empty, and replaces the object.
    pub(super) async fn finish(&mut self, last: Vec<u8>) -> Result<()> {
        if self.sink.is_none() {
            return self.store.put(&self.key, last).await;
        }
        if !last.is_empty() {
            self.put(last).await?;
        }
        self.complete_part().await?;
        let done = match self.sink.as_mut() {
            Some(Sink::Folder(upload)) => upload.complete().await.map(drop),
            Some(Sink::Parts { store, id }) => {
                store.complete_multipart(&self.key, id, self.parts.clone()).await.map(drop)
            }
            None => Ok(()),
        };
        done.map_err(|error| self.failed(error))?;
        self.sink = None;
        Ok(())
    }

    /// Returns what another process needs to resume, if the store supports that. The last part is dropped, so that the next process sees
    /// enough of the file before its end to validate it.
    pub(super) async fn pause(&mut self) -> Result<Option<PausedUpload>> {
        self.complete_part().await?;
        self.parts.pop();
        match self.sink.take() {
            Some(Sink::Parts { id, .. }) if !self.parts.is_empty() => Ok(Some(PausedUpload {
                id,
                parts: self.parts.drain(..).map(|part| part.content_id).collect(),
            })),
            sink => {
                self.sink = sink;
                self.abort().await;
                Ok(None)
            }
        }
    }

    /// Deletes the parts; if that fails, the bucket's lifecycle rule deletes them.
    pub(super) async fn abort(&mut self) {
        if let Some(in_flight) = self.in_flight.take() {
            in_flight.abort();
        }
        self.parts.clear();
        let aborted = match self.sink.take() {
            Some(Sink::Folder(mut upload)) => upload.abort().await,
            Some(Sink::Parts { store, id }) => store.abort_multipart(&self.key, &id).await,
            None => Ok(()),
        };
        if let Err(error) = aborted {
            tracing::warn!(%error, "the parts of an unfinished upload were not deleted");
        }
    }

    fn failed(&self, error: object_store::Error) -> Failure {
        refused(format!("cannot write `{}`", self.store.url_of(&self.key)), error)
            .hint("check that the store exists, has free space and is writable; its object is unchanged")
    }
}
