//! Failures that nobody waits for: each is logged with the place that spawned it, and the loop goes
//! on.

use std::fmt;

use squall_ioloop::{IoLoop, moment, spawn_callback};
use tracing::Subscriber;

use crate::support::{Bomb, Entry, Flag, MS, Outcome, logged, run, stop};

/// Starts something that fails, and answers with the line that its entry must name.
type Start = fn(&IoLoop) -> u32;

/// The log of a loop on which something fails, and which goes on all the same.
fn log_of(start: Start) -> Result<(u32, Vec<Entry>), Box<dyn std::error::Error>> {
    // Paused: it stops when everything else has run, however long that takes.
    let io_loop = IoLoop::with_paused_clock()?;
    let goes_on = Flag::default();
    let (line, log) = logged(|| {
        let line = start(&io_loop);
        let sets = goes_on.sets();
        io_loop.call_later(3 * MS, move || {
            sets();
            stop();
        });
        io_loop.start();
        line
    });
    assert!(goes_on.is_set());
    Ok((line, log))
}

/// Panics, but has a type that a callback may end with.
fn panic_with(text: &'static str) {
    panic!("{text}");
}

/// Panics with any payload.
fn throw(payload: impl std::any::Any + Send) {
    std::panic::panic_any(payload);
}

#[test]
fn a_panic_is_logged_with_place_and_backtrace() -> Outcome {
    let cases: [(&str, Start); 9] = [
        ("a callback panicked: add_callback", |io_loop| {
            io_loop.add_callback(|| panic!("add_callback"));
            line!() - 1
        }),
        ("a callback panicked: small", |io_loop| {
            io_loop.spawn_callback(async { panic_with("small") });
            line!() - 1
        }),
        ("a callback panicked: later", |io_loop| {
            io_loop.spawn_callback(async {
                moment().await;
                panic_with("later");
            });
            line!() - 4
        }),
        ("a callback panicked: large", |io_loop| {
            let large = [1_u64; 50];
            io_loop.spawn_callback(async move { assert_eq!(large.len(), 1, "large") });
            line!() - 1
        }),
        ("a callback panicked: call_later", |io_loop| {
            io_loop.call_later(MS, || panic!("call_later"));
            line!() - 1
        }),
        ("a callback panicked: call_at", |io_loop| {
            io_loop.call_at(io_loop.time(), || panic!("call_at"));
            line!() - 1
        }),
        ("a done callback panicked: done", |io_loop| {
            io_loop
                .spawn(async {})
                .add_done_callback(|_| panic!("done"));
            line!() - 1
        }),
        ("a done callback panicked: add_future", |io_loop| {
            io_loop.add_future(async {}, |_| panic!("add_future"));
            line!() - 1
        }),
        ("panicked: nobody waits", |io_loop| {
            drop(io_loop.spawn(async { panic!("nobody waits") }));
            line!() - 1
        }),
    ];
    for (message, start) in cases {
        let (line, log) = log_of(start)?;
        assert_eq!(log.len(), 1, "{message}: {log:?}");
        let words: Vec<_> = message.split(": ").collect();
        log[0].assert_error(line, &words);
        assert!(log[0].message.ends_with("; the loop goes on"), "{log:?}");
        log[0].assert_backtrace();
    }
    Ok(())
}

/// An error with a cause.
#[derive(Debug)]
struct Wrapped(std::num::ParseIntError);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the log book is torn")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_logged_with_place_and_causes() -> Outcome {
    let cases: [Start; 3] = [
        |io_loop| {
            io_loop.spawn_callback(async { "x".parse::<u32>().map(drop).map_err(Wrapped) });
            line!() - 1
        },
        |io_loop| {
            io_loop.spawn_callback(async {
                moment().await;
                Some("x".parse::<u32>().map_err(Wrapped))
            });
            line!() - 4
        },
        |io_loop| {
            let inner = io_loop.clone();
            io_loop.add_callback(move || {
                inner.spawn_callback(async {
                    Err::<(), _>(Box::new(Wrapped("x".parse::<u32>().unwrap_err())))
                });
            });
            line!() - 4
        },
    ];
    for start in cases {
        let (line, log) = log_of(start)?;
        assert_eq!(log.len(), 1, "{log:?}");
        log[0].assert_error(
            line,
            &["a callback failed: the log book is torn: invalid digit found in string; the loop goes on"],
        );
        // It names the loop's frames at least, and the future that failed.
        let backtrace = log[0].field("backtrace");
        assert!(backtrace.lines().count() > 2, "backtrace: {backtrace:?}");
    }
    Ok(())
}

