//! Parts on their way into the store. They become the object at once, at the end; until then readers see the old one.
//!
//! One part is under way while the next one is collected. In S3 an upload outlives its process: [`Upload::pause`] gives what another one
//! needs to go on. In a folder it does not, and need not: nobody has a deadline there.

use std::sync::Arc;

use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::PART;
use crate::store::{Store, refused};
use common::failure::{Context as _, Failure, Result};

/// An upload that somebody can go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    id: String,
    parts: Vec<String>,
}

impl Open {
    /// The bytes that it has.
    pub fn size(&self) -> u64 {
        (self.parts.len() * PART) as u64
    }
}

/// See the module.
pub(super) struct Upload {
    store: Store,
    key: Key,
    sink: Option<Sink>,
    parts: Vec<PartId>,
    under_way: Option<JoinHandle<object_store::Result<Option<PartId>>>>,
}

enum Sink {
    Folder(Box<dyn MultipartUpload>),
    Parts { store: Arc<dyn MultipartStore>, id: String },
}

impl Upload {
    /// Nothing is in the store before the first part is whole.
    pub(super) fn new(store: &Store, key: &Key) -> Self {
        Self { store: store.clone(), key: key.clone(), sink: None, parts: Vec::new(), under_way: None }
    }

    /// One that another process has begun.
    pub(super) fn resume(store: &Store, key: &Key, open: Open) -> Self {
        let mut upload = Self::new(store, key);
        upload.sink = store.parts().map(|store| Sink::Parts { store: Arc::clone(store), id: open.id });
        upload.parts = open.parts.into_iter().map(|content_id| PartId { content_id }).collect();
        upload
    }

    /// Takes the next part, when the one before has arrived.
    pub(super) async fn part(&mut self, part: Vec<u8>) -> Result<()> {
        self.arrived().await?;
        if self.sink.is_none() {
            self.sink = Some(self.begin().await?);
        }
        let number = self.parts.len();
        match &mut self.sink {
            Some(Sink::Folder(upload)) => {
                let written = upload.put_part(part.into());
                self.under_way = Some(tokio::spawn(async move { written.await.map(|()| None) }));
            }
            Some(Sink::Parts { store, id }) => {
                let (store, id, key) = (Arc::clone(store), id.clone(), self.key.clone());
                self.under_way = Some(tokio::spawn(async move {
                    store.put_part(&key, &id, number, part.into()).await.map(Some)
                }));
            }
            None => {}
        }
        Ok(())
    }

    async fn begin(&self) -> Result<Sink> {
        let begun = async {
            Ok::<_, object_store::Error>(match self.store.parts() {
                Some(store) => {
                    Sink::Parts { store: Arc::clone(store), id: store.create_multipart(&self.key).await? }
                }
                None => Sink::Folder(self.store.objects().put_multipart(&self.key).await?),
            })
        };
        begun.await.map_err(|error| self.failed(error))
    }

    async fn arrived(&mut self) -> Result<()> {
        let Some(under_way) = self.under_way.take() else { return Ok(()) };
        let part = under_way.await.context(|| "an upload ended before its time".to_owned())?;
        self.parts.extend(part.map_err(|error| self.failed(error))?);
        Ok(())
    }

    /// Takes the last part, which may be empty, and lets the whole take the old object's place.
    pub(super) async fn finish(&mut self, last: Vec<u8>) -> Result<()> {
        if self.sink.is_none() {
            return self.store.put(&self.key, last).await;
        }
        if !last.is_empty() {
            self.part(last).await?;
        }
        self.arrived().await?;
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

    /// Stops in the middle: what to go on with, if the store can keep it. The last part is not counted, so that whoever goes on sees the end
    /// of the file with enough before it to judge it.
    pub(super) async fn pause(&mut self) -> Result<Option<Open>> {
        self.arrived().await?;
        self.parts.pop();
        match self.sink.take() {
            Some(Sink::Parts { id, .. }) if !self.parts.is_empty() => {
                Ok(Some(Open { id, parts: self.parts.drain(..).map(|part| part.content_id).collect() }))
            }
            sink => {
                self.sink = sink;
                self.abort().await;
                Ok(None)
            }
        }
    }

    /// Deletes the parts. What cannot be deleted now, the bucket's lifecycle deletes.
    pub(super) async fn abort(&mut self) {
        if let Some(under_way) = self.under_way.take() {
            under_way.abort();
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
            .hint("check that the place exists, has room and may be written to; what is there stays")
    }
}
