//! The loop as its users meet it.

mod clock;
mod close;
mod executor;
mod ioloop;
mod locks;
mod multi;
mod promises;
mod queues;
mod support;
mod tasks;
mod timers;
