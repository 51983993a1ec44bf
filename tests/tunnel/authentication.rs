//! Authentication: key files, the agent, passphrases, and the errors if every key is rejected.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::support::{
    Agent, Finished, Sshd, assert_no_connection, authorize, covidctl, exec_words as words, keygen, log_in,
};

#[test]
fn key_file_of_each_algorithm_logs_in() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let name = format!("id_{kind}");
        keygen(&sshd.file(&name), kind, "");
        authorize(&sshd, &name);
        let finished = log_in(&sshd, &["-i", sshd.file(&name).to_str().unwrap()]);
        assert_eq!(finished.code, Some(0), "{kind}: {finished:?}");
    }
}

#[test]
fn default_key_file_logs_in() {
    let sshd = Sshd::start();
    keygen(&sshd.file(".ssh/id_ecdsa"), "ecdsa", "");
    authorize(&sshd, ".ssh/id_ecdsa");
    assert_eq!(log_in(&sshd, &[]).code, Some(0));
}

#[test]
fn agent_logs_in_with_rsa_and_with_named_key_that_is_encrypted_on_disk() {
    let sshd = Sshd::start();
    keygen(&sshd.file("id_rsa"), "rsa", "");
    authorize(&sshd, "id_rsa");
    let agent = Agent::with(&sshd, &["id_rsa"]);
    let mut anonymous = covidctl(&sshd, &[]);
    let finished = Finished::of(anonymous.args(words(&sshd, &[])).env("SSH_AUTH_SOCK", agent.socket()));
    assert_eq!(finished.code, Some(0), "{finished:?}");

    // The same key, named, with a passphrase that cannot be prompted for.
    let key = sshd.file("id_rsa");
    let locked =
        Command::new("ssh-keygen").args(["-q", "-p", "-N", "secret", "-P", "", "-f"]).arg(&key).output();
    assert!(locked.unwrap().status.success());
    let words = words(&sshd, &["-i", key.to_str().unwrap()]);
    let finished = Finished::of(covidctl(&sshd, &[]).args(&words).env("SSH_AUTH_SOCK", agent.socket()));
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn rejected_login_reports_every_key_and_reason() {
    let sshd = Sshd::start();
    keygen(&sshd.file("unknown"), "ed25519", "");
    let unknown = sshd.file("unknown");
    let finished = log_in(&sshd, &["-i", unknown.to_str().unwrap()]);
    let own = format!("{}: the bastion does not accept this key", unknown.display());
    finished.assert_failed(4, &["SSH_AUTH_SOCK is not set", &own, "authorized_keys"]);

    let agent = Agent::with(&sshd, &["unknown"]);
    let mut command = covidctl(&sshd, &[]);
    let finished = Finished::of(command.args(words(&sshd, &[])).env("SSH_AUTH_SOCK", agent.socket()));
    finished.assert_failed(
        4,
        &["ssh agent's SHA256:", "does not accept this key", "~/.ssh has no default key file"],
    );
}

#[test]
fn unusable_key_file_fails_with_reason() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let sshd = Sshd::start().by_way_of(port.local_addr().unwrap());
    log_in(&sshd, &["-i", "/nonexistent"]).assert_failed(2, &["cannot read the key `/nonexistent`"]);
    std::fs::write(sshd.file("nonsense"), "nonsense").unwrap();
    log_in(&sshd, &["-i", sshd.file("nonsense").to_str().unwrap()]).assert_failed(2, &["not a private key"]);
    assert_no_connection(&port);
}

#[test]
fn passphrase_is_prompted_for_on_terminal_only_and_not_shown() {
    let sshd = Sshd::start();
    keygen(&sshd.file("locked"), "ed25519", "secret");
    authorize(&sshd, "locked");
    let words = words(&sshd, &["-i", sshd.file("locked").to_str().unwrap()]);
    // `setsid` detaches the program from the terminal of the tests.
    let program = covidctl(&sshd, &[]);
    let mut detached = Command::new("setsid");
    detached.arg("--wait").arg(program.get_program()).args(&words).env_remove("SSH_AUTH_SOCK");
    detached.env("HOME", sshd.folder()).env("XDG_CONFIG_HOME", sshd.folder());
    Finished::of(&mut detached)
        .assert_failed(4, &["it has a passphrase, and there is no terminal to prompt on"]);

    // `script` runs it on a pseudo-terminal.
    let line =
        std::iter::once(env!("CARGO_BIN_EXE_covidctl").to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env_remove("SSH_AUTH_SOCK");
    terminal.env("HOME", sshd.folder()).env("XDG_CONFIG_HOME", sshd.folder());
    let mut terminal =
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut typed = terminal.stdin.take().unwrap();
    let mut shown = Vec::new();
    let mut screen = terminal.stdout.take().unwrap();
    let mut byte = [0];
    while !shown.ends_with(b"locked: ") {
        std::io::Read::read_exact(&mut screen, &mut byte).unwrap();
        shown.push(byte[0]);
    }
    typed.write_all(b"secret\n").unwrap();
    std::io::Read::read_to_end(&mut screen, &mut shown).unwrap();
    let shown = String::from_utf8_lossy(&shown);
    assert!(terminal.wait().unwrap().success(), "{shown}");
    assert!(!shown.contains("secret"), "the passphrase was shown: {shown}");
}
