//! Host keys: pinned on first use, and compared afterwards.

use crate::support::{Finished, Sshd, Tunnel, echo, keygen};

fn exec_true(sshd: &Sshd, more: &[&str]) -> Finished {
    let (bastion, id) = (sshd.bastion(), sshd.file("id"));
    let words = ["tunnel", "exec", "-L", "0:127.0.0.1:1", "--bastion", &bastion, "-i", id.to_str().unwrap()];
    Finished::run(sshd, &[&words[..], more, &["--", "true"]].concat())
}

#[test]
fn first_use_is_reported_and_second_is_silent() {
    let sshd = Sshd::start();
    let first = exec_true(&sshd, &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.err.contains("trusted on first use and pinned") && first.err.contains(&sshd.fingerprint()));
    let second = exec_true(&sshd, &[]);
    assert_eq!((second.code, second.err.as_str()), (Some(0), ""));
}

#[test]
fn changed_host_key_fails_with_both_fingerprints_until_named() {
    let mut sshd = Sshd::start();
    let before = sshd.fingerprint();
    assert_eq!(exec_true(&sshd, &[]).code, Some(0));
    let pins = std::fs::read(sshd.file("covidctl/host_keys")).unwrap();
    sshd.kill();
    sshd.change_host_key();
    sshd.restart();
    let after = sshd.fingerprint();
    exec_true(&sshd, &[]).assert_failed(1, &[&before, &after, "--host-key"]);
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
    // RSA only at first, then also ed25519, which clients prefer.
    std::fs::rename(sshd.file("host"), sshd.file("other")).unwrap();
    keygen(&sshd.file("host_rsa"), "rsa", "");
    std::fs::rename(sshd.file("host_rsa"), sshd.file("host")).unwrap();
    sshd.kill();
    sshd.restart();
    assert_eq!(exec_true(&sshd, &[]).code, Some(0));
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
    std::fs::write(sshd.file("covidctl/host_keys"), "nonsense\n").unwrap();
    exec_true(&sshd, &[]).assert_failed(1, &["line 1 of the pinned host keys"]);
}
