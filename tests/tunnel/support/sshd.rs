//! An OpenSSH server on a loopback address of its own.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::until;

const SSHD: &str = "/usr/sbin/sshd";

/// The number of servers in this process, each of which has an address of its own.
static COUNT: AtomicU8 = AtomicU8::new(1);

/// A server with the user's key in `id` and the host key in `host`. Killed with its sessions when dropped.
pub(crate) struct Sshd {
    folder: TempDir,
    address: SocketAddrV4,
    /// The address of a proxy in front of it.
    proxy: Option<SocketAddr>,
    server: Option<Child>,
}

impl Sshd {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// Starts a server with additional configuration lines.
    pub(crate) fn with(lines: &str) -> Self {
        Self::new(free_address(), lines)
    }

    pub(crate) fn at(address: SocketAddrV4) -> Self {
        Self::new(address, "")
    }

    fn new(address: SocketAddrV4, lines: &str) -> Self {
        assert!(
            Path::new(SSHD).is_file(),
            "{SSHD} is missing: run `cargo xtask test`, which installs what the tests need"
        );
        if nix::unistd::geteuid().is_root() {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        keygen(&folder.path().join("host"), "ed25519", "");
        keygen(&folder.path().join("id"), "ed25519", "");
        std::fs::copy(folder.path().join("id.pub"), folder.path().join("authorized_keys")).unwrap();
        let mut sshd = Self { address, folder, proxy: None, server: None };
        sshd.make_known();
        sshd.configure(lines);
        sshd.restart();
        sshd
    }

    /// Writes the host key to `~/.ssh/known_hosts`, like a user who has logged in with ssh before. The name fits every address, also that of a
    /// proxy.
    fn make_known(&self) {
        let key = std::fs::read_to_string(self.file("host.pub")).unwrap();
        std::fs::create_dir(self.file(".ssh")).unwrap();
        std::fs::write(self.file(".ssh/known_hosts"), format!("* {key}")).unwrap();
    }

    /// Makes the host key unknown to clients.
    pub(crate) fn make_unknown(&self) {
        std::fs::remove_file(self.file(".ssh/known_hosts")).unwrap();
    }

    /// Makes clients connect through a proxy.
    pub(crate) fn by_way_of(mut self, proxy: SocketAddr) -> Self {
        self.proxy = Some(proxy);
        self
    }

    fn configure(&self, lines: &str) {
        let (folder, ip, port) = (self.folder.path().display(), self.address.ip(), self.address.port());
        let text = format!(
            "{lines}\nPort {port}\nListenAddress {ip}\nHostKey {folder}/host\n\
             AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPidFile none\nMaxStartups 20\nLogLevel VERBOSE\n"
        );
        std::fs::write(self.folder.path().join("sshd_config"), text).unwrap();
    }

    /// Starts the server again on the same port.
    pub(crate) fn restart(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.file("log")).unwrap();
        let server = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(self.file("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let address = SocketAddr::V4(self.address);
        until("sshd answers", || {
            let ended = self.server.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "sshd: {}", self.log());
            TcpStream::connect(address).is_ok()
        });
    }

    /// Kills the server and every session, like a machine that is switched off.
    pub(crate) fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let id = i32::try_from(server.id()).unwrap();
        // Stopped first, so that it does not fork meanwhile.
        _ = kill(Pid::from_raw(id), Signal::SIGSTOP);
        signal_descendants(id, Signal::SIGKILL);
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Sends a signal to every session, but not to the server.
    pub(crate) fn signal_sessions(&self, signal: Signal) {
        signal_descendants(i32::try_from(self.server.as_ref().unwrap().id()).unwrap(), signal);
    }

    /// Generates a new host key, as on a reinstalled machine.
    pub(crate) fn change_host_key(&self) {
        std::fs::remove_file(self.file("host")).unwrap();
        keygen(&self.file("host"), "ed25519", "");
    }

    /// Returns the fingerprint (`SHA256:…`) of the host key.
    pub(crate) fn fingerprint(&self) -> String {
        let output = Command::new("ssh-keygen").arg("-lf").arg(self.file("host.pub")).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
    }

    /// Returns the user that can log in: the user that runs the tests.
    pub(crate) fn user() -> String {
        nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name
    }

    /// `user@address:port`
    pub(crate) fn bastion(&self) -> String {
        let address = self.proxy.unwrap_or(SocketAddr::V4(self.address));
        format!("{}@{address}", Self::user())
    }

    pub(crate) fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// Kills the server and gives it another address, like a machine that replaces it. `restart` starts it there.
    pub(crate) fn move_to(&mut self, address: SocketAddrV4) {
        self.kill();
        self.address = address;
        self.configure("");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.file("log")).unwrap()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Lets a key of the server's folder log in.
pub(crate) fn authorize(sshd: &Sshd, name: &str) {
    let public = std::fs::read_to_string(sshd.file(&format!("{name}.pub"))).unwrap();
    let mut file = std::fs::File::options().append(true).open(sshd.file("authorized_keys")).unwrap();
    std::io::Write::write_all(&mut file, public.as_bytes()).unwrap();
}

/// Returns a loopback address that no other server uses, and a free port.
fn free_address() -> SocketAddrV4 {
    let [.., high, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, high.max(1), low, COUNT.fetch_add(1, Ordering::Relaxed));
    let port = TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().port();
    SocketAddrV4::new(ip, port)
}

fn signal_descendants(id: i32, signal: Signal) {
    for child in children(id) {
        signal_descendants(child, signal);
        _ = kill(Pid::from_raw(child), signal);
    }
}

fn children(id: i32) -> Vec<i32> {
    let stat = |id: i32| std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
    let parent = |id: i32| stat(id)?.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<i32>().ok();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|child| parent(*child) == Some(id)).collect()
}
