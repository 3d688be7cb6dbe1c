//! Messages and goodbyes, in memory.

use std::rc::Rc;

use squall_ioloop::{IoLoop, moment};
use squall_web::Application;
use squall_web::testing::TestClient;
use squall_websocket::proto::deflate::DeflateOptions;
use squall_websocket::{
    CloseCode, Group, Message, Result, SendError, Sent, WebSocket, WebSocketHandler,
    WebSocketOptions, WebSocketStream,
};

use super::{Diary, Outcome, closed, echo, open};

#[test]
fn messages_are_answered_in_memory() -> Outcome {
    IoLoop::run_sync(async {
        let diary = Diary::default();
        let mut ws = open(echo(&diary), "/echo").await;
        assert_eq!(ws.send("hello")?, Sent::Now);
        ws.send(&[1, 2, 3])?;
        ws.ping(b"are you there")?;
        assert_eq!(ws.next().await?, Some("hello".into()));
        assert_eq!(ws.next().await?, Some((&[1, 2, 3]).into()));
        ws.send("wait")?;
        ws.send("after")?;
        assert_eq!(ws.next().await?, Some("before".into()));
        assert_eq!(ws.next().await?, Some("wait".into()));
        assert_eq!(ws.next().await?, Some("after".into()));
        let long = "long ".repeat(100_000);
        ws.send(&long)?;
        assert_eq!(ws.next().await?, Some((&long).into()));
        ws.close(CloseCode::NORMAL, "done");
        assert_eq!(ws.send("late"), Err(SendError::Closed));
        assert_eq!(ws.next().await?, None);
        assert_eq!(
            ws.close_frame().map(|frame| frame.code),
            Some(CloseCode::NORMAL)
        );
        moment().await;
        let told = ["open", "ping are you there", "close 1000 (done)"];
        assert_eq!(diary.read(), told);
        Ok(())
    })
}

#[test]
fn a_handler_that_fails_or_panics_ends_its_connection_alone() -> Outcome {
    IoLoop::run_sync(async {
        for word in ["fail", "panic"] {
            let app = Rc::new(echo(&Diary::default()));
            let client =
                TestClient::new(move |request| squall_server::Service::call(&*app, request));
            let mut one = client.websocket("/echo").await.expect("open");
            let mut other = client.websocket("/echo").await.expect("open");
            one.send(word)?;
            assert_eq!(
                closed(&mut one).await.code,
                CloseCode::INTERNAL_ERROR,
                "{word}"
            );
            other.send("still there")?;
            assert_eq!(other.next().await?, Some("still there".into()));
        }
        Ok(())
    })
}

#[test]
fn either_side_closes_with_a_code() -> Outcome {
    IoLoop::run_sync(async {
        let diary = Diary::default();
        let mut ws = open(echo(&diary), "/echo").await;
        ws.send("close")?;
        assert_eq!(ws.next().await?, None);
        let frame = ws.close_frame().expect("closed");
        assert_eq!((frame.code.get(), &*frame.reason), (4000, "told to"));
        moment().await;
        assert_eq!(diary.read(), ["open", "close 4000"]);
        Ok(())
    })
}

#[test]
fn a_lost_connection_is_an_error() -> Outcome {
    IoLoop::run_sync(async {
        let app = Application::new().websocket_stream("/", |ws: WebSocketStream| async move {
            drop(ws);
            Ok(())
        });
        let mut ws = open(app, "/").await;
        assert_eq!(ws.next().await?, None, "dropping says goodbye");
        let diary = Diary::default();
        let ws = open(echo(&diary), "/echo").await;
        drop(ws);
        while diary.read().len() < 2 {
            moment().await;
        }
        assert_eq!(diary.read(), ["open", "close 1000"]);
        Ok(())
    })
}

#[test]
fn a_group_gets_everything_in_order() -> Outcome {
    struct Guest {
        room: Group,
    }

    impl WebSocketHandler for Guest {
        fn open(&mut self, ws: &WebSocket) -> Result {
            self.room.join(ws);
            Ok(())
        }

        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            self.room.send("to all 1");
            ws.send(&message)?;
            self.room.send("to all 2");
            self.room.send("to all 3");
            Ok(())
        }
    }

    IoLoop::run_sync(async {
        let room = Group::new();
        let guests = room.clone();
        let options = WebSocketOptions {
            compression: Some(DeflateOptions {
                threshold: 1,
                ..DeflateOptions::default()
            }),
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options.clone(), move |_| Guest {
            room: guests.clone(),
        });
        let client = TestClient::new(app);
        let mut plain = client.websocket("/").await.expect("open");
        let mut packed = client.websocket("/").options(options).await.expect("open");
        while room.len() < 2 {
            moment().await;
        }
        assert!(packed.is_compressed() && !plain.is_compressed());
        plain.send("to one")?;
        for text in ["to all 1", "to one", "to all 2", "to all 3"] {
            assert_eq!(plain.next().await?, Some(text.into()));
        }
        for text in ["to all 1", "to all 2", "to all 3"] {
            assert_eq!(packed.next().await?, Some(text.into()));
        }
        drop(plain);
        while room.len() > 1 {
            moment().await;
        }
        room.send("still here");
        assert_eq!(packed.next().await?, Some("still here".into()));
        Ok(())
    })
}

#[test]
fn other_threads_send_by_a_handle() -> Outcome {
    struct Remote;

    impl WebSocketHandler for Remote {
        fn open(&mut self, ws: &WebSocket) -> Result {
            let remote = ws.remote();
            std::thread::spawn(move || {
                for number in 0..3 {
                    remote
                        .send(format!("from afar {number}"))
                        .expect("the loop is there");
                }
                remote
                    .close(CloseCode::NORMAL, "that was all")
                    .expect("the loop is there");
            });
            Ok(())
        }

        async fn message(&mut self, _ws: &WebSocket, _message: Message<'_>) -> Result {
            Ok(())
        }
    }

    IoLoop::run_sync(async {
        let mut ws = open(Application::new().websocket("/", |_| Remote), "/").await;
        for number in 0..3 {
            let text = format!("from afar {number}");
            assert_eq!(ws.next().await?, Some(text.into()));
        }
        assert_eq!(ws.next().await?, None);
        Ok(())
    })
}
