//! Stands here soon.
fn main() {}
