//! The suites, one file each.

pub(crate) mod ioloop;
