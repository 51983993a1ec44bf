//! The way to the bastion: hosts of `~/.ssh/config`, jump hosts, proxies, addresses that do not answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Finished, Sshd, covidctl, echo, refuses, server, until};

/// Runs a command that checks whether the tunnel leads to an echo.
fn through(sshd: &Sshd, bastion: &str, target: SocketAddr) -> Command {
    let script = "exec 3<>/dev/tcp/$PGHOSTADDR/$PGPORT; echo hello >&3; read -r answer <&3; echo $answer";
    let words =
        ["tunnel", "exec", "-L", &format!("0:{target}"), "--bastion", bastion, "--", "bash", "-c", script];
    covidctl(sshd, &words)
}

#[track_caller]
fn assert_leads_there(command: &mut Command) {
    let finished = Finished::of(command);
    assert_eq!((finished.code, finished.out.trim()), (Some(0), "hello"), "{finished:?}");
}

/// Writes `~/.ssh/config`.
fn configure(sshd: &Sshd, text: &str) {
    std::fs::write(sshd.file(".ssh/config"), text).unwrap();
}

/// Returns a block of the configuration for a server that the key `id` of `home` logs in to.
fn block(name: &str, sshd: &Sshd, home: &Sshd) -> String {
    let (address, key) = (sshd.address(), home.file("id"));
    format!(
        "Host {name}\n  HostName {}\n  Port {}\n  User {}\n  IdentityFile {}\n",
        address.ip(),
        address.port(),
        Sshd::user(),
        key.display()
    )
}

#[test]
fn alias_of_ssh_config_leads_to_bastion_directly_and_through_jump_hosts() {
    let (home, bastion) = (Sshd::start(), Sshd::start());
    std::fs::copy(home.file("id.pub"), bastion.file("authorized_keys")).unwrap();
    let keys = [&home, &bastion].map(|sshd| std::fs::read_to_string(sshd.file("host.pub")).unwrap());
    let names = [&home, &bastion].map(|sshd| format!("[{}]:{}", sshd.address().ip(), sshd.address().port()));
    let known = format!("{} {}{} {}", names[0], keys[0], names[1], keys[1]);
    std::fs::write(home.file(".ssh/known_hosts"), known).unwrap();
    let target = echo();
    configure(&home, &block("db", &bastion, &home));
    assert_leads_there(&mut through(&home, "db", target));
    assert!(!home.log().contains("Accepted publickey"), "no jump host is configured");

    configure(
        &home,
        &format!("{}  ProxyJump jump\n{}", block("db", &bastion, &home), block("jump", &home, &home)),
    );
    assert_leads_there(&mut through(&home, "db", target));
    assert!(home.log().contains("Accepted publickey"), "{}", home.log());

    // The jump host's key is checked, too.
    std::fs::write(home.file(".ssh/known_hosts"), format!("{} {}", names[1], keys[1])).unwrap();
    let mut detached = Command::new("setsid");
    let program = through(&home, "db", target);
    detached.arg("--wait").arg(program.get_program()).args(program.get_args()).env_remove("SSH_AUTH_SOCK");
    detached.env("HOME", home.folder()).env("XDG_CONFIG_HOME", home.folder());
    Finished::of(&mut detached).assert_failed(1, &["is not known", &home.fingerprint()]);
}

#[test]
fn several_jump_hosts_lead_to_bastion_in_their_order() {
    let (home, first, second, bastion) = (Sshd::start(), Sshd::start(), Sshd::start(), Sshd::start());
    let mut known = Vec::new();
    for sshd in [&first, &second, &bastion] {
        std::fs::copy(home.file("id.pub"), sshd.file("authorized_keys")).unwrap();
        let (address, key) = (sshd.address(), std::fs::read_to_string(sshd.file("host.pub")).unwrap());
        known.push(format!("[{}]:{} {key}", address.ip(), address.port()));
    }
    std::fs::write(home.file(".ssh/known_hosts"), known.concat()).unwrap();
    let block = |name, sshd| block(name, sshd, &home);
    configure(
        &home,
        &format!(
            "{}  ProxyJump first,second\n{}{}",
            block("db", &bastion),
            block("first", &first),
            block("second", &second)
        ),
    );
    let target = echo();
    assert_leads_there(&mut through(&home, "db", target));
    for sshd in [&first, &second, &bastion] {
        assert!(sshd.log().contains("Accepted publickey"), "{}", sshd.log());
    }

    // The same with a jump of a jump.
    configure(
        &home,
        &format!(
            "{}  ProxyJump second\n{}  ProxyJump first\n{}",
            block("db", &bastion),
            block("second", &second),
            block("first", &first)
        ),
    );
    assert_leads_there(&mut through(&home, "db", target));

    // The second does not answer; the error says on which way it was looked for.
    let mut second = second;
    second.kill();
    let failed = Finished::of(&mut through(&home, "db", target));
    failed.assert_failed(1, &[&second.address().to_string(), "through", &first.address().to_string()]);
}

