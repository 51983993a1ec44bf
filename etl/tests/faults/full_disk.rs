//! The disk of the database is full: a small file system of the test, which only root can mount.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;

use crate::fixture::{Dataset, Fixture};
use crate::reaper::Reaper;
use crate::server::{Server, give_away};

#[tokio::test]
async fn is_named_and_leaves_the_old_data() {
    with_a_full_disk(async |fixture| {
        fixture
            .change(&format!("ALTER DATABASE {} SET default_tablespace = small", fixture.database()))
            .await;
        fixture.with_two_datasets(10_000).await.1
    })
    .await;
}

/// There is room for the cases, but not for their aggregates.
#[tokio::test]
async fn counts_without_room_leave_the_old_data() {
    with_a_full_disk(async |fixture| {
        let (_, new) = fixture.with_two_datasets(10_000).await;
        fixture.change("ALTER TABLE case_count SET TABLESPACE small").await;
        new
    })
    .await;
}

/// `prepare` writes to the small disk, which is then filled, and returns the dataset to load.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
async fn with_a_full_disk(prepare: impl AsyncFnOnce(&Fixture) -> Dataset) {
    let server = Server::start();
    let Some(disk) = Disk::mount(server.new_folder("disk"), "16m") else {
        println!("skipped: a small file system can only be mounted by root");
        return;
    };
    let fixture = Fixture::on(&server.url()).await;
    let tables = disk.folder.join("tables");
    std::fs::create_dir(&tables).unwrap();
    give_away(&tables);
    // The log of the server and its journal stay where there is room.
    fixture.change(&format!("CREATE TABLESPACE small LOCATION '{}'", tables.display())).await;
    fixture.change("GRANT CREATE ON TABLESPACE small TO public").await;
    let new = prepare(&fixture).await;
    let old_data = fixture.seen().await;

    // Leaves less than the new rows need.
    let ballast = disk.folder.join("ballast");
    let free = disk.free();
    std::fs::write(&ballast, vec![0; usize::try_from(free - (256 << 10)).unwrap()]).unwrap();
    let run = fixture.start(&new, &[]);
    let run_id = run.id;
    let ended = run.end().await;
    ended.assert_explained("No space left on device");
    assert!(ended.said.contains("the disk of the database is full"), "{}", ended.said);
    assert_eq!(fixture.seen().await, old_data);
    assert_eq!(fixture.leftovers().await, ["release_case_2"], "for the next run to drop");

    std::fs::remove_file(ballast).unwrap();
    fixture.load(&new, &[]).await;
    assert_ne!(fixture.seen().await, old_data);
    assert_eq!(fixture.status(run_id).await.unwrap().0, "failed");
    fixture.clear_by_runs_of(&new).await;
}

/// A small file system.
struct Disk {
    folder: PathBuf,
    /// Unmounts the file system.
    _keeper: Reaper,
}

impl Disk {
    /// Returns `None` if this process may not mount.
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let options = format!("size={size},mode=0755");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output();
        if !mounted.unwrap().status.success() {
            return None;
        }
        let reaper = Reaper::new("umount --lazy \"$0\"", &[&folder.display().to_string()], |_| {});
        give_away(&folder);
        Some(Self { folder, _keeper: reaper })
    }

    /// Returns the free bytes.
    fn free(&self) -> u64 {
        free(&self.folder)
    }
}

fn free(folder: &Path) -> u64 {
    let said =
        Command::new("df").args(["--output=avail", "--block-size=1"]).arg(folder).output().unwrap().stdout;
    String::from_utf8(said).unwrap().lines().nth(1).unwrap().trim().parse().unwrap()
}
