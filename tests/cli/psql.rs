//! `psql` gets everything through its environment and a private file.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Target;

#[test]
fn psql_password_is_not_visible_to_other_users() {
    let target = Target::new();
    let up = target.ok(&["--verbose", "up"]);
    let file = target.data().join("pgpass");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let password = text.trim().rsplit(':').next().unwrap();
    assert!(password.len() >= 32);

    let commands = target.ok(&["psql", "--", "-Xc", "\\! ps -A -ww -o args=; env"]).out;
    assert!(commands.contains("PGPASSFILE="), "{commands}");
    let mut finished = [up.out, up.err, commands, target.ok(&["status"]).out].concat();
    for entry in std::fs::read_dir(target.data().join("logs")).unwrap() {
        finished += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    assert!(!finished.contains(password));
}

#[test]
fn psql_ignores_environment_of_user() {
    let target = Target::new();
    target.ok(&["up"]);
    let output = target
        .command(&["psql", "--", "-XAtc", "SELECT current_database()"])
        .env("PGHOSTADDR", "192.0.2.1")
        .env("PGDATABASE", "elsewhere")
        .env("PGPASSWORD", "wrong")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "covid19\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn psql_passes_on_exit_code_and_obeys_read_only() {
    let target = Target::new();
    target.ok(&["up"]);
    assert_eq!(target.call(&["psql", "--", "-Xc", "SELECT nonsense"]).code, Some(1));
    let finished = target.call(&["--read-only", "psql", "--", "-Xc", "CREATE TABLE t ()"]);
    assert!(finished.err.contains("read-only transaction"), "{}", finished.err);
    let escape = ["-c", "SET default_transaction_read_only = off", "-c", "CREATE TABLE public.t ()"];
    let finished = target.call(&[&["--read-only", "psql", "--", "-X"], &escape[..]].concat());
    assert!(finished.err.contains("permission denied"), "{}", finished.err);
    let user = target.call(&["--read-only", "psql", "--", "-XAtc", "SELECT session_user"]);
    assert_eq!(user.out, "covid19_reader\n");
}
