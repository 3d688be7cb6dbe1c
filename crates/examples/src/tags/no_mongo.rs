//! Instead of tags on a MongoDB server, how to get them.

use crate::failure::Failure;

/// A server that cannot be had.
#[derive(Debug)]
pub(super) enum Mongo {}

impl Mongo {
    pub(super) async fn open(_url: &str) -> Result<Self, Failure> {
        Err(Failure::new(
            "this program was built without the MongoDB driver; build it in: \
             cargo run -p squall-examples --features mongodb --example run_sync -- mongodb://...",
        ))
    }

    pub(super) async fn insert(&self, _tag: &str) -> Result<String, Failure> {
        match *self {}
    }

    pub(super) async fn count(&self) -> Result<u64, Failure> {
        match *self {}
    }
}
