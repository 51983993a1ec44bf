//! What each step does, and what it has to show.

use std::path::Path;

use common::failure::{Context as _, Failure, Result};
use common::text::{count, thousands};
use etl::sample;
use object_store::path::Path as Key;
use serde_json::Value;
use target::Storage as _;

use super::super::confirm::confirm;
use super::transcript::Transcript;
use crate::cli::{Selftest, SelftestStep};
use crate::settings::Settings;
use aws::{Aws, SELFTEST_TAG};

/// A second sample is larger, as a new release of the line list is.
const GROWTH_PERCENT: u64 = 2;

/// The share of rows with a defect.
const DIRTY: f64 = 0.01;

pub(super) struct Steps<'a> {
    pub(super) args: &'a Selftest,
    pub(super) settings: &'a Settings,
    pub(super) aws: &'a Aws,
    pub(super) started_at: &'a str,
    pub(super) transcript: Transcript<'a>,
}

impl Steps<'_> {
    /// Takes a step; returns what it showed.
    pub(super) async fn take(&mut self, step: SelftestStep) -> Result<String> {
        match step {
            SelftestStep::Deploy => self.up(None).await,
            SelftestStep::Database => {
                self.transcript.covidctl(&["db", "init"]).await?;
                Ok("schema and roles are there".to_owned())
            }
            SelftestStep::Release => self.release().await,
            SelftestStep::Run => self.run().await,
            SelftestStep::Logs => self.logs().await,
            SelftestStep::Tunnel => self.tunnel().await,
            SelftestStep::Report => self.report().await,
            SelftestStep::Rollback => self.roll_back().await,
            SelftestStep::CleanUp => self.clean_up().await,
        }
    }

    async fn up(&mut self, release: Option<&str>) -> Result<String> {
        let mut words = vec![
            "up".to_owned(),
            "--yes".to_owned(),
            "--tag".to_owned(),
            format!("{SELFTEST_TAG}={}", self.started_at),
        ];
        for (name, value) in &self.args.parameter {
            words.extend(["--parameter".to_owned(), format!("{name}={value}")]);
        }
        if let Some(folder) = &self.args.templates {
            words.extend(["--templates".to_owned(), folder.display().to_string()]);
        }
        if let Some(release) = release {
            words.extend(["--release".to_owned(), release.to_owned()]);
        }
        self.transcript.covidctl(&words).await?;
        let existing = self.aws.existing_stacks().await?;
        let names: Vec<&str> = existing.iter().map(|stack| stack.name).collect();
        require(!names.is_empty(), || "no stack was created".to_owned())?;
        Ok(format!("{}: {}", count(names.len(), "stack"), names.join(", ")))
    }

    async fn release(&mut self) -> Result<String> {
        let release = self.args.release.as_deref().unwrap_or_default();
        if let Some(line) = &self.args.publish {
            self.transcript.shell(line, &[("RELEASE", release)]).await?;
        } else {
            let question = format!(
                "Is the release {release} published to the registry of this account? Step 3 of docs/guides/deploy.md does that."
            );
            confirm(&question, self.settings).await?;
        }
        self.up(Some(release)).await
    }

    async fn run(&mut self) -> Result<String> {
        let rows = self.args.rows;
        let mut loaded = Vec::new();
        for (seed, rows) in [(1, rows), (2, rows + rows * GROWTH_PERCENT / 100)] {
            self.store_sample(seed, rows).await?;
            let run = self.transcript.json(&["run", "etl", "--years", "all"]).await?;
            let rows = run[0]["rows_loaded"].as_i64();
            let rows = rows.filter(|rows| *rows > 0);
            loaded.push(rows.ok_or_else(|| Failure::new(format!("the load reports no rows: {run}")))?);
        }
        let rows: Vec<String> = loaded.into_iter().map(thousands).collect();
        Ok(format!("two loads of {} rows", rows.join(" and ")))
    }

    /// Replaces the datasets in the bucket of the self-test by a sample.
    async fn store_sample(&self, seed: u64, rows: u64) -> Result<()> {
        let folder = tempfile::tempdir().context(|| "cannot create a temporary directory")?;
        let options = sample::Options { rows, seed, dirty: DIRTY, doses: 0, out: folder.path().to_owned() };
        sample::write(&options, &|_| {})?;
        let store = self.aws.datasets().await?;
        for file in files(folder.path())? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let content = std::fs::read(&file).context(|| format!("cannot read `{}`", file.display()))?;
            store.put(&Key::from(name), content).await?;
        }
        Ok(())
    }

    async fn logs(&mut self) -> Result<String> {
        let text = self.transcript.covidctl(&["logs", "--run", "latest", "--output", "raw"]).await?;
        let last = text.lines().last().unwrap_or_default();
        require(last.contains("succeeded") || last.contains("written"), || {
            format!("the last line of the log is `{last}`")
        })?;
        Ok(format!("{}, with the last one", count(text.lines().count(), "line")))
    }

    async fn tunnel(&mut self) -> Result<String> {
        self.transcript.covidctl(&["tunnel", "exec", "master", "--", "true"]).await?;
        let releases = self.releases().await?;
        Ok(format!("{} read through the bastion", count(releases.len(), "release")))
    }

    async fn releases(&mut self) -> Result<Vec<Value>> {
        let releases = self.transcript.json(&["releases"]).await?;
        Ok(releases.as_array().cloned().unwrap_or_default())
    }

    async fn report(&mut self) -> Result<String> {
        self.transcript.covidctl(&["run", "report"]).await?;
        let report = self.transcript.json(&["reports", "show"]).await?;
        let text = report["text"].as_str().unwrap_or_default();
        require(!text.is_empty(), || "the latest report has no text".to_owned())?;
        Ok(format!("a report of {}", count(text.lines().count(), "line")))
    }

    async fn roll_back(&mut self) -> Result<String> {
        let before = published(&self.releases().await?);
        self.transcript.covidctl(&["releases", "rollback", "--yes"]).await?;
        let after = published(&self.releases().await?);
        match (before, after) {
            (Some(before), Some(after)) if after < before => {
                Ok(format!("release {after} is published in place of {before}"))
            }
            _ => Err(Failure::new(format!("release {after:?} is published after {before:?}"))),
        }
    }

    async fn clean_up(&mut self) -> Result<String> {
        self.transcript.covidctl(&["down", "--delete-data", "--yes"]).await?;
        let left = self.aws.existing_stacks().await?;
        let names: Vec<&str> = left.iter().map(|stack| stack.name).collect();
        require(names.is_empty(), || format!("the stacks {} are still there", names.join(", ")))?;
        Ok("no stack is left".to_owned())
    }
}

fn published(releases: &[Value]) -> Option<i64> {
    releases.iter().find(|release| release["state"] == "published")?["release_id"].as_i64()
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = std::fs::read_dir(folder).context(|| format!("cannot list `{}`", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Failure::new(otherwise())) }
}
