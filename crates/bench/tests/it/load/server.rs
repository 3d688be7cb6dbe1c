//! Small blocking servers, a thread for each connection, that answer as the test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A server; dropping it ends the listener, and with it the connections' threads.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// In lower case, one field a line.
    pub(crate) fields: String,
    pub(crate) body: Vec<u8>,
    /// Its number on the whole server, from 0.
    pub(crate) number: usize,
    /// Its number on its connection, from 0.
    pub(crate) turn: usize,
}

/// What the server does about a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Sends these bytes, and goes on.
    Bytes(Vec<u8>),
    /// Sends these bytes and closes.
    Last(Vec<u8>),
    /// Sends each of these on its own.
    Pieces(Vec<Vec<u8>>),
    /// Sends nothing, and leaves the connection open.
    Silence,
}

impl Server {
    /// Answers each request with what `reply` says.
    pub(crate) fn new(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::greeting(Vec::new(), reply)
    }

    /// Says something before it was asked.
    pub(crate) fn greeting(
        greeting: Vec<u8>,
        reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::<Shared>::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (reply, both) = (Arc::new((greeting, reply)), Arc::clone(&shared));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if both.over.load(Ordering::SeqCst) {
                    return;
                }
                both.connections.fetch_add(1, Ordering::SeqCst);
                let (reply, shared) = (Arc::clone(&reply), Arc::clone(&both));
                // A connection that breaks is the load program's affair.
                std::thread::spawn(move || {
                    let mut stream = stream?;
                    stream.set_nodelay(true)?;
                    stream.write_all(&reply.0)?;
                    serve(stream, &reply.1, &shared)
                });
            }
        });
        Self {
            addr,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Answers every request alike.
    pub(crate) fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_| Reply::Bytes(answer.clone()))
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the listener up, so that it sees.
        drop(TcpStream::connect(self.addr));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

fn serve(
    stream: TcpStream,
    reply: &dyn Fn(&Request) -> Reply,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    for turn in 0.. {
        let Some(mut request) = Request::read(&mut input, turn)? else {
            return Ok(());
        };
        request.number = shared.requests.fetch_add(1, Ordering::SeqCst);
        match reply(&request) {
            Reply::Bytes(bytes) => output.write_all(&bytes)?,
            Reply::Last(bytes) => {
                output.write_all(&bytes)?;
                return output.shutdown(Shutdown::Both);
            }
            Reply::Pieces(pieces) => {
                for piece in pieces {
                    output.write_all(&piece)?;
                }
            }
            Reply::Silence => {}
        }
    }
    Ok(())
}

impl Request {
    fn read(input: &mut impl BufRead, turn: usize) -> std::io::Result<Option<Self>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if input.read_line(&mut head)? == 0 {
                return Ok(None);
            }
        }
        let (line, fields) = head.split_once("\r\n").unwrap();
        let fields = fields.to_ascii_lowercase();
        let length = fields
            .lines()
            .find_map(|field| field.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        let mut words = line.split(' ').map(str::to_owned);
        Ok(Some(Self {
            method: words.next().unwrap(),
            path: words.next().unwrap(),
            fields,
            body,
            number: 0,
            turn,
        }))
    }
}

/// A complete answer with a length.
pub(crate) fn answer(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer_with("", body)
}

/// With more fields, each ending with `\r\n`.
pub(crate) fn answer_with(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut wire = format!(
        "HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    wire.extend_from_slice(body);
    wire
}
