//! A terminal for tests: a tmux server with one window.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The limit of every wait.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

const POLL_INTERVAL: Duration = Duration::from_millis(30);

const PROMPT: &str = "shell> ";

/// A window with a shell. Dropping it kills the server and its processes.
pub(crate) struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// Opens a window with an interactive shell.
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let (width, height) = (width.to_string(), height.to_string());
        let shell = format!("env -u NO_COLOR PS1='{PROMPT}' bash --norc --noprofile -i");
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "t",
            "-x",
            &width,
            "-y",
            &height,
            &shell,
        ]);
        terminal.wait("the prompt", |text| text.contains(PROMPT.trim_end()));
        terminal
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.folder.path().join("socket")).args(words);
        // UTF-8, whatever the locale of the machine.
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX").stdin(Stdio::null());
        command
    }

    pub(crate) fn tmux(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {words:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types a command line for the shell.
    #[track_caller]
    pub(crate) fn run(&self, command: &Command) {
        let (mut unset, mut set) = (vec!["env".to_owned()], Vec::new());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => set.push(format!("{}='{}'", name.display(), value.display())),
                None => unset.push(format!("-u {}", name.display())),
            }
        }
        // `env` wants the options to unset first.
        let mut words = unset;
        words.append(&mut set);
        let called = std::iter::once(command.get_program()).chain(command.get_args());
        words.extend(called.map(|word| format!("'{}'", word.display())));
        self.shell(&words.join(" "));
    }

    /// Types a line and presses Enter once the line is visible, so that a prompt seen later is a new one.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) {
        self.tmux(&["send-keys", "-t", "t", "-l", line]);
        // Long lines are wrapped, also at spaces.
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        self.wait(line, |text| bare(text).ends_with(&bare(line)));
        self.press(&["Enter"]);
    }

    /// Presses keys, by tmux's names.
    pub(crate) fn press(&self, keys: &[&str]) {
        let words: Vec<&str> = ["send-keys", "-t", "t"].into_iter().chain(keys.iter().copied()).collect();
        self.tmux(&words);
    }

    /// Clicks on the first occurrence of `words`.
    #[track_caller]
    pub(crate) fn click(&self, text: &str, words: &str) {
        let found = (1..).zip(text.lines()).find_map(|(row, line)| Some((row, line, line.find(words)?)));
        let (row, line, byte) = found.unwrap_or_else(|| panic!("no `{words}` in\n{text}"));
        let column = line[..byte].chars().count() + 1;
        // As a terminal reports a press and a release of the left button (xterm, SGR 1006).
        for end in ['M', 'm'] {
            self.tmux(&["send-keys", "-t", "t", "-l", &format!("\x1b[<0;{column};{row}{end}")]);
        }
    }

    /// Records the output from now on; the returned function gives the number of bytes so far.
    pub(crate) fn record(&self) -> impl Fn() -> u64 {
        let file = self.folder.path().join("sent");
        std::fs::write(&file, "").unwrap();
        self.tmux(&["pipe-pane", "-t", "t", &format!("cat >> '{}'", file.display())]);
        move || std::fs::metadata(&file).unwrap().len()
    }

    /// The visible text.
    pub(crate) fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "t"])
    }

    /// The visible text with its escape sequences.
    pub(crate) fn colored(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e", "-t", "t"])
    }

    /// Waits until the visible text satisfies a condition.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_met: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            if is_met(&text) {
                return text;
            }
            assert!(start.elapsed() < WAIT_TIMEOUT, "timed out waiting for {what}:\n{text}");
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits until `words` are visible.
    #[track_caller]
    pub(crate) fn see(&self, words: &str) -> String {
        self.wait(words, |text| text.contains(words))
    }

    /// The id of the foreground process.
    pub(crate) fn child(&self) -> i32 {
        let shell = self.tmux(&["display-message", "-p", "-t", "t", "#{pane_pid}"]);
        let output = Command::new("ps").args(["-o", "pid=", "--ppid", shell.trim()]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Asserts that the foreground process exits with `code`, and that it has restored the terminal.
    #[track_caller]
    pub(crate) fn ended_with(&self, code: i32) -> String {
        let prompt = |text: &str| text.trim_end().ends_with(PROMPT.trim_end());
        self.wait("the shell", prompt);
        self.shell("echo code=$? $(stty -a | grep -o ' -\\?echo ')");
        let expected = format!("code={code} echo");
        let text = self.wait(&expected, |text| text.contains(&expected) && prompt(text));
        let state = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let state = self.tmux(&["display-message", "-p", "-t", "t", state]);
        assert_eq!(state.trim(), "0 1 0", "alternate screen, cursor, mouse");
        text
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.command(&["kill-server"]).output());
    }
}
