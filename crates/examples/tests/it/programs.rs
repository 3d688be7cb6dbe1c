//! Each program says what its header promises.

use std::cell::RefCell;
use std::rc::Rc;

use squall::IoLoop;
use squall::ioloop::Activity;

use crate::source::{
    callback_to_future, done_callback, fire_and_forget, parallel, promise, run_sync, thread_pool,
    websocket_chat, websocket_echo,
};
use crate::support::{Run, assert_kept, folder, play};

macro_rules! source_of {
    ($name:ident) => {
        include_str!(concat!("../../examples/", stringify!($name), ".rs"))
    };
}

#[test]
fn done_callback_reports_a_page() {
    assert_kept(source_of!(done_callback), &play(done_callback::run, &[]));
}

#[test]
fn websockets_talk_to_themselves() {
    let (echo, chat) = (
        play(websocket_echo::run, &[]),
        play(websocket_chat::run, &[]),
    );
    assert_kept(source_of!(websocket_echo), &echo);
    assert_kept(source_of!(websocket_chat), &chat);
    for run in [websocket_echo::run, websocket_chat::run] {
        let error = "expected a port, found `80000`";
        assert_eq!(play(run, &["80000"]).failure(), error);
    }
}

#[test]
fn fire_and_forget_logs_and_goes_on() {
    let played = play(fire_and_forget::run, &[]);
    assert_kept(source_of!(fire_and_forget), &played);
    let places = played
        .lines
        .iter()
        .filter(|line| line.contains("fire_and_forget.rs:"));
    assert!(
        places.count() >= 2,
        "the log names the places: {:#?}",
        played.lines
    );
}

#[test]
fn run_sync_adds_tags() {
    let file = folder("run_sync_adds_tags").join("tags.sqlite");
    let file = file.to_str().unwrap();
    let played = play(run_sync::run, &[file]);
    assert_kept(source_of!(run_sync), &played);
    assert_eq!(played.lines[1], "inserted storm, its id is 1");
    assert_eq!(played.lines[4], "the database has 3 tags now");

    let played = play(run_sync::run, &[file]);
    assert_eq!(played.lines[4], "the database has 6 tags now");
}

#[test]
fn callback_to_future_awaits_a_callback() {
    assert_kept(
        source_of!(callback_to_future),
        &play(callback_to_future::run, &[]),
    );
}

#[test]
fn thread_pool_leaves_the_loop_free() {
    assert_kept(source_of!(thread_pool), &play(thread_pool::run, &[]));
}

#[test]
fn parallel_keeps_the_shapes() {
    assert_kept(source_of!(parallel), &play(parallel::run, &[]));
}

#[test]
fn promise_is_settled_by_hand() {
    assert_kept(source_of!(promise), &play(promise::run, &[]));
}

/// The tour draws what the loop of its thread does, so a program must not make another one.
#[test]
fn programs_run_on_the_loop_of_their_thread() {
    let file = folder("programs_run_on_the_loop").join("tags.sqlite");
    let programs: [(Run, &str, &str); 7] = [
        (done_callback::run, "done_callback.rs", ""),
        (fire_and_forget::run, "fire_and_forget.rs", ""),
        (run_sync::run, "sqlite.rs", file.to_str().unwrap()),
        (callback_to_future::run, "callback_to_future.rs", ""),
        (thread_pool::run, "thread_pool.rs", "0"),
        (parallel::run, "parallel.rs", ""),
        (promise::run, "promise.rs", ""),
    ];
    for (run, file, arg) in programs {
        let io_loop = IoLoop::new().unwrap();
        let files = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&files);
        io_loop.observe(move |span| match span.activity {
            Activity::Pool { location, .. } | Activity::Run { location } => {
                seen.borrow_mut().push(location.file());
            }
            _ => {}
        });
        let args: Vec<&str> = Some(arg)
            .filter(|arg| !arg.is_empty())
            .into_iter()
            .collect();
        assert_eq!(play(run, &args).error, None);
        let files = files.take();
        assert!(
            files.iter().any(|seen| seen.ends_with(file)),
            "{file}: {files:?}"
        );
        assert!(!io_loop.is_closed());
    }
}
