//! The programs of the examples as modules, so that what the page shows is what it runs.

#![allow(
    dead_code,
    reason = "each has a `main` of its own, for when it is run alone"
)]
#![allow(unreachable_pub, reason = "each is public where it is a program")]

#[path = "../../../examples/examples/callback_to_future.rs"]
pub(super) mod callback_to_future;
#[path = "../../../examples/examples/done_callback.rs"]
pub(super) mod done_callback;
#[path = "../../../examples/examples/fire_and_forget.rs"]
pub(super) mod fire_and_forget;
#[path = "../../../examples/examples/parallel.rs"]
pub(super) mod parallel;
#[path = "../../../examples/examples/promise.rs"]
pub(super) mod promise;
#[path = "../../../examples/examples/run_sync.rs"]
pub(super) mod run_sync;
#[path = "../../../examples/examples/thread_pool.rs"]
pub(super) mod thread_pool;
