//! The programs, as modules. Their `main` is for the program alone.

#![allow(dead_code, unreachable_pub)]

#[path = "../../examples/callback_to_future.rs"]
pub(crate) mod callback_to_future;
#[path = "../../examples/done_callback.rs"]
pub(crate) mod done_callback;
#[path = "../../examples/fire_and_forget.rs"]
pub(crate) mod fire_and_forget;
#[path = "../../examples/parallel.rs"]
pub(crate) mod parallel;
#[path = "../../examples/promise.rs"]
pub(crate) mod promise;
#[path = "../../examples/run_sync.rs"]
pub(crate) mod run_sync;
#[path = "../../examples/thread_pool.rs"]
pub(crate) mod thread_pool;
#[path = "../../examples/websocket_chat.rs"]
pub(crate) mod websocket_chat;
#[path = "../../examples/websocket_echo.rs"]
pub(crate) mod websocket_echo;
