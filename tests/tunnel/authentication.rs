//! Who may log in, and what is said to those who may not.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use crate::support::{Said, Sshd, covidctl, keygen, until};

fn words(sshd: &Sshd, more: &[&str]) -> Vec<String> {
    let bastion = sshd.bastion();
    let words = ["tunnel", "exec", "-L", "0:127.0.0.1:1", "--bastion", &bastion];
    [&words[..], more, &["--", "true"]].concat().into_iter().map(str::to_owned).collect()
}

fn log_in(sshd: &Sshd, more: &[&str]) -> Said {
    Said::of(covidctl(sshd, &[]).args(words(sshd, more)))
}

/// Lets the key in the file in.
fn authorize(sshd: &Sshd, name: &str) {
    let public = std::fs::read_to_string(sshd.file(&format!("{name}.pub"))).unwrap();
    let mut file = std::fs::File::options().append(true).open(sshd.file("authorized_keys")).unwrap();
    file.write_all(public.as_bytes()).unwrap();
}

/// An ssh agent with one key in it.
struct Agent(Child, std::path::PathBuf);

impl Agent {
    fn with(sshd: &Sshd, key: &str) -> Self {
        let socket = sshd.file("agent");
        let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let agent = Self(agent.unwrap(), socket);
        // Its socket is there a moment before it listens.
        until("the agent listens", || UnixStream::connect(&agent.1).is_ok());
        let added =
            Command::new("ssh-add").arg("-q").arg(sshd.file(key)).env("SSH_AUTH_SOCK", &agent.1).status();
        assert!(added.unwrap().success());
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn every_kind_of_key_logs_in() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let name = format!("id_{kind}");
        keygen(&sshd.file(&name), kind, "");
        authorize(&sshd, &name);
        let said = log_in(&sshd, &["-i", sshd.file(&name).to_str().unwrap()]);
        assert_eq!(said.code, Some(0), "{kind}: {said:?}");
    }
}

#[test]
fn the_usual_files_are_found_in_the_home_folder() {
    let sshd = Sshd::start();
    std::fs::create_dir(sshd.file(".ssh")).unwrap();
    keygen(&sshd.file(".ssh/id_ecdsa"), "ecdsa", "");
    authorize(&sshd, ".ssh/id_ecdsa");
    assert_eq!(log_in(&sshd, &[]).code, Some(0));
}

#[test]
fn the_agent_signs_with_rsa_and_for_a_key_that_is_locked_on_disk() {
    let sshd = Sshd::start();
    keygen(&sshd.file("id_rsa"), "rsa", "");
    authorize(&sshd, "id_rsa");
    let agent = Agent::with(&sshd, "id_rsa");
    let mut anonymous = covidctl(&sshd, &[]);
    let said = Said::of(anonymous.args(words(&sshd, &[])).env("SSH_AUTH_SOCK", &agent.1));
    assert_eq!(said.code, Some(0), "{said:?}");

    // The same key, named, with a passphrase that nobody can be asked for.
    let key = sshd.file("id_rsa");
    let locked =
        Command::new("ssh-keygen").args(["-q", "-p", "-N", "secret", "-P", "", "-f"]).arg(&key).output();
    assert!(locked.unwrap().status.success());
    let words = words(&sshd, &["-i", key.to_str().unwrap()]);
    let said = Said::of(covidctl(&sshd, &[]).args(&words).env("SSH_AUTH_SOCK", &agent.1));
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_refusal_says_what_was_tried_and_why_it_failed() {
    let sshd = Sshd::start();
    keygen(&sshd.file("stranger"), "ed25519", "");
    let stranger = sshd.file("stranger");
    let said = log_in(&sshd, &["-i", stranger.to_str().unwrap()]);
    let own = format!("{}: the bastion does not accept this key", stranger.display());
    said.failed(4, &["SSH_AUTH_SOCK is not set", &own, "authorized_keys"]);

    let agent = Agent::with(&sshd, "stranger");
    let mut command = covidctl(&sshd, &[]);
    let said = Said::of(command.args(words(&sshd, &[])).env("SSH_AUTH_SOCK", &agent.1));
    said.failed(
        4,
        &["ssh agent's SHA256:", "does not accept this key", "none of the usual ones is in ~/.ssh"],
    );
}

#[test]
fn a_key_that_cannot_be_used_is_said_to_be_so() {
    let sshd = Sshd::start();
    log_in(&sshd, &["-i", "/nonexistent"]).failed(2, &["cannot read the key `/nonexistent`"]);
    std::fs::write(sshd.file("nonsense"), "nonsense").unwrap();
    log_in(&sshd, &["-i", sshd.file("nonsense").to_str().unwrap()]).failed(4, &["not a private key"]);
}

#[test]
fn a_passphrase_is_only_asked_for_on_a_terminal() {
    let sshd = Sshd::start();
    keygen(&sshd.file("locked"), "ed25519", "secret");
    authorize(&sshd, "locked");
    let words = words(&sshd, &["-i", sshd.file("locked").to_str().unwrap()]);
    // `setsid` takes the terminal away, where the tests have one.
    let program = covidctl(&sshd, &[]);
    let mut detached = Command::new("setsid");
    detached.arg("--wait").arg(program.get_program()).args(&words).env_remove("SSH_AUTH_SOCK");
    detached.env("HOME", sshd.folder()).env("XDG_CONFIG_HOME", sshd.folder());
    Said::of(&mut detached).failed(4, &["it has a passphrase, and there is no terminal to ask on"]);

    // `script` gives it one, and types.
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
