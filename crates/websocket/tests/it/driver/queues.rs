//! What waits to be sent.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::{sleep, with_timeout};
use squall_websocket::proto::deflate::{DeflateMode, DeflateOptions, DeflateParams};
use squall_websocket::{
    Acceptor, Agreed, CloseCode, Message, Result, SlowReader, WebSocket, WebSocketHandler,
    WebSocketOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Quiet, all_forgotten, client, end, frame, on_paused_loop, open, server};

/// Text that compresses to half of its length, and refers to the one before.
fn texts(count: usize) -> Vec<String> {
    let mut state = 1_u64;
    let mut noise = || -> String {
        let letters = (0..2_000).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + (state >> 60) as u8)
        });
        letters.collect()
    };
    let mut before = noise();
    let next = |number| {
        let own = noise();
        let text = format!("{number:04}{before}{own}");
        before = own;
        text
    };
    (0..count).map(next).collect()
}

#[test]
fn nothing_refers_to_what_was_thrown_away() {
    on_paused_loop(async {
        let params = DeflateParams {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        };
        let agreed = Agreed {
            compression: Some(params),
            subprotocol: None,
        };
        for slow in [SlowReader::DropNewest, SlowReader::DropOldest] {
            let options = Rc::new(WebSocketOptions {
                max_queued: 20_000,
                slow,
                compression: Some(DeflateOptions {
                    mode: DeflateMode::Window(15),
                    ..DeflateOptions::default()
                }),
                ..WebSocketOptions::default()
            });
            let (connection, stream) = server(&options, agreed);
            let ws = Acceptor::new().accept(connection, Quiet);
            let mut far = client(stream, agreed);
            let texts = texts(200);
            for text in &texts {
                let _ = ws.send(text);
                sleep(Duration::from_millis(1)).await;
            }
            let mut got = 0;
            while let Ok(next) = with_timeout(Duration::from_secs(1), far.next()).await {
                let message = next?.expect("nobody says goodbye");
                let text = message.as_text().unwrap_or_default();
                let number: usize = text[..4].parse()?;
                assert_eq!(text, texts[number], "{slow:?}");
                got += 1;
            }
            assert!((10..200).contains(&got), "{slow:?}: {got} have come");
            // What is sent now is understood as well.
            ws.send(&texts[0])?;
            let message = far.next().await?.expect("nobody says goodbye");
            assert_eq!(message.as_text(), Some(&*texts[0]));
        }
        Ok(())
    });
}

#[test]
fn what_is_queued_leaves_before_the_connection_ends_however_long_it_takes() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions::default());
        let (connection, mut stream) = server(&options, Agreed::default());
        let ws = Acceptor::new().accept(connection, Quiet);
        for _ in 0..100 {
            ws.send(vec![7; 5_000])?;
        }
        ws.close(CloseCode::NORMAL, "");
        let mut read = Vec::new();
        // Ten times as long as a goodbye may take, and always well within the time limit for making no way.
        while read.len() < 100 * 5_004 + 4 {
            sleep(Duration::from_secs(3)).await;
            let mut piece = vec![0; 30_000];
            let count = stream.read(&mut piece).await?;
            assert_ne!(count, 0, "cut after {} bytes", read.len());
            read.extend_from_slice(&piece[..count]);
            if read.len() > 250_000 {
                break;
            }
        }
        stream.read_to_end(&mut read).await?;
        assert_eq!(read.len(), 100 * 5_004 + 4);
        assert!(read.ends_with(&[0x88, 2, 0x03, 0xe8]));
        drop((ws, stream));
        all_forgotten(options).await;
        Ok(())
    });
}

#[test]
fn much_is_sent_at_once_where_there_is_room() {
    /// Has more to say at first than may wait.
    struct Talkative;

    impl WebSocketHandler for Talkative {
        fn open(&mut self, ws: &WebSocket) -> Result {
            for _ in 0..6 {
                ws.send(vec![0; 10_000])?;
            }
            Ok(())
        }

        async fn message(&mut self, _ws: &WebSocket, _message: Message<'_>) -> Result {
            Ok(())
        }
    }

    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions {
            max_queued: 45_000,
            ..WebSocketOptions::default()
        });
        let (ws, mut far) = open(&options, Talkative);
        for _ in 0..6 {
            let message = far.next().await?.expect("nobody says goodbye");
            assert_eq!(message.len(), 10_000);
        }
        assert!(ws.is_open());
        Ok(())
    });
}

#[test]
fn messages_of_every_length_come_back() {
    struct Echo;

    impl WebSocketHandler for Echo {
        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            ws.send(message)?;
            Ok(())
        }
    }

    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions {
            max_frame: 16 << 20,
            max_message: 16 << 20,
            ..WebSocketOptions::default()
        });
        let (_, mut far) = open(&options, Echo);
        let lengths = [0, 1, 125, 126, 65_535, 65_536, 10 << 20];
        let mut seen = HashMap::new();
        for length in lengths {
            let sent: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            far.send(&sent)?;
            let message = far.next().await?.expect("nobody says goodbye");
            assert_eq!(message.as_bytes(), sent, "{length}");
            seen.insert(length, message);
        }
        assert_eq!(seen.len(), lengths.len());
        Ok(())
    });
}

#[test]
fn limits_of_nothing_end_what_they_are_about_and_nothing_else() {
    on_paused_loop(async {
        let options = Rc::new(WebSocketOptions {
            max_frame: 0,
            max_message: 0,
            max_fragments: 0,
            message_timeout: Duration::ZERO,
            max_queued: 0,
            ping_interval: Some(Duration::ZERO),
            ping_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            close_timeout: Duration::ZERO,
            ..WebSocketOptions::default()
        });
        let (_, mut far) = open(&options, Quiet);
        far.send("too much")?;
        let code = end(&mut far).await;
        assert!([1006, 1009].contains(&code), "{code}");
        drop(far);
        all_forgotten(options).await;
        let endless = Rc::new(WebSocketOptions {
            message_timeout: Duration::MAX,
            min_rate: u32::MAX,
            ping_interval: Some(Duration::MAX),
            ping_timeout: Duration::MAX,
            write_timeout: Duration::MAX,
            close_timeout: Duration::MAX,
            ..WebSocketOptions::default()
        });
        let (ws, mut far) = open(&endless, Quiet);
        let (connection, mut half) = server(&endless, Agreed::default());
        let partial = Acceptor::new().accept(connection, Quiet);
        half.write_all(&frame(0x01, b"half")).await?;
        sleep(Duration::from_secs(3600)).await;
        assert!(partial.is_open());
        ws.send("still here")?;
        assert_eq!(far.next().await?, Some("still here".into()));
        Ok(())
    });
}
