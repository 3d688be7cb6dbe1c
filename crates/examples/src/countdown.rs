//! A loop that stops after a number of callbacks.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use squall::IoLoop;

use crate::say;

/// Starts a loop and stops it once a given number of callbacks has run, and says so.
///
/// Clones count the same callbacks.
///
/// # Examples
///
/// ```
/// use squall_examples::Countdown;
///
/// let countdown = Countdown::of(2)?;
/// for _ in 0..2 {
///     let countdown = countdown.clone();
///     countdown.io_loop().clone().add_callback(move || countdown.count());
/// }
/// countdown.start();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Countdown {
    io_loop: IoLoop,
    left: Rc<Cell<usize>>,
}

impl Countdown {
    /// Takes this thread's loop, or makes one, for `callbacks` callbacks.
    ///
    /// # Errors
    ///
    /// When the system refuses to make a loop.
    pub fn of(callbacks: usize) -> io::Result<Self> {
        let io_loop = IoLoop::try_current().or_else(|_| IoLoop::new())?;
        let left = Rc::new(Cell::new(callbacks));
        Ok(Self { io_loop, left })
    }

    /// The loop that is started and stopped.
    #[must_use]
    pub fn io_loop(&self) -> &IoLoop {
        &self.io_loop
    }

    /// Counts one callback; the last one stops the loop. Those beyond it count no more.
    pub fn count(&self) {
        let left = self.left.get().saturating_sub(1);
        self.left.set(left);
        if left == 0 {
            self.io_loop.stop();
        }
    }

    /// Runs the loop until the last callback has counted. With none to wait for, runs one turn.
    pub fn start(&self) {
        match self.left.get() {
            0 => self.io_loop.stop(),
            1 => say!("(the loop starts, and stops after 1 callback)"),
            left => say!("(the loop starts, and stops after {left} callbacks)"),
        }
        self.io_loop.start();
    }
}
