//! Child processes.

use std::fmt;
use std::io;
use std::panic::Location;
use std::process::{Command, ExitStatus};
use std::rc::Rc;

use tokio::process::Child;
pub use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::ioloop::IoLoop;
use crate::locks::Lock;
use crate::task::Task;

/// A child process whose end is a future and whose pipes are streams; Tornado's `Subprocess`.
///
/// Dropping it lets the process go on; it is collected when it ends.
///
/// # Examples
///
/// ```
/// use std::process::{Command, Stdio};
/// use squall_ioloop::{IoLoop, process::Subprocess};
/// use tokio::io::AsyncReadExt;
///
/// let text = IoLoop::run_sync(async {
///     let mut command = Command::new("echo");
///     command.arg("hello").stdout(Stdio::piped());
///     let mut process = Subprocess::spawn(command)?;
///     let mut text = String::new();
///     if let Some(mut stdout) = process.take_stdout() {
///         stdout.read_to_string(&mut text).await?;
///     }
///     assert!(process.wait_for_exit().await?.success());
///     Ok::<_, std::io::Error>(text)
/// })?;
/// assert_eq!(text, "hello\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Subprocess {
    id: u32,
    child: Rc<Lock<Child>>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Subprocess {
    /// Starts a process. Streams that the command sets to [`Stdio::piped`](std::process::Stdio::piped)
    /// can be taken with `take_stdin`, `take_stdout` and `take_stderr`.
    ///
    /// # Errors
    ///
    /// When the system cannot start it; the message names the program.
    ///
    /// # Panics
    ///
    /// Panics off a loop, as [`IoLoop::current`] does.
    #[track_caller]
    pub fn spawn(command: Command) -> io::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut command = tokio::process::Command::from(command);
        let io_loop = IoLoop::current();
        let child = io_loop.check_open();
        let child = child.and_then(|()| io_loop.enter(|| command.spawn()));
        let mut child = child.map_err(|err| {
            io::Error::new(err.kind(), format!("cannot start `{program}`: {err}"))
        })?;
        Ok(Self {
            // There until the process is waited for, which cannot have happened yet.
            id: child.id().unwrap_or(0),
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            child: Rc::new(Lock::new(child)),
        })
    }

    /// The system's number of the process. It may belong to another process after this one's end.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The pipe to the process's standard input, once. Dropping it closes the input.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// The pipe from the process's standard output, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// The pipe from the process's standard error, once.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.stderr.take()
    }

    /// Waits for the process to end and gives its status; whether that is a failure is for the caller
    /// to say. Can be asked for again. A pipe to its input that was not taken is closed first.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_exit(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.child.acquire().await.wait().await
    }

    /// Runs a callback with the status when the process has ended; Tornado's `set_exit_callback`. The
    /// answer is the task that waits; cancelling it takes the callback away, dropping it does not.
    #[track_caller]
    pub fn set_exit_callback(
        &self,
        callback: impl FnOnce(io::Result<ExitStatus>) + 'static,
    ) -> Task<()> {
        let child = Rc::clone(&self.child);
        let wait = async move {
            let status = child.acquire().await.wait().await;
            callback(status);
        };
        Task::spawn(IoLoop::current().core(), wait, Location::caller())
    }

    /// Ends the process at once, as `SIGKILL` does, and waits for it.
    ///
    /// # Errors
    ///
    /// When the system refuses. A process that has ended is no error.
    ///
    /// # Cancel safety
    ///
    /// The signal is sent with the first poll; dropping the future later only stops waiting.
    pub async fn kill(&mut self) -> io::Result<()> {
        // By number, since somebody may wait for it and hold the lock.
        let status = self.child.try_acquire().map(|mut child| match child.id() {
            Some(_) => child.start_kill(),
            // Its end was seen already.
            None => Ok(()),
        });
        match status {
            Some(result) => result?,
            None => self.signal_kill()?,
        }
        self.wait_for_exit().await.map(drop)
    }

    /// Sends `SIGKILL` while another future waits for the process, which is therefore not collected
    /// and keeps its number.
    fn signal_kill(&self) -> io::Result<()> {
        // SAFETY: a system call without pointers.
        let result = unsafe { libc::kill(self.id as libc::pid_t, libc::SIGKILL) };
        let err = io::Error::last_os_error();
        if result == 0 || err.raw_os_error() == Some(libc::ESRCH) {
            return Ok(());
        }
        Err(err)
    }
}

impl fmt::Debug for Subprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subprocess")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
