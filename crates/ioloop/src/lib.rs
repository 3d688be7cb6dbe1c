//! The event loop of Squall.
//!
//! One loop a thread, and nothing on it need be `Send`: `Rc` and `RefCell` work everywhere. Each
//! loop is a tokio `LocalRuntime` underneath, so libraries made for tokio work on it unchanged;
//! what Tornado's users know by heart (callbacks, timers, futures with done callbacks,
//! `spawn_callback`, `run_sync`, executors) is the loop's own and costs a few nanoseconds.
//!
//! # A complete program
//!
//! ```
//! use std::time::Duration;
//! use squall_ioloop::{IoLoop, ThreadPoolExecutor, multi, sleep, spawn};
//!
//! async fn after(milliseconds: u64) -> std::io::Result<u64> {
//!     sleep(Duration::from_millis(milliseconds)).await;
//!     Ok(milliseconds)
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     IoLoop::run_sync(async {
//!         let [first, second] = multi([after(2), after(1)]).await?;
//!         let pool = ThreadPoolExecutor::new(1);
//!         let third = pool.submit(|| 3).await?;
//!         let sum = spawn(async move { first + second + third }).await?;
//!         assert_eq!(sum, 6);
//!         Ok(())
//!     })
//! }
//! ```
//!
//! # Limits
//!
//! A loop does one thing at a time: a callback that blocks, blocks everything on its loop. Blocking
//! work belongs on a [`ThreadPoolExecutor`]. Sockets and clients of databases belong to the loop that
//! made them.

#![allow(
    unsafe_code,
    reason = "the one crate that may: tasks, queue and timers are laid out by hand"
)]

mod callbacks;
pub mod clock;
mod core;
mod descriptor;
mod error;
mod executor;
pub mod files;
mod handle;
mod inbox;
mod inherited;
mod ioloop;
pub mod locks;
mod multi;
mod outcome;
mod periodic;
pub mod process;
mod promise;
pub mod queues;
pub mod reactor;
mod readable;
mod report;
mod signal;
mod task;
mod timer;
mod trace;
mod unit;

pub use descriptor::Events;
pub use error::{LoopClosed, NoCurrentLoop, RunError, TaskError};
pub use executor::{ExecutorConfig, ExecutorError, Submitted, ThreadPoolExecutor};
pub use handle::{LoopHandle, RemoteTask};
pub use inherited::inherited_descriptors;
pub use ioloop::{IoLoop, spawn, spawn_callback};
pub use multi::{AsCompleted, Multi, as_completed, multi};
pub use outcome::Outcome;
pub use periodic::PeriodicCallback;
pub use promise::{
    CallbackDropped, Promise, Resolver, chain, from_callback, from_send_callback, promise,
};
pub use readable::Readable;
pub use signal::Signal;
pub use task::Task;
pub use timer::{Sleep, Timeout, TimeoutError, moment, sleep, sleep_until, with_timeout};
pub use trace::{Activity, Span};
