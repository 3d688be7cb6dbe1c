//! Groups beside everything else that is sent.

use std::rc::Rc;

use squall_ioloop::moment;
use squall_net::IoStream;
use squall_websocket::{
    Acceptor, Agreed, CloseCode, Group, Message, Result, SlowReader, WebSocket, WebSocketHandler,
    WebSocketOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Quiet, all_forgotten, frame, on_paused_loop, server};

/// Opens connections, and gives what sends on them and the streams of the other ends.
fn crowd(options: &Rc<WebSocketOptions>, count: usize) -> (Vec<WebSocket>, Vec<IoStream>) {
    let acceptor = Acceptor::new();
    let open = |_| {
        let (connection, stream) = server(options, Agreed::default());
        (acceptor.accept(connection, Quiet), stream)
    };
    (0..count).map(open).unzip()
}

#[test]
fn nothing_follows_a_close_frame() {
    struct Guest {
        room: Group,
    }

    impl WebSocketHandler for Guest {
        fn open(&mut self, ws: &WebSocket) -> Result {
            self.room.join(ws);
            Ok(())
        }

        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            self.room.send("before");
            if message.as_text() == Some("fail") {
                return Err("told to".into());
            }
            ws.close(CloseCode::NORMAL, "");
            self.room.send("after");
            self.room.leave(ws);
            Ok(())
        }
    }

    on_paused_loop(async {
        for (word, code) in [("close", [0x03, 0xe8]), ("fail", [0x03, 0xf3])] {
            let options = Rc::new(WebSocketOptions::default());
            let (connection, mut stream) = server(&options, Agreed::default());
            let room = Group::new();
            let ws = Acceptor::new().accept(connection, Guest { room: room.clone() });
            stream.write_all(&frame(0x81, word.as_bytes())).await?;
            let mut read = vec![0; 12];
            stream.read_exact(&mut read).await?;
            room.send("much later");
            stream.write_all(&frame(0x88, &[])).await?;
            stream.shutdown().await?;
            stream.read_to_end(&mut read).await?;
            assert_eq!(read, [b"\x81\x06before\x88\x02", &code[..]].concat());
            drop((ws, stream));
            all_forgotten(options).await;
            assert!(room.is_empty());
        }
        Ok(())
    });
}

#[test]
fn a_slow_member_has_no_more_waiting_than_it_may() {
    on_paused_loop(async {
        for slow in [SlowReader::DropNewest, SlowReader::DropOldest] {
            let options = Rc::new(WebSocketOptions {
                max_queued: 100_000,
                slow,
                ..WebSocketOptions::default()
            });
            let (all, streams) = crowd(&options, 1);
            let room = Group::new();
            room.join(&all[0]);
            for _ in 0..500 {
                room.send(&[0; 1_000]);
                let _ = all[0].send(&[0; 1_000]);
                moment().await;
            }
            let queued = all[0].queued();
            assert!((90_000..=100_000).contains(&queued), "{slow:?}: {queued}");
            drop(streams);
        }
        Ok(())
    });
}

#[test]
fn a_busy_group_leaves_the_others_their_turn() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (many, streams) = crowd(&options, 300);
        let (few, mut others) = crowd(&options, 1);
        let (busy, calm) = (Group::new(), Group::new());
        many.iter().for_each(|ws| busy.join(ws));
        calm.join(&few[0]);
        for turn in 0..20 {
            busy.send("x");
            if turn == 5 {
                calm.send("y");
            }
            moment().await;
        }
        assert!(arrived(&mut others[0], 3), "the other group waits");
        // Nor do connections that are sent to one by one keep a group waiting.
        for turn in 0..20 {
            for ws in &many {
                ws.send("x")?;
            }
            if turn == 5 {
                calm.send("y");
            }
            moment().await;
        }
        assert!(arrived(&mut others[0], 3), "the group waits");
        drop(streams);
        Ok(())
    });
}

/// Takes as many bytes, if so many have come.
fn arrived(stream: &mut IoStream, count: usize) -> bool {
    let mut bytes = vec![0; count];
    matches!(stream.try_read(&mut bytes), Ok(read) if read == count)
}
