//! The terminal: taken on the way in, given back on every way out.
//!
//! A guard gives it back when it goes out of scope, a hook when the program panics. While the program is stopped (Ctrl-Z, or
//! a signal from elsewhere) the shell has it as it was.

use std::io::{self, Stdout, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use common::failure::{Context as _, Exit, Failure, Result};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal as Kind, raise};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::model::Model;
use super::theme::Theme;
use super::view::view;

/// The screen, ours for as long as this value lives.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    stop: Signal,
    resume: Signal,
}

impl Screen {
    /// Takes it.
    pub(super) fn enter() -> Result<Self> {
        restore_on_panic();
        let failed = || "cannot use the terminal".to_owned();
        // Listened for once and for all: a signal between two listeners would be lost.
        let listen = |kind| signal(kind).context(|| "cannot listen for signals".to_owned());
        let (stop, resume) = (
            listen(SignalKind::from_raw(Kind::SIGTSTP as i32))?,
            listen(SignalKind::from_raw(Kind::SIGCONT as i32))?,
        );
        let taken = take();
        let terminal = taken.and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        let terminal = terminal.context(failed).map_err(|failure: Failure| {
            restore();
            failure.exit_code(Exit::NotStarted)
        })?;
        Ok(Self { terminal, stop, resume })
    }

    /// Draws the model; only what has changed is sent.
    pub(super) fn draw(&mut self, model: &Model, theme: Theme) -> Result<()> {
        let drawn = self.terminal.draw(|frame| view(model, theme, frame));
        drawn.map(drop).map_err(|error| lost().source(error))
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Stops this program until somebody wants it to go on. Its children are in groups of their own and do not stop.
    pub(super) fn suspend(&mut self) -> Result<()> {
        restore();
        // SIGTSTP would only come back to us; the shell sees no difference.
        raise(Kind::SIGSTOP).context(|| "cannot stop this program".to_owned())?;
        self.again()
    }

    /// Takes the terminal again, after somebody else had it.
    pub(super) fn again(&mut self) -> Result<()> {
        take().map_err(|error| lost().source(error))?;
        self.redraw()
    }

    /// Makes the next frame draw everything, whatever is on the terminal.
    pub(super) fn redraw(&mut self) -> Result<()> {
        // Not `clear`: it asks the terminal where its cursor is, and whoever reads keys would get the answer.
        let size = self.terminal.size().map_err(|error| lost().source(error))?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size))).map_err(|error| lost().source(error))
    }

    /// Returns when somebody wants us to stop (true), or when we were stopped and go on (false).
    pub(super) async fn job_control(&mut self) -> bool {
        tokio::select! {
            _ = self.stop.recv() => true,
            _ = self.resume.recv() => false,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal is gone: its window was closed, its connection has ended.
pub(super) fn is_gone() -> bool {
    let stdin = io::stdin();
    let mut asked = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    poll(&mut asked, PollTimeout::ZERO).is_ok()
        && asked[0].revents().is_some_and(|said| said.intersects(PollFlags::POLLHUP | PollFlags::POLLNVAL))
}

/// Nobody is left to read or to type.
pub(super) fn lost() -> Failure {
    Failure::new("the terminal is gone").exit_code(Exit::Child(129))
}

/// Whether the terminal is ours. Given back twice, it would put its cursor back, too, to where a report stands by now.
static OURS: AtomicBool = AtomicBool::new(false);

fn take() -> io::Result<()> {
    OURS.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste,
        crossterm::cursor::Hide
    )
}

fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Where one of them fails the terminal is gone, and nothing has to be put right.
    drop(execute!(
        out,
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        crossterm::cursor::Show
    ));
    drop(disable_raw_mode());
    drop(out.flush());
}

/// A panic of this thread gives the terminal back before it is reported. One of another thread is not the end of the screens:
/// the task that broke says so to its caller, and its report must not be written over them.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let ours = std::thread::current().id();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == ours {
                restore();
                before(panic);
            }
        }));
    });
}
