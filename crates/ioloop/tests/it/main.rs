//! The loop as its users meet it.

mod locks;
mod queues;
