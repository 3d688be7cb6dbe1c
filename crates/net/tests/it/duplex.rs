use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use squall_ioloop::spawn;
use squall_net::{Address, duplex};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{on_loop, poll_once};

#[test]
fn bytes_arrive_in_order_in_both_directions() {
    on_loop(async {
        let (mut near, mut far) = duplex(64);
        near.write_all(b"to far").await?;
        far.write_all(b"to near").await?;
        let mut word = [0; 6];
        far.read_exact(&mut word).await?;
        assert_eq!(&word, b"to far");
        let mut word = [0; 7];
        near.read_exact(&mut word).await?;
        assert_eq!(&word, b"to near");
        Ok(())
    });
}

#[test]
fn writing_waits_for_a_slow_reader_and_goes_on_after_it() {
    on_loop(async {
        let (mut near, mut far) = duplex(4);
        let writer = spawn(async move {
            near.write_all(b"0123456789").await?;
            near.shutdown().await
        });
        squall_ioloop::moment().await;
        assert!(!writer.is_done(), "only 4 of 10 bytes fit");
        let mut text = String::new();
        far.read_to_string(&mut text).await?;
        assert_eq!(text, "0123456789");
        writer.await??;
        Ok(())
    });
}

#[test]
fn a_full_pipe_takes_no_byte_more() {
    let (mut near, _far) = duplex(3);
    assert!(matches!(
        poll_once(near.write(b"abcdef")),
        Poll::Ready(Ok(3))
    ));
    assert!(poll_once(near.write(b"d")).is_pending());
}

#[test]
fn vectored_writing_fills_up_to_the_limit() {
    on_loop(async {
        let (mut near, mut far) = duplex(5);
        let parts = [
            IoSlice::new(b"abc"),
            IoSlice::new(b""),
            IoSlice::new(b"defg"),
        ];
        let mut cx = Context::from_waker(Waker::noop());
        let written = Pin::new(&mut near).poll_write_vectored(&mut cx, &parts);
        assert!(matches!(written, Poll::Ready(Ok(5))));
        let mut word = [0; 5];
        far.read_exact(&mut word).await?;
        assert_eq!(&word, b"abcde");
        Ok(())
    });
}

#[test]
fn half_a_close_leaves_the_other_direction_open() {
    on_loop(async {
        let (mut near, mut far) = duplex(64);
        near.write_all(b"question").await?;
        near.shutdown().await?;
        let mut text = String::new();
        far.read_to_string(&mut text).await?;
        assert_eq!(text, "question");
        far.write_all(b"answer").await?;
        drop(far);
        text.clear();
        near.read_to_string(&mut text).await?;
        assert_eq!(text, "answer");
        let err = near
            .write(b"x")
            .await
            .expect_err("the writing direction was shut down");
        assert_eq!(err.kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    });
}

#[test]
fn dropping_one_end_breaks_the_other_ones_writing_even_while_it_waits() {
    on_loop(async {
        let (mut near, far) = duplex(1);
        let writer = spawn(async move { near.write_all(b"abc").await });
        squall_ioloop::moment().await;
        drop(far);
        let err = writer.await?.expect_err("nobody reads");
        assert_eq!(err.kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    });
}

#[test]
fn dropping_one_end_ends_the_other_ones_reading_after_what_is_left() {
    on_loop(async {
        let (mut near, mut far) = duplex(16);
        near.write_all(b"left").await?;
        drop(near);
        let mut text = String::new();
        far.read_to_string(&mut text).await?;
        assert_eq!(text, "left");
        Ok(())
    });
}

#[test]
fn a_limit_of_nothing_still_lets_one_byte_through() {
    let (mut near, _far) = duplex(0);
    assert!(matches!(poll_once(near.write(b"ab")), Poll::Ready(Ok(1))));
}

#[test]
fn the_shared_buffer_lends_what_came_and_may_be_nested() {
    on_loop(async {
        let (mut near, mut far) = duplex(64);
        let (mut other_near, mut other_far) = duplex(64);
        near.write_all(b"outer").await?;
        other_near.write_all(b"inner").await?;
        let seen = std::future::poll_fn(|cx| {
            far.poll_read_with(cx, |outer| {
                let mut cx = Context::from_waker(Waker::noop());
                let inner = other_far.poll_read_with(&mut cx, <[u8]>::to_vec);
                let Poll::Ready(Ok(inner)) = inner else {
                    panic!("the inner stream has bytes")
                };
                (outer.to_vec(), inner)
            })
        })
        .await?;
        assert_eq!(seen, (b"outer".to_vec(), b"inner".to_vec()));
        drop(near);
        let end = std::future::poll_fn(|cx| far.poll_read_with(cx, <[u8]>::is_empty)).await?;
        assert!(end, "no bytes are the end of the stream");
        Ok(())
    });
}

#[test]
fn both_ends_say_that_they_are_memory() -> io::Result<()> {
    let (near, far) = duplex(1);
    assert_eq!(near.peer_addr()?, Address::Memory);
    assert_eq!(far.local_addr()?.to_string(), "memory");
    assert_eq!(far.local_addr()?.ip(), None);
    Ok(())
}

#[test]
fn an_end_knows_whether_there_is_something_to_read() {
    on_loop(async {
        let (mut near, mut far) = duplex(8);
        assert!(!far.has_unread());
        near.write_all(b"x").await?;
        assert!(far.has_unread());
        far.read_u8().await?;
        assert!(!far.has_unread());
        drop(near);
        assert!(far.has_unread(), "the end is something to read");
        Ok(())
    });
}

#[test]
fn a_reset_is_an_error_at_the_other_end_and_takes_what_was_unread() {
    on_loop(async {
        let (mut near, mut far) = duplex(8);
        near.write_all(b"lost").await?;
        near.reset();
        let err = far.read_u8().await.expect_err("it was reset");
        assert_eq!(err.kind(), io::ErrorKind::ConnectionReset);
        Ok(())
    });
}