#[test]
fn address_that_does_not_answer_beside_one_that_does_costs_no_time_limit() {
    let mut probe = Command::new("unshare");
    if !probe.args(["-rm", "true"]).status().is_ok_and(|status| status.success()) {
        // Without a namespace, no name of this machine has both addresses.
        return;
    }
    // Its queue is full, so that the kernel drops further handshakes, like a firewall.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let silent = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v6().unwrap();
        socket.bind("[::1]:0".parse().unwrap()).unwrap();
        socket.listen(1).unwrap()
    });
    let address = silent.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let queued: Vec<_> = std::iter::repeat_with(connect).map_while(Result::ok).take(64).collect();
    assert!(queued.len() < 64, "the queue is not full");

    let sshd = Sshd::at(SocketAddrV4::new(Ipv4Addr::LOCALHOST, address.port()));
    std::fs::copy(sshd.file("id"), sshd.file(".ssh/id_ed25519")).unwrap();
    std::fs::write(sshd.file("hosts"), "::1 both.example\n127.0.0.1 both.example\n").unwrap();
    let bastion = format!("{}@both.example:{}", Sshd::user(), address.port());
    let program = through(&sshd, &bastion, echo());
    let mut namespace = Command::new("unshare");
    namespace.args(["-rm", "sh", "-c", "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"", "sh"]);
    namespace.arg(sshd.file("hosts")).arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => namespace.env(name, value),
            None => namespace.env_remove(name),
        };
    }
    let start = Instant::now();
    assert_leads_there(&mut namespace);
    // The time limit is 10 s.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    drop((queued, silent));
}

#[test]
fn option_that_is_passed_over_is_named_and_damaged_config_is_usage_error() {
    let sshd = Sshd::start();
    configure(&sshd, &format!("{}  ProxyCommand none\n  HostKeyAlias x\n", block("db", &sshd, &sshd)));
    let finished = Finished::of(&mut through(&sshd, "db", echo()));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.err.contains("HostKeyAlias") && !finished.err.contains("ProxyCommand"), "{finished:?}");
    configure(&sshd, "Host db\n  Port seven\n");
    Finished::of(&mut through(&sshd, "db", echo())).assert_failed(2, &[".ssh/config", "port"]);
}

/// A SOCKS5 proxy: that of ssh itself.
struct Socks(Child, SocketAddr);

impl Socks {
    fn start(sshd: &Sshd) -> Self {
        let (local, address) = (refuses(), sshd.address());
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-N",
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
            "-oIdentitiesOnly=yes",
        ]);
        ssh.args(["-D", &local.to_string(), "-p", &address.port().to_string()]);
        ssh.arg("-i").arg(sshd.file("id")).arg(format!("{}@{}", Sshd::user(), address.ip()));
        let ssh = Self(ssh.stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap(), local);
        until("the proxy listens", || TcpStream::connect(local).is_ok());
        ssh
    }
}

impl Drop for Socks {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An HTTP proxy with a password.
fn http_proxy() -> SocketAddr {
    server(|mut near| {
        let mut lines = BufReader::new(near.try_clone().unwrap());
        let (mut request, mut headers) = (String::new(), String::new());
        lines.read_line(&mut request).unwrap();
        while !headers.ends_with("\r\n\r\n") {
            lines.read_line(&mut headers).unwrap();
        }
        // me:secret
        if !headers.contains("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n") {
            near.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").unwrap();
            return;
        }
        let mut far = TcpStream::connect(request.split(' ').nth(1).unwrap()).unwrap();
        near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (mut back, mut from) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut back));
        drop(std::io::copy(&mut lines.into_inner(), &mut far));
    })
}

#[test]
fn proxy_of_environment_is_used_unless_excepted() {
    let sshd = Sshd::start();
    std::fs::copy(sshd.file("id"), sshd.file(".ssh/id_ed25519")).unwrap();
    let (bastion, target, unused) = (sshd.bastion(), echo(), refuses());
    let socks = Socks::start(&sshd);
    for proxy in [format!("socks5://{}", socks.1), format!("http://me:secret@{}", http_proxy())] {
        assert_leads_there(through(&sshd, &bastion, target).env("ALL_PROXY", proxy));
    }
    let refused = Finished::of(
        through(&sshd, &bastion, target).env("all_proxy", format!("http://me:wrong@{}", http_proxy())),
    );
    refused.assert_failed(1, &["through the proxy", "407", "NO_PROXY"]);
    assert!(!refused.err.contains("wrong"), "{refused:?}");
    let closed = format!("socks5://{unused}");
    Finished::of(through(&sshd, &bastion, target).env("ALL_PROXY", &closed))
        .assert_failed(1, &["through the proxy"]);
    let address = sshd.address().ip().to_string();
    assert_leads_there(through(&sshd, &bastion, target).env("ALL_PROXY", &closed).env("NO_PROXY", address));
    Finished::of(through(&sshd, &bastion, target).env("ALL_PROXY", "ftp://x"))
        .assert_failed(2, &["ALL_PROXY"]);
}

#[test]
fn cipher_is_taken_by_name_of_openssh() {
    let sshd = Sshd::start();
    std::fs::copy(sshd.file("id"), sshd.file(".ssh/id_ed25519")).unwrap();
    let command = through(&sshd, &sshd.bastion(), echo());
    let words: Vec<_> = command.get_args().collect();
    let mut with_cipher = covidctl(&sshd, &["tunnel", "exec", "--cipher", "aes128-gcm@openssh.com"]);
    assert_leads_there(with_cipher.args(&words[2..]));
}
