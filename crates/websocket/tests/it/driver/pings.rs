//! Pings and pongs that have to wait.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use squall_ioloop::{IoLoop, moment, sleep, sleep_until, spawn};
use squall_net::IoStream;
use squall_websocket::proto::Role;
use squall_websocket::{
    Acceptor, Agreed, Connection, SlowReader, WebSocket, WebSocketOptions, duplex,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Quiet, frame, on_paused_loop};

const PING: &[u8] = b"\x89\0";
const PONG: &[u8] = b"\x8a\x05alive";

/// A connection over a pipe that holds 1000 bytes, and the stream of its other end.
fn narrow(options: &Rc<WebSocketOptions>) -> (WebSocket, IoStream) {
    let (near, far) = duplex(1000);
    let agreed = Agreed::default();
    let connection = Connection::new(far, Bytes::new(), Role::Server, options, agreed);
    (Acceptor::new().accept(connection, Quiet), near)
}

fn drop_oldest() -> Rc<WebSocketOptions> {
    Rc::new(WebSocketOptions {
        max_queued: 10_000,
        slow: SlowReader::DropOldest,
        ..WebSocketOptions::default()
    })
}

/// Sends more than may wait, one after the other.
fn send_much(ws: &WebSocket) -> Result<(), squall_websocket::SendError> {
    for _ in 0..20 {
        ws.send(vec![b'x'; 3_000])?;
    }
    Ok(())
}

/// Reads the next frame of a server: its first two bytes and its payload.
async fn next_frame(stream: &mut IoStream) -> std::io::Result<Vec<u8>> {
    let mut frame = vec![0; 2];
    stream.read_exact(&mut frame).await?;
    let length = match frame[1] {
        126 => usize::from(stream.read_u16().await?),
        short => usize::from(short),
    };
    frame.resize(2 + length, 0);
    stream.read_exact(&mut frame[2..]).await?;
    Ok(frame)
}

/// Reads frames up to one of these bytes; answers how many came before it.
async fn read_up_to(stream: &mut IoStream, expected: &[u8]) -> std::io::Result<usize> {
    for before in 0..1000 {
        if next_frame(stream).await? == expected {
            return Ok(before);
        }
    }
    panic!("there is no end of other frames");
}

#[test]
fn a_ping_stays_where_the_oldest_messages_are_thrown_away() {
    on_paused_loop(async {
        let (ws, mut stream) = narrow(&drop_oldest());
        ws.send(vec![b'x'; 5_000])?;
        // It takes some of it, so that it is not silent for too long, and then it is sent a ping.
        for _ in 0..28 {
            sleep(Duration::from_secs(1)).await;
            stream.read_exact(&mut [0; 100]).await?;
        }
        send_much(&ws)?;
        // The rest of what had begun, whose head was read.
        stream.read_exact(&mut vec![0; 5_004 - 2_800]).await?;
        assert_eq!(read_up_to(&mut stream, PING).await?, 0);
        stream.write_all(&frame(0x8a, b"")).await?;
        assert_eq!(next_frame(&mut stream).await?.len(), 2 + 3_000);
        sleep(Duration::from_secs(21)).await;
        assert!(ws.is_open());
        Ok(())
    });
}

#[test]
fn a_pong_stays_where_the_oldest_messages_are_thrown_away() {
    on_paused_loop(async {
        for (what, first) in [("in the cork", 996), ("in the queue", 5_000)] {
            let (ws, mut stream) = narrow(&drop_oldest());
            // The pipe is full now, to the byte or with something left.
            ws.send(vec![b'x'; first])?;
            moment().await;
            stream.write_all(&frame(0x89, b"alive")).await?;
            sleep(Duration::from_millis(1)).await;
            send_much(&ws)?;
            assert_eq!(read_up_to(&mut stream, PONG).await?, 1, "{what}");
            assert_eq!(next_frame(&mut stream).await?.len(), 2 + 3_000, "{what}");
        }
        Ok(())
    });
}

#[test]
fn the_time_for_a_pong_begins_when_the_ping_has_left_what_was_sent_with_it() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let begin = IoLoop::current().time();
        let (ws, mut stream) = narrow(&options);
        let sender = ws.clone();
        let sending = spawn(async move {
            // In the turn in which the ping is sent, the time for which is a whole number of seconds for the first connection
            // of a thread.
            sleep_until(begin + Duration::from_secs(25)).await;
            sender.send(vec![b'x'; 900_000])
        });
        let mut left = 900_010;
        let mut buffer = vec![0; 1000];
        sleep_until(begin + Duration::from_secs(24)).await;
        while left > 0 {
            let count = stream.read(&mut buffer[..left.min(1000)]).await?;
            assert_ne!(count, 0, "cut, {left} bytes before the end");
            left -= count;
            sleep(Duration::from_millis(40)).await;
        }
        let seconds = (IoLoop::current().time() - begin).as_secs();
        assert!(seconds > 55, "{seconds} s");
        assert_eq!(next_frame(&mut stream).await?, PING);
        stream.write_all(&frame(0x8a, b"")).await?;
        sending.await??;
        sleep(Duration::from_secs(21)).await;
        assert!(ws.is_open());
        Ok(())
    });
}

#[test]
fn the_time_for_a_pong_does_not_run_while_there_is_no_room_for_the_ping() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions {
            write_timeout: Duration::from_secs(60),
            ..WebSocketOptions::default()
        });
        let (ws, mut stream) = narrow(&options);
        // It fills the pipe to the byte, so that nothing waits.
        ws.send(vec![b'x'; 996])?;
        sleep(Duration::from_secs(50)).await;
        assert_eq!(read_up_to(&mut stream, PING).await?, 1);
        stream.write_all(&frame(0x8a, b"")).await?;
        sleep(Duration::from_secs(21)).await;
        assert!(ws.is_open());
        Ok(())
    });
}
