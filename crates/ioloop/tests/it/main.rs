//! The loop as its users meet it.

mod close;
mod locks;
mod queues;
mod support;