/// A backtrace takes a while to write, so a burst of errors of one place has one between them.
#[test]
fn a_burst_of_errors_is_logged_whole_with_one_backtrace() -> Outcome {
    let (line, log) = log_of(|io_loop| {
        for _ in 0..20 {
            io_loop.spawn_callback(async { Err::<(), _>("torn") });
        }
        line!() - 2
    })?;
    assert_eq!(log.len(), 20);
    for entry in &log {
        entry.assert_error(line, &["a callback failed: torn; the loop goes on"]);
    }
    let long = |entry: &&Entry| entry.field("backtrace").lines().count() > 2;
    assert!(long(&&log[0]));
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        assert!(log.iter().filter(long).count() < 5, "{log:?}");
    }
    Ok(())
}

#[test]
fn the_free_function_names_its_caller() -> Outcome {
    let (line, log) = logged(|| -> Result<u32, Box<dyn std::error::Error>> {
        run(async {
            spawn_callback(async { Err::<(), _>("free") });
            let line = line!() - 1;
            moment().await;
            Ok(line)
        })
    });
    log[0].assert_error(line?, &["a callback failed: free"]);
    Ok(())
}

#[test]
fn success_of_every_kind_is_not_logged() -> Outcome {
    let ((), log) = logged(|| {
        run(async {
            spawn_callback(async {});
            spawn_callback(async { 5 });
            spawn_callback(async { "text" });
            spawn_callback(async { Ok::<_, String>(String::new()) });
            spawn_callback(async { Some(1.5) });
            spawn_callback(async { vec![1] });
            spawn_callback(async { [(), ()] });
            spawn_callback(async { std::collections::HashMap::<u8, u8>::new() });
            spawn_callback(async { std::collections::BTreeMap::<u8, u8>::new() });
            moment().await;
            Ok(())
        })
        .expect("no failure");
    });
    assert!(log.is_empty(), "{log:?}");
    Ok(())
}

#[test]
fn a_seen_panic_is_not_logged() -> Outcome {
    let (result, log) = logged(|| {
        run(async {
            let task = squall_ioloop::spawn(async { panic!("seen") });
            let result: Result<(), _> = task.await;
            assert!(result.is_err());
            let task = squall_ioloop::spawn(async { panic!("seen by a callback") });
            task.add_done_callback(|result: Result<&(), _>| assert!(result.is_err()));
            drop(task);
            for _ in 0..3 {
                moment().await;
            }
            Ok(())
        })
    });
    result?;
    assert!(log.is_empty(), "{log:?}");
    Ok(())
}

#[test]
fn payloads_that_panic_when_dropped_do_not_end_the_loop() -> Outcome {
    let cases: [Start; 5] = [
        |io_loop| {
            io_loop.add_callback(|| std::panic::panic_any(Bomb));
            line!() - 1
        },
        |io_loop| {
            io_loop.call_later(MS, || std::panic::panic_any(Bomb));
            line!() - 1
        },
        |io_loop| {
            io_loop.spawn_callback(async { throw(Bomb) });
            line!() - 1
        },
        |io_loop| {
            drop(io_loop.spawn(async { std::panic::panic_any(Bomb) }));
            line!() - 1
        },
        |io_loop| {
            io_loop.add_future(async {}, |_| std::panic::panic_any(Bomb));
            line!() - 1
        },
    ];
    for start in cases {
        let (line, log) = log_of(start)?;
        assert_eq!(log.len(), 1, "{log:?}");
        log[0].assert_error(line, &["a payload that is no text"]);
    }
    Ok(())
}

/// An error that cannot be shown.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("do not ask")
    }
}

impl std::error::Error for Unspeakable {}

/// A subscriber that panics.
struct Touchy;

impl Subscriber for Touchy {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        panic!("do not tell me");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_subscriber_or_an_error_that_panics_does_not_end_the_loop() -> Outcome {
    let (_, _log) = log_of(|io_loop| {
        io_loop.spawn_callback(async { Err::<(), _>(Unspeakable) });
        line!() - 1
    })?;
    tracing::subscriber::with_default(Touchy, || {
        let io_loop = IoLoop::new()?;
        io_loop.add_callback(|| panic!("told to nobody"));
        io_loop.add_future(async {}, |_| panic!("told to nobody"));
        io_loop.spawn_callback(async { Err::<(), _>("told to nobody") });
        io_loop.call_later(3 * MS, stop);
        io_loop.start();
        Ok(())
    })
}
