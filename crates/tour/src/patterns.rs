//! The seven patterns: their programs, which are those of the examples, and what the page says about them.

mod programs;

use crate::words::{self, Words};

/// A calling pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Its name in addresses and on the command line; also that of its source file.
    pub(crate) name: &'static str,
    /// What it does in a few words, for the terminal.
    pub(crate) summary: &'static str,
    pub(crate) source: &'static str,
    /// The program: blocks until it is done, on this thread's current loop.
    pub(crate) run: fn(&[String]) -> squall::Result<()>,
    pub(crate) input: Input,
    pub(crate) words: Words,
}

/// What a pattern can be given by its visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The address of a database.
    Database,
    /// Nothing.
    None,
    /// A number of seconds.
    Seconds,
    /// One address to fetch.
    Url,
    /// Addresses to fetch.
    Urls,
}

macro_rules! pattern {
    ($name:ident, $input:ident, $words:ident, $summary:literal) => {
        Pattern {
            name: stringify!($name),
            summary: $summary,
            source: include_str!(concat!(
                "../../examples/examples/",
                stringify!($name),
                ".rs"
            )),
            run: programs::$name::run,
            input: Input::$input,
            words: words::$words,
        }
    };
}

/// All of them, in the order in which they are told.
pub(crate) const ALL: &[Pattern] = &[
    pattern!(
        done_callback,
        Url,
        DONE_CALLBACK,
        "a result through a done callback"
    ),
    pattern!(
        fire_and_forget,
        None,
        FIRE_AND_FORGET,
        "work that nobody waits for, and its failures"
    ),
    pattern!(
        run_sync,
        Database,
        RUN_SYNC,
        "start the loop, run one thing, stop"
    ),
    pattern!(
        callback_to_future,
        None,
        CALLBACK_TO_FUTURE,
        "a function that wants a callback, awaited"
    ),
    pattern!(
        thread_pool,
        Seconds,
        THREAD_POOL,
        "blocking work on a pool of threads"
    ),
    pattern!(
        parallel,
        Urls,
        PARALLEL,
        "many fetches at once, their shape kept"
    ),
    pattern!(promise, None, PROMISE, "a future settled by hand"),
];

/// The pattern of this name.
pub(crate) fn find(name: &str) -> Option<&'static Pattern> {
    ALL.iter().find(|pattern| pattern.name == name)
}
