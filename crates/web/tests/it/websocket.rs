//! WebSockets, in memory and over sockets.

mod burden;
mod opening;
mod sockets;
mod talk;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_ioloop::sleep;
use squall_web::testing::TestClient;
use squall_web::{Application, Context};
use squall_websocket::{
    CloseCode, CloseFrame, Message, Result, WebSocket, WebSocketHandler, WebSocketStream,
};

type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

/// What happened, in the order in which it did.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    fn note(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Echoes, and notes what happens; some messages have it do something else.
struct Echo {
    diary: Diary,
}

impl WebSocketHandler for Echo {
    fn open(&mut self, _ws: &WebSocket) -> Result {
        self.diary.note("open");
        Ok(())
    }

    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        match message.as_text() {
            Some("wait") => {
                ws.send("before")?;
                sleep(Duration::from_millis(5)).await;
            }
            Some("fail") => return Err("told to".into()),
            Some("panic") => panic!("told to"),
            Some("close") => ws.close(CloseCode::new(4000).expect("a code"), "told to"),
            _ => {}
        }
        if ws.is_open() {
            ws.send(message)?;
        }
        Ok(())
    }

    fn ping(&mut self, _ws: &WebSocket, payload: &[u8]) {
        self.diary.note(format!("ping {}", payload.escape_ascii()));
    }

    fn close(&mut self, _ws: &WebSocket, frame: &CloseFrame) {
        self.diary.note(format!("close {frame}"));
    }
}

fn echo(diary: &Diary) -> Application {
    let diary = diary.clone();
    Application::new().websocket("/echo", move |_: &mut Context| Echo {
        diary: diary.clone(),
    })
}

async fn open(app: Application, path: &str) -> WebSocketStream {
    match TestClient::new(app).websocket(path).await {
        Ok(ws) => ws,
        Err(response) => panic!("{}: {}", response.status(), response.text()),
    }
}

async fn closed(ws: &mut WebSocketStream) -> CloseFrame {
    while let Ok(Some(_)) = ws.next().await {}
    ws.close_frame().expect("it has ended")
}
