//! Callbacks for raw descriptors.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use squall_ioloop::{Events, IoLoop, moment, sleep};

use crate::support::{Flag, MS, Notes, OnDrop, Outcome, logged, run, unless_it_hangs};

/// Waits until something is the case.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        sleep(MS).await;
    }
}

#[test]
fn a_readable_descriptor_is_told_again_and_again() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            let (mut reader, mut writer) = pipe()?;
            let descriptor = reader.as_raw_fd();
            let calls = Rc::new(Cell::new(0));
            let count = Rc::clone(&calls);
            io_loop.add_handler(descriptor, Events::READ, move |told, events| {
                assert_eq!(told, descriptor);
                assert!(events.has(Events::READ) && !events.has(Events::WRITE));
                count.set(count.get() + 1);
            })?;
            sleep(2 * MS).await;
            assert_eq!(calls.get(), 0);
            writer.write_all(b"ab")?;
            until(|| calls.get() >= 5).await;
            reader.read_exact(&mut [0; 2])?;
            moment().await;
            moment().await;
            let before = calls.get();
            sleep(2 * MS).await;
            assert_eq!(calls.get(), before, "it was read");
            writer.write_all(b"c")?;
            until(|| calls.get() > before).await;
            assert!(io_loop.remove_handler(descriptor));
            let before = calls.get();
            sleep(2 * MS).await;
            assert_eq!(calls.get(), before);
            assert!(!io_loop.remove_handler(descriptor));
            Ok(())
        })
        .expect("the handler is told");
    });
}

#[test]
fn what_is_watched_for_can_be_changed() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            let (ours, mut theirs) = UnixStream::pair()?;
            let descriptor = ours.as_raw_fd();
            let notes = Notes::new();
            let inner = notes.clone();
            io_loop.add_handler(descriptor, Events::READ, move |_, events| inner.add(events))?;
            sleep(2 * MS).await;
            assert_eq!(notes.len(), 0);
            io_loop.update_handler(descriptor, Events::WRITE)?;
            until(|| notes.len() > 2).await;
            assert!(notes.take().iter().all(|events| *events == Events::WRITE));
            io_loop.update_handler(descriptor, Events::NONE)?;
            moment().await;
            notes.take();
            sleep(2 * MS).await;
            assert_eq!(notes.len(), 0);
            theirs.write_all(b"x")?;
            io_loop.update_handler(descriptor, Events::READ | Events::WRITE)?;
            until(|| notes.len() > 0).await;
            assert_eq!(notes.take()[0], Events::READ | Events::WRITE);
            Ok(())
        })
        .expect("the handler is told");
    });
}

#[test]
fn errors_and_hang_ups_are_told_unasked() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            for asked in [
                Events::NONE,
                Events::READ,
                Events::WRITE,
                Events::READ | Events::WRITE,
            ] {
                // The writing end of a pipe is in error, the reading end hung up, when the other goes.
                for writes in [true, false] {
                    let (reader, writer) = pipe()?;
                    let (descriptor, other): (_, Box<dyn std::any::Any>) = if writes {
                        (writer.as_raw_fd(), Box::new(reader))
                    } else {
                        (reader.as_raw_fd(), Box::new(writer))
                    };
                    let told = Flag::default();
                    let inner = told.clone();
                    io_loop.add_handler(descriptor, asked, move |descriptor, events| {
                        if events.has(Events::ERROR) {
                            inner.set();
                            IoLoop::current().remove_handler(descriptor);
                        }
                    })?;
                    sleep(MS).await;
                    drop(other);
                    until(|| told.is_set()).await;
                }
            }
            Ok(())
        })
        .expect("the handler is told");
    });
}

#[test]
fn a_handler_may_remove_and_replace_itself() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            let (reader, mut writer) = pipe()?;
            writer.write_all(b"x")?;
            let notes = Notes::new();
            let dropped = Flag::default();
            let held = OnDrop::new(dropped.sets());
            let inner = notes.clone();
            let first = move |descriptor, _| {
                let _held = &held;
                inner.add("first");
                let io_loop = IoLoop::current();
                assert!(io_loop.remove_handler(descriptor));
                let last = inner.clone();
                let second = move |descriptor, _| {
                    last.add("second");
                    IoLoop::current().remove_handler(descriptor);
                };
                io_loop
                    .add_handler(descriptor, Events::READ, second)
                    .expect("it is watched no more");
            };
            io_loop.add_handler(reader.as_raw_fd(), Events::READ, first)?;
            until(|| notes.len() == 2).await;
            sleep(2 * MS).await;
            assert_eq!(notes.take(), ["first", "second"]);
            assert!(dropped.is_set());
            assert_eq!(io_loop.task_count(), 1);
            Ok(())
        })
        .expect("both are told");
    });
}

