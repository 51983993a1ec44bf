//! `etl report` killed with SIGKILL at every step: the pointer always names a whole report.
//!
//! `REPORT_KILLS` sets the number of kills; the default is 30.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::env;
use etl::report::{Pointer, QUESTIONS};
use serde_json::Value;
use uuid::Uuid;

use crate::fixture::{Fixture, file_names};

const SEED: u64 = 20_220_605;

/// Limits the wait for a step of the report.
const STEP_TIMEOUT: Duration = Duration::from_mins(2);

/// The files of the old copy, which every run deletes.
const OLD_COPY: [&str; 4] = ["report.txt", "report.html", "report.json", "last_update.csv"];

#[tokio::test]
async fn killed_report_leaves_pointer_on_whole_report() {
    let fixture = Fixture::sampled(1_000, 5).await;
    let mut before = finish(&fixture).await;
    let steps = Run::steps_of_whole_report();
    let (mut random, mut killed, mut moved) = (Random(SEED), 0, 0);
    let kills = kills();
    for nth in 0..kills {
        restore_old_copy(&fixture);
        // Every fourth kill is close to the write of the pointer.
        let first = if nth % 4 == 0 { steps - 6 } else { 0 };
        let step = first + random.below(steps + 1 - first);
        let delay = Duration::from_micros(random.below(1_500));
        let mut run = Run::start(&fixture);
        let reached = run.wait_for_step(step);
        let started = Instant::now();
        while started.elapsed() < delay {
            std::hint::spin_loop();
        }
        killed += u64::from(run.kill());
        let pointer = assert_whole(&fixture).await;
        let at = format!("kill {nth}, step {step}, reached {reached}");
        assert!([before.run_id, run.id].contains(&pointer.run_id), "{at}: {pointer:?}");
        moved += u64::from(pointer.run_id == run.id);
        before = pointer;
    }
    println!("{kills} runs of {steps} steps: {killed} killed, {moved} after their pointer");
    assert!(killed > kills / 2, "{killed} of {kills} runs were killed");

    let last = finish(&fixture).await;
    assert_ne!(last, before);
    // A run that is killed after the last file of the copy leaves an empty folder.
    assert_eq!(std::fs::read_dir(fixture.path("reports/latest")).into_iter().flatten().count(), 0);
}

#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
fn kills() -> u64 {
    std::env::var("REPORT_KILLS").map_or(30, |kills| kills.parse().unwrap())
}

/// Runs a report to its end and returns the pointer, which names it.
async fn finish(fixture: &Fixture) -> Pointer {
    let mut run = Run::start(fixture);
    let output = run.child.wait().unwrap();
    assert!(output.success(), "{output}");
    let pointer = assert_whole(fixture).await;
    assert_eq!(pointer.run_id, run.id);
    pointer
}

/// Checks that the pointer names a whole report; returns the pointer.
async fn assert_whole(fixture: &Fixture) -> Pointer {
    let pointer = Pointer::read(&fixture.store).await.unwrap().expect("no pointer");
    let folder = format!("reports/{}", pointer.folder);
    assert_eq!(fixture.names(&folder), file_names());
    let document: Value = serde_json::from_str(&fixture.read(&format!("{folder}/report.json"))).unwrap();
    assert_eq!(document["run_id"], pointer.run_id.to_string());
    let questions = document["questions"].as_array().unwrap();
    assert_eq!(questions.len(), QUESTIONS.len());
    for question in questions {
        let name = question["name"].as_str().unwrap();
        let mut reader = csv::Reader::from_path(fixture.path(&format!("{folder}/{name}.csv"))).unwrap();
        let rows = reader.records().map(Result::unwrap).count();
        assert_eq!(rows, question["rows"].as_array().unwrap().len(), "{name}");
    }
    assert!(fixture.read(&format!("{folder}/report.html")).ends_with("</html>\n"));
    assert!(fixture.read(&format!("{folder}/report.txt")).lines().count() > 100);
    pointer
}

fn restore_old_copy(fixture: &Fixture) {
    let copy = fixture.path("reports/latest");
    std::fs::create_dir_all(&copy).unwrap();
    for name in OLD_COPY {
        std::fs::write(copy.join(name), "an old report").unwrap();
    }
}

/// A process of `etl report`.
struct Run {
    id: Uuid,
    child: Child,
    root: PathBuf,
}

impl Run {
    fn start(fixture: &Fixture) -> Self {
        let id = Uuid::new_v4();
        let child = Command::new(env!("CARGO_BIN_EXE_etl"))
            .arg("report")
            .env_clear()
            .env(env::DATABASE_URL, fixture.database.url())
            .env(env::REPORTS_URL, format!("file://{}", fixture.folder.path().display()))
            .env(env::RUN_ID, id.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { id, child, root: fixture.folder.path().to_owned() }
    }

    /// Returns the number of steps: the record, two for each file (begun and whole), the pointer, and each file of the old copy.
    fn steps_of_whole_report() -> u64 {
        (1 + 2 * file_names().len() + 1 + OLD_COPY.len()) as u64
    }

    /// Counts the steps so far by the files in the store.
    fn steps(&self) -> u64 {
        let names = |folder: &str| -> Vec<String> {
            let entries = std::fs::read_dir(self.root.join(folder)).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let run = self.id.to_string();
        let recorded = self.root.join(format!("runs/{run}.json")).exists();
        let folder = names("reports").into_iter().find(|name| name.ends_with(&run));
        let written: usize = folder.map_or(0, |folder| {
            let files = names(&format!("reports/{folder}"));
            files.iter().map(|name| if name.contains('#') { 1 } else { 2 }).sum()
        });
        let pointer = std::fs::read_to_string(self.root.join("reports/latest.json")).unwrap();
        let deleted =
            if pointer.contains(&run) { 1 + OLD_COPY.len() - names("reports/latest").len() } else { 0 };
        (usize::from(recorded) + written + deleted) as u64
    }

    /// Waits until the run reaches a step or ends; returns the number of steps.
    fn wait_for_step(&mut self, step: u64) -> u64 {
        let started = Instant::now();
        loop {
            let steps = self.steps();
            if steps >= step || self.child.try_wait().unwrap().is_some() {
                return steps;
            }
            assert!(started.elapsed() < STEP_TIMEOUT, "the report is stuck at step {steps}");
            std::thread::yield_now();
        }
    }

    /// Kills the process and waits for its end; returns whether it was alive.
    fn kill(&mut self) -> bool {
        self.child.kill().unwrap();
        self.child.wait().unwrap().code().is_none()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A deterministic generator (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}
