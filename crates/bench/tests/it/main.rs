//! The programs of the bench, run as processes.

mod load;
