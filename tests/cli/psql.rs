//! `psql` gets everything through its environment and a private file.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Target;

#[test]
fn the_password_is_nowhere_to_be_seen() {
    let target = Target::new();
    let up = target.ok(&["--verbose", "up"]);
    let file = target.data().join("pgpass");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let password = text.trim().rsplit(':').next().unwrap();
    assert!(password.len() >= 32);

    let commands = target.ok(&["psql", "--", "-Xc", "\\! ps -A -ww -o args=; env"]).out;
    assert!(commands.contains("PGPASSFILE="), "{commands}");
    let mut said = [up.out, up.err, commands, target.ok(&["status"]).out].concat();
    for entry in std::fs::read_dir(target.data().join("logs")).unwrap() {
        said += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    assert!(!said.contains(password));
}

#[test]
fn the_users_own_settings_do_not_lead_elsewhere() {
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
fn its_exit_code_is_passed_on_and_read_only_holds() {
    let target = Target::new();
    target.ok(&["up"]);
    assert_eq!(target.call(&["psql", "--", "-Xc", "SELECT nonsense"]).code, Some(1));
    let said = target.call(&["--read-only", "psql", "--", "-Xc", "CREATE TABLE t ()"]);
    assert!(said.err.contains("read-only transaction"), "{}", said.err);
}
