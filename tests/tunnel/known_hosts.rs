//! Host keys: who vouches for one, and what happens to those that nothing vouches for.

use std::process::Command;

use crate::support::{Finished, Sshd, Tunnel, echo, keygen, log_in};

fn exec_true(sshd: &Sshd, more: &[&str]) -> Finished {
    let id = sshd.file("id");
    log_in(sshd, &[&["-i", id.to_str().unwrap()], more].concat())
}

/// Runs it without a terminal to ask on, also if the tests have one.
fn without_terminal(sshd: &Sshd, more: &[&str]) -> Finished {
    let id = sshd.file("id");
    let words = crate::support::exec_words(sshd, &[&["-i", id.to_str().unwrap()], more].concat());
    let program = crate::support::covidctl(sshd, &[]);
    let mut detached = Command::new("setsid");
    detached.arg("--wait").arg(program.get_program()).args(words).env_remove("SSH_AUTH_SOCK");
    Finished::of(detached.env("HOME", sshd.folder()).env("XDG_CONFIG_HOME", sshd.folder()))
}

#[test]
fn unknown_host_key_is_refused_with_command_that_pins_it() {
    let sshd = Sshd::start();
    sshd.make_unknown();
    for trust in ["console", "pinned"] {
        let refused = without_terminal(&sshd, &["--trust", trust]);
        refused.assert_failed(1, &["is not known", &sshd.fingerprint(), "--host-key SHA256:"]);
    }
    assert!(!sshd.log().contains("Accepted"), "{}", sshd.log());

    let first = without_terminal(&sshd, &["--trust", "first-use"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.err.contains("trusted on first use and pinned") && first.err.contains(&sshd.fingerprint()));
    let second = without_terminal(&sshd, &["--trust", "pinned"]);
    assert_eq!((second.code, second.err.as_str()), (Some(0), ""));
}

#[test]
fn unknown_host_key_is_asked_about_on_terminal() {
    let sshd = Sshd::start();
    sshd.make_unknown();
    let id = sshd.file("id");
    let words = crate::support::exec_words(&sshd, &["-i", id.to_str().unwrap()]);
    let program = env!("CARGO_BIN_EXE_covidctl");
    for (answer, code) in [("no", 1), ("yes", 0)] {
        // `script` runs it on a pseudo-terminal.
        let line = format!("{program} {}", words.join(" "));
        let mut terminal = Command::new("script");
        terminal.args(["-qec", &line, "/dev/null"]).env_remove("SSH_AUTH_SOCK");
        terminal.env("HOME", sshd.folder()).env("XDG_CONFIG_HOME", sshd.folder());
        terminal.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut terminal = terminal.spawn().unwrap();
        std::io::Write::write_all(terminal.stdin.as_mut().unwrap(), format!("{answer}\n").as_bytes())
            .unwrap();
        let output = terminal.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{answer}: {shown}");
        assert!(shown.contains("trust it and pin it?") && shown.contains(&sshd.fingerprint()), "{shown}");
    }
    assert_eq!(without_terminal(&sshd, &[]).err, "", "it is pinned now");
}

#[test]
fn known_hosts_of_ssh_are_read_also_hashed_ones_and_authorities() {
    let sshd = Sshd::start();
    let known = sshd.file(".ssh/known_hosts");
    let address = sshd.address();
    let host = std::fs::read_to_string(sshd.file("host.pub")).unwrap();
    std::fs::write(&known, format!("[{}]:{} {host}", address.ip(), address.port())).unwrap();
    let hashed = Command::new("ssh-keygen").args(["-H", "-f"]).arg(&known).output().unwrap();
    assert!(hashed.status.success() && std::fs::read_to_string(&known).unwrap().starts_with("|1|"));
    let finished = without_terminal(&sshd, &["--trust", "pinned"]);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    assert!(!sshd.file("covidctl/host_keys").exists(), "what ssh knows is not pinned again");

    std::fs::write(&known, format!("@revoked * {host}")).unwrap();
    without_terminal(&sshd, &[]).assert_failed(1, &["@revoked"]);

    // A certificate of the host key.
    keygen(&sshd.file("authority"), "ed25519", "");
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-h", "-I", "host", "-n", &address.ip().to_string(), "-V", "+1d", "-s"]);
    assert!(sign.arg(sshd.file("authority")).arg(sshd.file("host.pub")).status().unwrap().success());
    let certificate = format!("HostCertificate {}", sshd.file("host-cert.pub").display());
    let mut sshd = sshd;
    let config = std::fs::read_to_string(sshd.file("sshd_config")).unwrap();
    std::fs::write(sshd.file("sshd_config"), format!("{certificate}\n{config}")).unwrap();
    sshd.kill();
    sshd.restart();
    let authority = std::fs::read_to_string(sshd.file("authority.pub")).unwrap();
    std::fs::write(&known, format!("@cert-authority 127.* {authority}")).unwrap();
    let finished = without_terminal(&sshd, &["--trust", "pinned"]);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    std::fs::write(&known, format!("@cert-authority 10.* {authority}")).unwrap();
    without_terminal(&sshd, &[]).assert_failed(1, &["is not known"]);
    let stranger = std::fs::read_to_string(sshd.file("id.pub")).unwrap();
    std::fs::write(&known, format!("@cert-authority * {stranger}")).unwrap();
    without_terminal(&sshd, &[]).assert_failed(1, &["is not known"]);
}

#[test]
fn changed_host_key_fails_with_both_fingerprints_until_named() {
    let mut sshd = Sshd::start();
    sshd.make_unknown();
    let before = sshd.fingerprint();
    assert_eq!(exec_true(&sshd, &["--trust", "first-use"]).code, Some(0));
    let pins = std::fs::read(sshd.file("covidctl/host_keys")).unwrap();
    sshd.kill();
    sshd.change_host_key();
    sshd.restart();
    let after = sshd.fingerprint();
    for trust in ["console", "first-use"] {
        exec_true(&sshd, &["--trust", trust]).assert_failed(1, &[&before, &after, "--host-key"]);
    }
    assert_eq!(std::fs::read(sshd.file("covidctl/host_keys")).unwrap(), pins, "the pin stays");
    assert_eq!(sshd.log().matches("Accepted publickey").count(), 1, "no login with the changed key");

    exec_true(&sshd, &["--host-key", &before]).assert_failed(1, &[&before, &after]);
    let named = exec_true(&sshd, &["--host-key", &after]);
    assert!(named.code == Some(0) && named.err.contains("matches --host-key"), "{named:?}");
    assert_eq!(exec_true(&sshd, &[]).err, "");
}

#[test]
fn pinned_key_is_requested_from_bastion_with_several() {
    let mut sshd = Sshd::start();
    sshd.make_unknown();
    // RSA only at first, then also ed25519, which clients prefer.
    std::fs::rename(sshd.file("host"), sshd.file("other")).unwrap();
    keygen(&sshd.file("host_rsa"), "rsa", "");
    std::fs::rename(sshd.file("host_rsa"), sshd.file("host")).unwrap();
    sshd.kill();
    sshd.restart();
    assert_eq!(exec_true(&sshd, &["--trust", "first-use"]).code, Some(0));
    let config = std::fs::read_to_string(sshd.file("sshd_config")).unwrap();
    let more = format!("HostKey {}\n{config}", sshd.file("other").display());
    std::fs::write(sshd.file("sshd_config"), more).unwrap();
    sshd.kill();
    sshd.restart();
    let finished = exec_true(&sshd, &[]);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
}

#[test]
fn damaged_known_hosts_file_fails() {
    let sshd = Sshd::start();
    drop(Tunnel::to(&sshd, echo()));
    std::fs::create_dir_all(sshd.file("covidctl")).unwrap();
    std::fs::write(sshd.file("covidctl/host_keys"), "nonsense\n").unwrap();
    exec_true(&sshd, &[]).assert_failed(1, &["line 1 of the pinned host keys"]);
}
