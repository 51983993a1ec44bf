//! The target on AWS, in the emulator, on its stacks, with real tasks, a real bastion and a real database.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use aws::{Aws, UpOptions};
use target::{DataRetention, Progress, Target};

use crate::local::{blocker, put_sample, settings};
use crate::support::cloud::{Cloud, STACK_WORDS};
use crate::support::ministack::Templates;

pub(crate) struct Stage {
    aws: Arc<Aws>,
    templates: Templates,
    cloud: Cloud,
}

impl Stage {
    /// The stacks are created by the program itself, because what is real stands in the place of some of their parts from then on.
    pub(crate) async fn new() -> Self {
        let templates = Templates::of("moto");
        let path = templates.path();
        let words = [&["up", "--yes", "--templates", &path][..], &STACK_WORDS].concat();
        let cloud = Cloud::build(2_000, Some(&words)).await;
        let words = cloud.words("aws");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Self { aws: Arc::new(Aws::new(&settings(&words).aws, Arc::new(|_| {}))), templates, cloud }
    }
}

#[async_trait(?Send)]
impl super::end_to_end::Stage for Stage {
    fn target(&self) -> Target {
        Target { bastion: Some(Arc::clone(&self.aws) as _), ..Target::of(Arc::clone(&self.aws)) }
    }

    async fn up(&self, _: Arc<dyn Progress>) {
        let path = self.templates.path();
        let parameters: Vec<(String, String)> = STACK_WORDS
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let options = UpOptions {
            parameters: &parameters,
            release: Some("v1"),
            templates: Some(Path::new(&path)),
            tags: &[],
        };
        let plan = self.aws.plan(options).await.unwrap();
        assert!(plan.steps.iter().all(|step| !step.is_work()), "all of it is there");
    }

    async fn down(&self, progress: Arc<dyn Progress>) {
        self.aws.remove(DataRetention::Keep, progress.as_ref()).await.unwrap();
    }

    async fn fill(&self) {
        // They are in the bucket already.
    }

    async fn fill_with_fewer_rows(&self) -> bool {
        let folder = tempfile::tempdir().unwrap();
        put_sample(&self.target(), &folder.path().join("sample"), 200, 2).await;
        true
    }

    async fn block(&self) -> Box<dyn Any + Send> {
        blocker(&self.cloud.database_url()).await
    }
}
