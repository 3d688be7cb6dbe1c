//! The loop as its users meet it.

mod clock;
mod close;
mod descriptors;
mod executor;
mod failures;
mod files;
mod handle;
mod ioloop;
mod locks;
mod multi;
mod observe;
mod periodic;
mod process;
mod promises;
mod queues;
mod races;
#[cfg(target_os = "linux")]
mod reactor;
mod runtime;
mod signals;
mod support;
mod tasks;
mod timers;
