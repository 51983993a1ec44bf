//! The keys that people have: every format, the agent, certificates, and servers that limit the attempts.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{
    Agent, Finished, Sshd, assert_no_connection, authorize, covidctl, exec_words, keygen, log_in,
};

const PASSPHRASE: &str = "secret";

/// Generates a key with further arguments of ssh-keygen, and authorizes it.
fn generate(sshd: &Sshd, name: &str, words: &[&str]) -> PathBuf {
    let path = sshd.file(name);
    let output = Command::new("ssh-keygen").arg("-q").args(words).arg("-f").arg(&path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    authorize(sshd, name);
    path
}

/// Converts a private key with openssl.
fn openssl(sshd: &Sshd, words: &[&str], from: &str, to: &str) {
    let mut openssl = Command::new("openssl");
    openssl.args(words).arg("-in").arg(sshd.file(from)).arg("-out").arg(sshd.file(to));
    let output = openssl.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    protect(sshd, to, 0o600);
}

fn protect(sshd: &Sshd, name: &str, mode: u32) {
    std::fs::set_permissions(sshd.file(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

fn with_key(sshd: &Sshd, name: &str) -> Finished {
    log_in(sshd, &["-i", sshd.file(name).to_str().unwrap()])
}

/// Logs in with an agent.
fn with_agent(sshd: &Sshd, agent: &Agent, more: &[&str]) -> Finished {
    Finished::of(covidctl(sshd, &[]).args(exec_words(sshd, more)).env("SSH_AUTH_SOCK", agent.socket()))
}

/// Types an answer on a pseudo-terminal, and returns the exit code and what the terminal shows.
fn type_answer(sshd: &Sshd, name: &str, answer: &str) -> (Option<i32>, String) {
    let words = exec_words(sshd, &["-i", sshd.file(name).to_str().unwrap()]);
    let line = format!("{} {}", env!("CARGO_BIN_EXE_covidctl"), words.join(" "));
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env_remove("SSH_AUTH_SOCK");
    terminal.env("HOME", sshd.folder()).env("XDG_CONFIG_HOME", sshd.folder());
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // What is typed before the question is discarded.
    let mut shown = Vec::new();
    let mut screen = terminal.stdout.take().unwrap();
    let mut byte = [0];
    while !shown.ends_with(b": ") && std::io::Read::read(&mut screen, &mut byte).unwrap() == 1 {
        shown.push(byte[0]);
    }
    drop(std::io::Write::write_all(terminal.stdin.as_mut().unwrap(), format!("{answer}\n").as_bytes()));
    std::io::Read::read_to_end(&mut screen, &mut shown).unwrap();
    (terminal.wait().unwrap().code(), String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn private_key_of_every_format_logs_in() {
    let sshd = Sshd::start();
    let rsa = ["-t", "rsa", "-b", "2048", "-N", ""];
    generate(&sshd, "pem", &[&rsa[..], &["-m", "PEM"]].concat());
    generate(&sshd, "pkcs8", &[&rsa[..], &["-m", "PKCS8"]].concat());
    generate(&sshd, "ec_pem", &["-t", "ecdsa", "-m", "PEM", "-N", ""]);
    generate(&sshd, "ec_pkcs8", &["-t", "ecdsa", "-b", "384", "-m", "PKCS8", "-N", ""]);
    generate(&sshd, "p521", &["-t", "ecdsa", "-b", "521", "-N", ""]);
    generate(&sshd, "ed25519", &["-t", "ed25519", "-N", ""]);
    let pem = std::fs::read_to_string(sshd.file("pem")).unwrap();
    let pkcs8 = std::fs::read_to_string(sshd.file("pkcs8")).unwrap();
    for (name, text) in [
        ("crlf", pem.replace('\n', "\r\n")),
        ("spaces", pem.replace('\n', " \n")),
        ("bom", format!("\u{feff}{pem}")),
        ("bag", format!("Bag Attributes\n  friendlyName: ñ\nKey Attributes: <No Attributes>\n{pkcs8}")),
    ] {
        std::fs::write(sshd.file(name), text).unwrap();
        protect(&sshd, name, 0o600);
    }
    for name in ["pem", "pkcs8", "ec_pem", "ec_pkcs8", "p521", "ed25519", "crlf", "spaces", "bom", "bag"] {
        let finished = with_key(&sshd, name);
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{name}");
    }
}

#[test]
fn encrypted_key_of_every_format_logs_in_with_its_passphrase() {
    let sshd = Sshd::start();
    let rsa = ["-t", "rsa", "-b", "2048", "-N"];
    generate(&sshd, "plain", &[&rsa[..], &["", "-m", "PEM"]].concat());
    generate(&sshd, "pem_aes128", &[&rsa[..], &[PASSPHRASE, "-m", "PEM"]].concat());
    generate(&sshd, "pkcs8", &[&rsa[..], &[PASSPHRASE, "-m", "PKCS8"]].concat());
    generate(&sshd, "ed25519", &["-t", "ed25519", "-N", PASSPHRASE]);
    generate(&sshd, "ed25519_gcm", &["-t", "ed25519", "-N", PASSPHRASE, "-Z", "aes256-gcm@openssh.com"]);
    let out = format!("pass:{PASSPHRASE}");
    for (name, cipher) in [("pem_aes256", "-aes256"), ("pem_aes192", "-aes192"), ("pem_3des", "-des3")] {
        openssl(&sshd, &["rsa", cipher, "-traditional", "-passout", &out], "plain", name);
    }
    let pkcs8 = ["pkcs8", "-topk8", "-passout", &out];
    openssl(&sshd, &[&pkcs8[..], &["-v2", "des3"]].concat(), "plain", "pkcs8_3des");
    openssl(
        &sshd,
        &[&pkcs8[..], &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"]].concat(),
        "plain",
        "pkcs8_sha1",
    );
    openssl(&sshd, &[&pkcs8[..], &["-scrypt"]].concat(), "plain", "pkcs8_scrypt");
    for name in [
        "pem_aes128",
        "pem_aes192",
        "pem_aes256",
        "pem_3des",
        "pkcs8",
        "pkcs8_3des",
        "pkcs8_sha1",
        "pkcs8_scrypt",
        "ed25519",
        "ed25519_gcm",
    ] {
        let (code, shown) = type_answer(&sshd, name, PASSPHRASE);
        assert_eq!(code, Some(0), "{name}: {shown}");
        assert!(!shown.contains(PASSPHRASE), "{shown}");
    }
}

#[test]
fn key_that_cannot_be_used_is_usage_error_with_way_out() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let sshd = Sshd::start().by_way_of(port.local_addr().unwrap());
    generate(&sshd, "plain", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]);
    openssl(&sshd, &["rsa", "-camellia128", "-traditional", "-passout", "pass:secret"], "plain", "camellia");
    with_key(&sshd, "camellia").assert_failed(2, &["CAMELLIA-128-CBC", "ssh-keygen -p -f"]);
    openssl(&sshd, &["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", "pass:secret"], "plain", "pbes1");
    with_key(&sshd, "pbes1").assert_failed(2, &["encrypted", "ssh-keygen -p -f"]);
    protect(&sshd, "plain", 0o644);
    with_key(&sshd, "plain").assert_failed(2, &["other users may read it (mode 0644)", "chmod 600"]);
    std::fs::write(
        sshd.file("certificate"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    with_key(&sshd, "certificate").assert_failed(2, &["TLS certificate"]);
    assert_no_connection(&port);
}

#[test]
fn agent_holds_key_whose_file_is_locked_or_public() {
    let sshd = Sshd::start();
    generate(&sshd, "key", &["-t", "ed25519", "-N", ""]);
    let agent = Agent::with(&sshd, &["key"]);
    std::fs::remove_file(sshd.file("id.pub")).unwrap();
    let lock = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f"])
        .arg(sshd.file("key"))
        .output();
    assert!(lock.unwrap().status.success());
    let public = std::fs::read(sshd.file("key.pub")).unwrap();
    std::fs::remove_file(sshd.file("key.pub")).unwrap();
    let path = |name: &str| sshd.file(name).to_str().unwrap().to_owned();
    assert_eq!(
        with_agent(&sshd, &agent, &["-i", &path("key")]).code,
        Some(0),
        "the public half is in the locked file"
    );
    std::fs::remove_file(sshd.file("key")).unwrap();
    std::fs::write(sshd.file("key.pub"), public).unwrap();
    assert_eq!(with_agent(&sshd, &agent, &["-i", &path("key.pub")]).code, Some(0));
    log_in(&sshd, &["-i", &path("key.pub")])
        .assert_failed(4, &["the ssh agent does not hold its private half"]);
}

#[test]
fn fifth_key_of_agent_logs_in_and_server_limits_attempts() {
    let sshd = Sshd::with("MaxAuthTries 5");
    let strangers = ["one", "two", "three", "four", "five"];
    for name in strangers {
        keygen(&sshd.file(name), "ed25519", "");
    }
    let agent = Agent::with(&sshd, &["one", "two", "three", "four", "id"]);
    assert_eq!(with_agent(&sshd, &agent, &[]).code, Some(0));
    drop(agent);

    let agent = Agent::with(&sshd, &["one", "two", "three", "four", "five", "id"]);
    let finished = with_agent(&sshd, &agent, &[]);
    finished.assert_failed(4, &["hung up after 5 refused keys (MaxAuthTries)", "1 more not offered", "-i"]);
    // A key that is named comes first.
    let id = sshd.file("id");
    assert_eq!(with_agent(&sshd, &agent, &["-i", id.to_str().unwrap()]).code, Some(0));
    // A named key that is refused does not hide the agent's.
    drop(agent);
    let agent = Agent::with(&sshd, &["id"]);
    let one = sshd.file("one");
    assert_eq!(with_agent(&sshd, &agent, &["-i", one.to_str().unwrap()]).code, Some(0));
}

#[test]
fn certificate_beside_key_and_in_agent_logs_in() {
    for kind in ["ed25519", "rsa"] {
        let sshd = Sshd::with("");
        keygen(&sshd.file("ca"), "ed25519", "");
        keygen(&sshd.file("signed"), kind, "");
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-I", "user", "-n", &Sshd::user(), "-V", "+1d", "-s"]);
        assert!(sign.arg(sshd.file("ca")).arg(sshd.file("signed.pub")).status().unwrap().success());
        let config = std::fs::read_to_string(sshd.file("sshd_config")).unwrap();
        let trusted = format!("TrustedUserCAKeys {}\n{config}", sshd.file("ca.pub").display());
        std::fs::write(sshd.file("sshd_config"), trusted).unwrap();
        let mut sshd = sshd;
        sshd.kill();
        sshd.restart();
        let finished = with_key(&sshd, "signed");
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{kind}");
        let agent = Agent::with(&sshd, &["signed"]);
        assert_eq!(with_agent(&sshd, &agent, &[]).code, Some(0), "{kind} in the agent");
        std::fs::remove_file(sshd.file("signed-cert.pub")).unwrap();
        with_key(&sshd, "signed").assert_failed(4, &["does not accept this key"]);
    }
}
