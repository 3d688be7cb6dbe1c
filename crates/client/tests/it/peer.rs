//! A server that says exactly what the test wants.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_ioloop::spawn_callback;
use squall_net::{IoStream, TcpListener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a peer does with one request, after it has read the head.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Sends these bytes and goes on to the next act.
    Say(&'static str),
    /// Closes the connection.
    Close,
    /// Keeps the connection and says nothing.
    Sulk,
}

pub(crate) struct Peer {
    pub(crate) url: String,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    accepted: Cell<usize>,
    /// Heads of the requests, in the order in which they came.
    heads: RefCell<Vec<String>>,
}

impl Peer {
    /// Starts a peer that plays one script on each connection, the last one on all further ones.
    pub(crate) fn start(scripts: &'static [&'static [Act]]) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let shared = Rc::new(Shared::default());
        let accepting = Rc::clone(&shared);
        spawn_callback(async move {
            loop {
                let (stream, _) = listener.accept().await?;
                let number = accepting.accepted.get();
                accepting.accepted.set(number + 1);
                let script = scripts
                    .get(number)
                    .or(scripts.last())
                    .copied()
                    .unwrap_or_default();
                spawn_callback(play(stream, script, Rc::clone(&accepting)));
            }
            #[expect(unreachable_code, reason = "names the type of the error")]
            Ok::<_, std::io::Error>(())
        });
        Ok(Self { url, shared })
    }

    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.get()
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.heads.borrow().clone()
    }
}

async fn play(
    mut stream: IoStream,
    script: &'static [Act],
    shared: Rc<Shared>,
) -> std::io::Result<()> {
    for act in script {
        let Some(head) = head(&mut stream).await? else {
            return Ok(());
        };
        shared.heads.borrow_mut().push(head);
        match act {
            Act::Say(text) => stream.write_all(text.as_bytes()).await?,
            Act::Close => return Ok(()),
            Act::Sulk => std::future::pending().await,
        }
    }
    Ok(())
}

async fn head(stream: &mut IoStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if head.is_empty() => return Ok(None),
            Err(err) => return Err(err),
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}
