//! The target on AWS, in the emulator, with real tasks, a real bastion and a real database.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use covidctl::backend::{self, Backend};

use crate::local::{reader, settings};
use crate::support::cloud::Cloud;

pub(crate) struct Stage {
    backend: Arc<dyn Backend>,
    cloud: Cloud,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let cloud = Cloud::deploy(2_000).await;
        let words = cloud.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Self { backend: backend::connect(&settings(&words)).unwrap(), cloud }
    }
}

#[async_trait]
impl super::story::Stage for Stage {
    fn backend(&self) -> &dyn Backend {
        self.backend.as_ref()
    }

    async fn fill(&self) {
        // They are in the bucket already.
    }

    async fn block(&self) -> Box<dyn Any + Send> {
        reader(&self.cloud.database_url()).await
    }
}
