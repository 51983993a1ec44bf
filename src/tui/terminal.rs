//! The terminal: raw mode, alternate screen and job control.
//!
//! The terminal is restored when the guard is dropped, when the program panics, and while it is stopped (Ctrl-Z or a signal).

use std::io::{self, Stdout, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use common::ascii;
use common::failure::{Context as _, Exit, Failure, Result};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::signal::unix::{self, SignalKind};

use super::model::Model;
use super::theme::Theme;
use super::view::view;

/// Owns the terminal; dropping it restores the terminal.
pub(super) struct TerminalGuard {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    stop: unix::Signal,
    resume: unix::Signal,
}

impl TerminalGuard {
    pub(super) fn enter() -> Result<Self> {
        restore_on_panic();
        let failed = || "cannot use the terminal".to_owned();
        // One listener for the whole time: a signal between two listeners would be lost.
        let listen = |kind| unix::signal(kind).context(|| "cannot listen for signals".to_owned());
        let (stop, resume) = (
            listen(SignalKind::from_raw(Signal::SIGTSTP as i32))?,
            listen(SignalKind::from_raw(Signal::SIGCONT as i32))?,
        );
        let terminal = acquire().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        let terminal = terminal.context(failed).map_err(|failure: Failure| {
            restore();
            failure.exit_code(Exit::NotStarted)
        })?;
        Ok(Self { terminal, stop, resume })
    }

    /// Draws the model; only changed cells are written.
    pub(super) fn draw(&mut self, model: &Model, theme: Theme) -> Result<()> {
        let drawn = self.terminal.draw(|frame| {
            view(model, theme, frame);
            if ascii::is_locale() {
                to_ascii(frame.buffer_mut());
            }
        });
        drawn.map(drop).map_err(|error| lost().source(error))
    }

    /// Returns columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Stops this process until SIGCONT. Its children have process groups of their own and continue.
    pub(super) fn suspend(&mut self) -> Result<()> {
        restore();
        // SIGTSTP would reach our own handler; the shell treats both alike.
        raise(Signal::SIGSTOP).context(|| "cannot stop this program".to_owned())?;
        self.reacquire()
    }

    /// Sets up the terminal again after another process used it.
    pub(super) fn reacquire(&mut self) -> Result<()> {
        acquire().map_err(|error| lost().source(error))?;
        self.redraw()
    }

    /// Makes the next frame write every cell.
    pub(super) fn redraw(&mut self) -> Result<()> {
        // Not `clear`, which queries the cursor position: the response would be read as keys.
        let size = self.terminal.size().map_err(|error| lost().source(error))?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size))).map_err(|error| lost().source(error))
    }

    /// Waits for a request to stop (true) or for the end of a stop (false).
    pub(super) async fn job_control(&mut self) -> bool {
        tokio::select! {
            _ = self.stop.recv() => true,
            _ = self.resume.recv() => false,
        }
    }
}

/// Replaces what the terminal of a C locale cannot show, cell by cell.
pub(super) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let first = cell.symbol().chars().next().unwrap_or(' ');
            cell.set_char(ascii::of_char(first));
        }
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal has hung up: its window was closed or its connection has ended.
pub(super) fn has_hung_up() -> bool {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok()
        && fds[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLHUP | PollFlags::POLLNVAL))
}

/// The failure after the terminal has hung up, with the exit code of SIGHUP.
pub(super) fn lost() -> Failure {
    Failure::new("the terminal is gone").exit_code(Exit::Child(129))
}

/// Whether the terminal is set up. A second restore would move the cursor back over later output.
static IS_ACQUIRED: AtomicBool = AtomicBool::new(false);

fn acquire() -> io::Result<()> {
    IS_ACQUIRED.store(true, Ordering::SeqCst);
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
    if !IS_ACQUIRED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // If one of these fails, the terminal is gone and there is nothing to restore.
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

/// Restores the terminal before a panic of this thread is printed. A panic of another thread is reported through its task, and must
/// not be printed over the screens.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let main_thread = std::thread::current().id();
        let default_hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == main_thread {
                restore();
                default_hook(panic);
            }
        }));
    });
}
