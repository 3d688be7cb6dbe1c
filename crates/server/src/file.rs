//! A part of a file as a body.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use squall_http::{Body, BodyError, BodyStream, FileSlice};
use squall_ioloop::files::read_cached;
use squall_ioloop::{IoLoop, Submitted};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// Bytes of a file as the body of an answer, however many: never more than 64 KiB of them are in memory.
///
/// On Linux, to a TCP or Unix socket without TLS, the system sends them by itself (`sendfile`), at most 512 KiB in one go.
/// Elsewhere they are read piece by piece. What is not in the system's cache is read on a thread of the loop's pool
/// ([`IoLoop::set_default_executor`]), so that a slow disk never holds up the loop.
///
/// The length is the answer's `Content-Length`. If the file turns out to be shorter, because somebody cuts it meanwhile, the
/// log says so and the connection is closed, by which the client learns that it has not got all. Bytes that are added
/// meanwhile are not sent.
///
/// # Examples
///
/// ```no_run
/// use std::fs::File;
/// use squall_ioloop::IoLoop;
/// use squall_server::{FileBody, HttpServer, Request, Response};
///
/// async fn download(_request: Request) -> Response {
///     // Opening may wait for the disk as well.
///     let opened = IoLoop::current().run_in_executor(None, || {
///         let file = File::open("film.mp4")?;
///         let length = file.metadata()?.len();
///         Ok::<_, std::io::Error>((file, length))
///     });
///     match opened.await {
///         Ok(Ok((file, length))) => Response::with_type("video/mp4", FileBody::new(file, 0, length)),
///         _ => Response::new("not today"),
///     }
/// }
///
/// HttpServer::new(|| download).listen("127.0.0.1:0")?.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileBody {
    slice: FileSlice,
    /// A thread reads the next piece.
    reading: Option<Submitted<io::Result<Vec<u8>>>>,
}

impl FileBody {
    /// Takes `length` bytes of a file from `offset` on. It must be a plain file: others may have their reader wait for
    /// ever.
    pub fn new(file: impl Into<Arc<File>>, offset: u64, length: u64) -> Self {
        Self::of(FileSlice {
            file: file.into(),
            offset,
            length,
        })
    }

    pub(crate) fn of(slice: FileSlice) -> Self {
        Self {
            slice,
            reading: None,
        }
    }

    /// Reads the next piece if that needs no waiting, or has a thread begin to.
    fn begin(&mut self) -> Option<io::Result<Vec<u8>>> {
        let FileSlice {
            file,
            offset,
            length,
        } = &self.slice;
        let count = usize::try_from(*length).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; count];
        match read_cached(file, &mut piece, *offset) {
            Ok(Some(count)) => {
                piece.truncate(count);
                return Some(Ok(piece));
            }
            Err(err) => return Some(Err(err)),
            Ok(None) => {}
        }
        let (file, offset) = (Arc::clone(file), *offset);
        let job = move || {
            let count = read(&file, &mut piece, offset)?;
            piece.truncate(count);
            Ok(piece)
        };
        self.reading = Some(IoLoop::current().run_in_executor(None, job));
        None
    }
}

impl BodyStream for FileBody {
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let this = self.get_mut();
        if this.slice.length == 0 {
            return Poll::Ready(None);
        }
        let begun = match &this.reading {
            None => this.begin(),
            Some(_) => None,
        };
        let read = match (begun, &mut this.reading) {
            (Some(read), _) => Ok(read),
            (None, Some(reading)) => {
                let read = ready!(Pin::new(reading).poll(cx));
                this.reading = None;
                read.map_err(BodyError::other)
            }
            (None, None) => unreachable!("what is not there at once is being read"),
        };
        let piece = match read.and_then(|read| read.map_err(BodyError::other)) {
            Ok(piece) if piece.is_empty() => Err(ended_early(this.slice.length)),
            Ok(piece) => {
                this.slice.offset += piece.len() as u64;
                this.slice.length -= piece.len() as u64;
                Ok(piece.into())
            }
            Err(err) => Err(err),
        };
        Poll::Ready(Some(piece))
    }

    fn size_hint(&self) -> Option<u64> {
        Some(self.slice.length)
    }

    fn take_file(self: Pin<&mut Self>) -> Option<FileSlice> {
        // A piece that is being read is nobody else's.
        self.reading.is_none().then(|| self.slice.clone())
    }
}

impl From<FileBody> for Body {
    fn from(body: FileBody) -> Self {
        Self::stream(body)
    }
}

impl fmt::Debug for FileBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody")
            .field("slice", &self.slice)
            .finish_non_exhaustive()
    }
}

/// Reads at least a byte, if there is one, however often it is interrupted.
fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Has a part of a file come into the system's cache; stops at the end of the file.
pub(crate) fn fetch(file: &File, mut offset: u64, mut count: u64) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    while count > 0 {
        let most = usize::try_from(count).unwrap_or(PIECE).min(PIECE);
        match read(file, &mut buffer[..most], offset)? as u64 {
            0 => break,
            got => {
                offset += got;
                count -= got;
            }
        }
    }
    Ok(())
}

/// The file has fewer bytes than were promised.
pub(crate) fn ended_early(missing: u64) -> BodyError {
    BodyError::other(format!(
        "the file became shorter meanwhile, {missing} bytes are missing"
    ))
}
