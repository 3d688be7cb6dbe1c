//! Libraries made for tokio on our loop, and who gets how much of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{IoLoop, moment, sleep, spawn, with_timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixStream};

use crate::support::{Flag, LONG, MS, Outcome, run, stop, unless_it_hangs};

#[test]
fn sockets_of_tokio_work_in_tasks() {
    unless_it_hangs(|| {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let server = spawn(async move {
                let mut served = Vec::new();
                for _ in 0..10 {
                    let (mut stream, _) = listener.accept().await?;
                    served.push(spawn(async move {
                        let (mut reader, mut writer) = stream.split();
                        tokio::io::copy(&mut reader, &mut writer).await
                    }));
                }
                let mut total = 0;
                for copied in served {
                    total += copied.await??;
                }
                std::io::Result::Ok(total)
            });
            let clients: Vec<_> = (0..10_u8)
                .map(|number| {
                    spawn(async move {
                        let mut stream = TcpStream::connect(address).await?;
                        stream.write_all(&[number; 10_000]).await?;
                        stream.shutdown().await?;
                        let mut echo = Vec::new();
                        stream.read_to_end(&mut echo).await?;
                        assert_eq!(echo, [number; 10_000]);
                        std::io::Result::Ok(())
                    })
                })
                .collect();
            for client in clients {
                client.await??;
            }
            assert_eq!(server.await??, 100_000);
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.send_to(b"x", socket.local_addr()?).await?;
            assert_eq!(socket.recv(&mut [0; 4]).await?, 1);
            Ok(())
        })
        .expect("the sockets work");
    });
}

#[test]
fn tasks_timers_and_blocking_work_of_tokio_run_on_the_loop() {
    unless_it_hangs(|| {
        run(async {
            let here = std::thread::current().id();
            let sent = tokio::spawn(async move {
                tokio::time::sleep(MS).await;
                assert_eq!(std::thread::current().id(), here);
                1
            });
            let local = Rc::new(2);
            let inner = Rc::clone(&local);
            let local = tokio::task::spawn_local(async move {
                tokio::task::yield_now().await;
                // Both kinds of tasks may use both kinds of things.
                sleep(MS).await;
                spawn(async move { *inner }).await
            });
            let blocking = tokio::task::spawn_blocking(|| 3);
            assert_eq!((sent.await?, local.await??, blocking.await?), (1, 2, 3));
            let late = tokio::time::timeout(MS, std::future::pending::<()>()).await;
            assert!(late.is_err());
            let (sender, receiver) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || sender.send(4));
            assert_eq!(receiver.await?, 4);
            Ok(())
        })
        .expect("everything runs");
    });
}

/// Adds itself again and again until the flag is set.
fn chain(stops: Flag, links: Rc<Cell<u64>>) {
    IoLoop::current().add_callback(move || {
        links.set(links.get() + 1);
        if !stops.is_set() {
            chain(stops, links);
        }
    });
}

#[test]
fn a_chain_of_callbacks_starves_neither_timers_nor_sockets_nor_tasks_of_tokio() {
    unless_it_hangs(|| {
        run(async {
            let (stops, links) = (Flag::default(), Rc::default());
            chain(stops.clone(), Rc::clone(&links));
            let before = links.get();
            sleep(2 * MS).await;
            assert!(links.get() > before);
            let (mut ours, mut theirs) = UnixStream::pair()?;
            for byte in 0..20 {
                theirs.write_all(&[byte]).await?;
                assert_eq!(with_timeout(LONG, ours.read_u8()).await??, byte);
            }
            let writer = std::thread::spawn({
                let theirs = theirs.into_std()?;
                move || std::io::Write::write_all(&mut &theirs, b"x")
            });
            assert_eq!(with_timeout(LONG, ours.read_u8()).await??, b'x');
            writer.join().map_err(|_| "panicked")??;
            tokio::spawn(tokio::task::yield_now()).await?;
            tokio::time::sleep(MS).await;
            stops.set();
            Ok(())
        })
        .expect("everybody has a turn");
    });
}

#[test]
fn tasks_that_never_wait_long_leave_timers_and_tokio_their_share() {
    unless_it_hangs(|| {
        run(async {
            for _ in 0..3 {
                spawn_forever();
            }
            sleep(2 * MS).await;
            tokio::time::sleep(2 * MS).await;
            tokio::task::spawn_local(async {}).await?;
            Ok(())
        })
        .expect("everybody has a turn");
    });
}

fn spawn_forever() {
    drop(spawn(async {
        loop {
            moment().await;
        }
    }));
}

#[test]
fn a_task_that_reads_a_socket_that_is_always_ready_leaves_callbacks_their_turn() {
    unless_it_hangs(|| {
        run(async {
            let (mut ours, mut theirs) = UnixStream::pair()?;
            let reads = Rc::new(Cell::new(0_u64));
            let count = Rc::clone(&reads);
            drop(spawn(async move {
                let ballast = [0; 4096];
                while theirs.write_all(&ballast).await.is_ok() {}
            }));
            drop(spawn(async move {
                let mut byte = [0; 1];
                while ours.read(&mut byte).await.is_ok_and(|read| read > 0) {
                    count.set(count.get() + 1);
                }
            }));
            while reads.get() == 0 {
                moment().await;
            }
            let turns = Rc::new(RefCell::new(0));
            for _ in 0..100 {
                let inner = Rc::clone(&turns);
                let (done, wait) = squall_ioloop::promise();
                IoLoop::current().add_callback(move || {
                    *inner.borrow_mut() += 1;
                    done.resolve(());
                });
                wait.await?;
            }
            assert_eq!(*turns.borrow(), 100);
            with_timeout(LONG, sleep(MS)).await?;
            Ok(())
        })
        .expect("callbacks run");
    });
}

#[test]
fn stop_is_heard_while_callbacks_and_tasks_keep_the_loop_busy() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        io_loop.add_callback(|| {
            chain(Flag::default(), Rc::default());
            spawn_forever();
        });
        let handle = io_loop.handle();
        let thread = std::thread::spawn(move || {
            handle.add_callback(|| {
                IoLoop::current().call_later(2 * MS, stop);
            })
        });
        io_loop.start();
        assert!(thread.join().expect("no panic").is_ok());
    });
}

#[test]
fn a_loop_may_be_dropped_inside_of_another() -> Outcome {
    let other = IoLoop::new()?;
    let third = IoLoop::new()?;
    third.add_callback(move || {
        drop(other);
        stop();
    });
    third.start();
    run(async {
        let inner = IoLoop::new()?;
        inner.enter(|| drop(tokio::task::spawn_blocking(|| ())));
        drop(inner);
        sleep(Duration::ZERO).await;
        Ok(())
    })
}