#[test]
fn a_handler_may_update_itself() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            let (ours, _theirs) = UnixStream::pair()?;
            let descriptor = ours.as_raw_fd();
            let calls = Rc::new(Cell::new(0));
            let count = Rc::clone(&calls);
            io_loop.add_handler(descriptor, Events::WRITE, move |descriptor, _| {
                count.set(count.get() + 1);
                let next = if count.get() < 3 {
                    Events::WRITE
                } else {
                    Events::READ
                };
                IoLoop::current()
                    .update_handler(descriptor, next)
                    .expect("it has a handler");
            })?;
            until(|| calls.get() == 3).await;
            sleep(2 * MS).await;
            assert_eq!(calls.get(), 3);
            Ok(())
        })
        .expect("it is told three times");
    });
}

#[test]
fn what_cannot_be_watched_is_refused_by_name() -> Outcome {
    run(async {
        let io_loop = IoLoop::current();
        let file = File::open("/proc/self/exe")?;
        let plain = file.as_raw_fd();
        let refused = io_loop.add_handler(plain, Events::READ, |_, _| ()).err();
        let text = refused.ok_or("watched")?.to_string();
        assert!(
            text.contains(&format!("cannot watch descriptor {plain}")),
            "{text}"
        );
        for closed in [-1, 1_000_000] {
            let refused = io_loop.add_handler(closed, Events::READ, |_, _| ()).err();
            let text = refused.ok_or("watched")?.to_string();
            assert!(text.contains(&closed.to_string()), "{text}");
        }
        let (reader, _writer) = pipe()?;
        let descriptor = reader.as_raw_fd();
        let missing = io_loop.update_handler(descriptor, Events::READ).err();
        let err = missing.ok_or("updated")?;
        assert_eq!(err.kind(), std::io::ErrorKind::NotFound);
        assert!(err.to_string().contains("`add_handler`"), "{err}");
        io_loop.add_handler(descriptor, Events::READ, |_, _| ())?;
        let twice = io_loop
            .add_handler(descriptor, Events::READ, |_, _| ())
            .err();
        let err = twice.ok_or("watched")?;
        assert_eq!(err.kind(), std::io::ErrorKind::AlreadyExists);
        assert!(err.to_string().contains("`update_handler`"), "{err}");
        Ok(())
    })
}

#[test]
fn a_handler_that_panics_is_logged_and_stays() {
    unless_it_hangs(|| {
        let line = line!() + 8;
        let (result, log) = logged(|| {
            run(async {
                let io_loop = IoLoop::current();
                let (reader, mut writer) = pipe()?;
                let descriptor = reader.as_raw_fd();
                let calls = Rc::new(Cell::new(0));
                let count = Rc::clone(&calls);
                io_loop.add_handler(descriptor, Events::READ, move |descriptor, _| {
                    count.set(count.get() + 1);
                    if count.get() == 2 {
                        IoLoop::current().remove_handler(descriptor);
                    }
                    panic!("call {}", count.get());
                })?;
                writer.write_all(b"x")?;
                until(|| calls.get() == 2).await;
                Ok(())
            })
        });
        result.expect("it is told twice");
        assert_eq!(log.len(), 2, "{log:?}");
        for (entry, text) in log.iter().zip(["call 1", "call 2"]) {
            entry.assert_error(line, &["a descriptor callback panicked", text]);
            entry.assert_backtrace();
        }
    });
}

#[test]
fn a_descriptor_may_be_closed_while_it_is_watched() {
    unless_it_hangs(|| {
        run(async {
            let io_loop = IoLoop::current();
            let (reader, writer) = pipe()?;
            let descriptor = reader.as_raw_fd();
            let told = Flag::default();
            let inner = told.clone();
            io_loop.add_handler(descriptor, Events::READ, move |descriptor, _| {
                inner.set();
                IoLoop::current().remove_handler(descriptor);
            })?;
            drop(reader);
            drop(writer);
            until(|| told.is_set()).await;
            Ok(())
        })
        .expect("the end is told");
    });
}

#[test]
fn closing_the_loop_drops_its_handlers() -> Outcome {
    let io_loop = IoLoop::new()?;
    let (reader, _writer) = pipe()?;
    let dropped = Flag::default();
    let held = OnDrop::new(dropped.sets());
    io_loop.add_handler(reader.as_raw_fd(), Events::READ, move |_, _| {
        let _held = &held;
    })?;
    io_loop.stop();
    io_loop.start();
    io_loop.close();
    assert!(dropped.is_set());
    assert!(!io_loop.remove_handler(reader.as_raw_fd()));
    Ok(())
}

#[test]
fn events_show_their_names() {
    assert_eq!(
        format!("{:?}", Events::READ | Events::ERROR),
        "Events(READ | ERROR)"
    );
    assert_eq!(format!("{:?}", Events::NONE), "Events()");
    assert!(!(Events::READ | Events::WRITE).has(Events::ERROR | Events::NONE));
}
