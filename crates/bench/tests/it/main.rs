//! The programs of the bench, run as processes.

mod bench;
mod load;
