//! A terminal that a test can type into and look at: a tmux server of its own, with one window.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing takes so long unless it is broken.
const BROKEN: Duration = Duration::from_secs(30);

/// How often the window is looked at.
const LOOK: Duration = Duration::from_millis(30);

/// The shell's prompt.
const PROMPT: &str = "shell> ";

/// A window with a shell in it. The server and all that runs in it end with this value.
pub(crate) struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// A window of that size with an interactive shell.
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
        // The characters of the screens, whatever the machine's own language is.
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
        // What is unset comes first, for `env`.
        let mut words = unset;
        words.append(&mut set);
        let called = std::iter::once(command.get_program()).chain(command.get_args());
        words.extend(called.map(|word| format!("'{}'", word.display())));
        self.shell(&words.join(" "));
    }

    /// Types a line for the shell, or an answer to a question. It stands in the window before it is sent, so
    /// that a prompt that is seen later is a new one.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) {
        self.tmux(&["send-keys", "-t", "t", "-l", line]);
        // Long ones are wrapped, at blanks too.
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        self.wait(line, |text| bare(text).ends_with(&bare(line)));
        self.press(&["Enter"]);
    }

    /// Presses keys, by tmux's names.
    pub(crate) fn press(&self, keys: &[&str]) {
        let words: Vec<&str> = ["send-keys", "-t", "t"].into_iter().chain(keys.iter().copied()).collect();
        self.tmux(&words);
    }

    /// Clicks on the first place where these words stand.
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

    /// From now on all bytes that are sent to it are counted; gives what tells how many there were.
    pub(crate) fn record(&self) -> impl Fn() -> u64 {
        let file = self.folder.path().join("sent");
        std::fs::write(&file, "").unwrap();
        self.tmux(&["pipe-pane", "-t", "t", &format!("cat >> '{}'", file.display())]);
        move || std::fs::metadata(&file).unwrap().len()
    }

    /// What is on it.
    pub(crate) fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "t"])
    }

    /// What is on it, with its colours.
    pub(crate) fn colored(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e", "-t", "t"])
    }

    /// Waits until it looks right.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, right: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            if right(&text) {
                return text;
            }
            assert!(start.elapsed() < BROKEN, "{what} does not come:\n{text}");
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until words are on it.
    #[track_caller]
    pub(crate) fn see(&self, words: &str) -> String {
        self.wait(words, |text| text.contains(words))
    }

    /// The process that runs in the foreground, once the screens are there.
    pub(crate) fn child(&self) -> i32 {
        let shell = self.tmux(&["display-message", "-p", "-t", "t", "#{pane_pid}"]);
        let output = Command::new("ps").args(["-o", "pid=", "--ppid", shell.trim()]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Asks the shell for the exit code of what has just ended, which must have left the terminal as it was.
    #[track_caller]
    pub(crate) fn ended_with(&self, code: i32) -> String {
        let prompt = |text: &str| text.trim_end().ends_with(PROMPT.trim_end());
        self.wait("the shell", prompt);
        self.shell("echo code=$? $(stty -a | grep -o ' -\\?echo ')");
        let told = format!("code={code} echo");
        let text = self.wait(&told, |text| text.contains(&told) && prompt(text));
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
