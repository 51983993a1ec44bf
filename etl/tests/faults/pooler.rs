//! A load through `PgBouncer`.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use tokio::net::TcpStream;

use crate::fixture::Fixture;
use crate::server::{Server, as_server_user, give_away};
use crate::watch::until;

/// Ended when dropped.
struct PgBouncer {
    port: u16,
    child: Child,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    async fn start(fixture: &Fixture, mode: &str, ignored: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server = fixture.address().await;
        let settings = folder.path().join("pgbouncer.ini");
        let (host, server_port, user) = (server.ip(), server.port(), fixture.user());
        std::fs::write(
            &settings,
            format!(
                "[databases]\n* = host={host} port={server_port} user={user}\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
                 pool_mode = {mode}\nignore_startup_parameters = {ignored}\n"
            ),
        )
        .unwrap();
        give_away(folder.path());
        let mut command = Command::new("/usr/sbin/pgbouncer");
        command.arg("--quiet").arg(&settings).process_group(0).stdin(Stdio::null()).stderr(Stdio::null());
        as_server_user(&mut command);
        let child = command.spawn().unwrap();
        until("PgBouncer listens", async || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok())
            .await;
        Self { port, child, _folder: folder }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn transaction_mode_is_refused() {
    // Without passwords, which PgBouncer would have to know.
    let server = Server::start();
    let fixture = Fixture::on(&server.url()).await;
    let pooler = PgBouncer::start(&fixture, "transaction", "extra_float_digits").await;
    let run = fixture.start_through(pooler.port, &fixture.dataset(100, 1), &[]);
    let ended = run.end().await;
    ended.assert_explained("DATABASE_URL leads to a connection pooler in transaction mode");
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relname = 'pipeline_run'")
        .fetch_one(&mut fixture.connect().await)
        .await
        .unwrap();
    assert_eq!(tables, 0, "nothing was changed");
}

#[tokio::test]
async fn default_settings_are_refused_with_a_hint() {
    // Without passwords, which PgBouncer would have to know.
    let server = Server::start();
    let fixture = Fixture::on(&server.url()).await;
    let pooler = PgBouncer::start(&fixture, "transaction", "").await;
    let ended = fixture.start_through(pooler.port, &fixture.dataset(100, 1), &[]).end().await;
    ended.assert_explained("cannot connect to PostgreSQL");
    assert!(ended.said.contains("PgBouncer"), "{}", ended.said);
}

#[tokio::test]
async fn session_mode_loads() {
    // Without passwords, which PgBouncer would have to know.
    let server = Server::start();
    let fixture = Fixture::on(&server.url()).await;
    let pooler = PgBouncer::start(&fixture, "session", "extra_float_digits").await;
    let ended = fixture.start_through(pooler.port, &fixture.dataset(100, 1), &[]).end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(fixture.seen().await.rows > 0);
}
