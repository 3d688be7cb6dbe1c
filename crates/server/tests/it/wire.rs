//! The client's end of a connection, byte by byte.

use std::rc::Rc;

use squall_ioloop::{Task, spawn};
use squall_net::IoStream;
use squall_server::{Config, Service, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that fit into each direction of the duplex.
pub(crate) const ROOM: usize = 16 * 1024;

pub(crate) struct Wire {
    pub(crate) stream: IoStream,
    /// Read and not yet looked at.
    read: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(stream: IoStream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Serves one end of a duplex and returns the other, with the task that serves.
    pub(crate) fn serving(service: impl Service) -> (Self, Task<()>) {
        Self::serving_with(service, Config::default())
    }

    pub(crate) fn serving_with(service: impl Service, config: Config) -> (Self, Task<()>) {
        let (near, far) = squall_net::duplex(ROOM);
        let served = spawn(serve_connection(far, Rc::new(service), Rc::new(config)));
        (Self::new(near), served)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .await
            .expect("the server reads");
        self.stream.flush().await.expect("the server reads on");
    }

    /// Returns everything until the server's end, without the `Date` fields.
    pub(crate) async fn rest(&mut self) -> String {
        while self.more().await {}
        dateless(&std::mem::take(&mut self.read))
    }

    /// Waits until the connection is over, one way or the other.
    pub(crate) async fn until_end(&mut self) {
        let mut bytes = [0; 1024];
        while matches!(self.stream.read(&mut bytes).await, Ok(1..)) {}
    }

    /// Returns everything up to and including `mark`, without the `Date` fields.
    pub(crate) async fn until(&mut self, mark: &str) -> String {
        loop {
            let found = self
                .read
                .windows(mark.len())
                .position(|window| window == mark.as_bytes());
            if let Some(start) = found {
                let rest = self.read.split_off(start + mark.len());
                return dateless(&std::mem::replace(&mut self.read, rest));
            }
            assert!(
                self.more().await,
                "{mark:?} is not in {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer).await {
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(err) => panic!("the server cut the connection: {err}"),
        }
    }
}

/// Checks that each answer has a date, and takes it out.
fn dateless(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).expect("the answers are text");
    let mut kept = String::new();
    for line in text.split_inclusive("\r\n") {
        match line.strip_prefix("date: ") {
            Some(date) => assert!(date.ends_with(" GMT\r\n"), "{date}"),
            None => kept.push_str(line),
        }
    }
    kept
}
