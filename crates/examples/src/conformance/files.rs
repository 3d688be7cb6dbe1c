//! The files of a folder, with conditional requests and ranges.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use squall::ThreadPoolExecutor;
use squall::http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use squall::http::{
    Body, BodyError, BodyStream, HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    StatusCode,
};
use squall::ioloop::Submitted;

use super::answers::plain;
use super::range::{self, Wanted};
use crate::Failure;

/// Bytes that are read from a file at a time.
const PIECE: usize = 64 * 1024;

/// A folder whose files are sent: with `Content-Type`, `ETag` and `Last-Modified`, answering conditions with 304 and
/// 412 (RFC 9110 §13) and single ranges with 206 and 416 (§14).
///
/// Files outside of the folder are not found, whichever way a path or a symbolic link leads to them; neither are folders
/// and devices. Reading happens on threads of a pool.
#[derive(Clone, Debug)]
pub struct Files {
    /// Without symbolic links.
    root: PathBuf,
    pool: ThreadPoolExecutor,
}

/// What is known of a file before it is sent.
#[derive(Debug)]
struct Facts {
    file: File,
    length: u64,
    /// To the second, which is all that `Last-Modified` can say.
    modified: SystemTime,
    etag: String,
}

impl Files {
    /// Takes the files of a folder.
    ///
    /// # Errors
    ///
    /// When there is no such folder.
    pub fn of(folder: &Path) -> Result<Self, Failure> {
        let err = |err: io::Error| {
            Failure::new(format!("cannot show the folder `{}`", folder.display())).because(err)
        };
        let root = folder.canonicalize().map_err(err)?;
        fs::read_dir(&root).map_err(err)?;
        Ok(Self {
            root,
            pool: ThreadPoolExecutor::default(),
        })
    }

    /// Answers a GET or a HEAD for the file at `path`, which is relative to the folder and still percent-encoded.
    pub(super) async fn answer(&self, path: &str, head: &Request<()>) -> Response<Body> {
        let root = self.root.clone();
        let path = percent_decode_str(path).decode_utf8().map(String::from);
        let Ok(path) = path else {
            return plain(StatusCode::NOT_FOUND);
        };
        let kind = kind(&path);
        match self.pool.submit(move || facts(&root, &path)).await {
            Ok(Ok(facts)) => self.send(facts, kind, head),
            Ok(Err(_)) => plain(StatusCode::NOT_FOUND),
            Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    fn send(&self, facts: Facts, kind: &'static str, head: &Request<()>) -> Response<Body> {
        let mut response = match precondition(head.headers(), &facts) {
            Some(StatusCode::NOT_MODIFIED) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response
            }
            Some(status) => return plain(status),
            None => return self.content(facts, kind, head),
        };
        describe(response.headers_mut(), &facts);
        response
    }

    fn content(&self, facts: Facts, kind: &'static str, head: &Request<()>) -> Response<Body> {
        let length = facts.length;
        let (status, first, count) = match wanted_of(head, &facts) {
            Wanted::All => (StatusCode::OK, 0, length),
            Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
            Wanted::Nothing => {
                let mut response = plain(StatusCode::RANGE_NOT_SATISFIABLE);
                set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
                return response;
            }
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let fields = response.headers_mut();
        describe(fields, &facts);
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if status == StatusCode::PARTIAL_CONTENT {
            let last = first + count - 1;
            set(
                &mut response,
                CONTENT_RANGE,
                &format!("bytes {first}-{last}/{length}"),
            );
        }
        *response.body_mut() = Body::stream(Content {
            stage: Stage::Idle(facts.file),
            at: first,
            left: count,
            pool: self.pool.clone(),
        });
        response
    }
}

/// Finds a file inside of the folder `root`.
fn facts(root: &Path, path: &str) -> io::Result<Facts> {
    let path = root.join(path).canonicalize()?;
    // Looked at before it is opened, for opening a pipe waits for its other end.
    let about = fs::metadata(&path)?;
    if !path.starts_with(root) || !about.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(&path)?;
    let about = file.metadata()?;
    let since = about.modified()?.duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    Ok(Facts {
        file,
        length: about.len(),
        modified: UNIX_EPOCH + std::time::Duration::from_secs(since.as_secs()),
        etag: format!("\"{:x}-{:x}\"", since.as_nanos(), about.len()),
    })
}

/// The status that a condition of the request asks for instead of the file, in the order of RFC 9110 §13.2.2.
fn precondition(fields: &HeaderMap, facts: &Facts) -> Option<StatusCode> {
    let date = |name: HeaderName| {
        let text = fields.get(name)?.to_str().ok()?;
        httpdate::parse_http_date(text).ok()
    };
    if fields.contains_key(IF_MATCH) {
        if !lists(fields, IF_MATCH, &facts.etag, false) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    } else if date(IF_UNMODIFIED_SINCE).is_some_and(|date| facts.modified > date) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    if fields.contains_key(IF_NONE_MATCH) {
        let known = lists(fields, IF_NONE_MATCH, &facts.etag, true);
        return known.then_some(StatusCode::NOT_MODIFIED);
    }
    let known = date(IF_MODIFIED_SINCE).is_some_and(|date| facts.modified <= date);
    known.then_some(StatusCode::NOT_MODIFIED)
}

/// Whether a list of tags has `etag`, or is `*`; `weak` passes over the mark of weak ones (RFC 9110 §8.8.3.2).
fn lists(fields: &HeaderMap, name: HeaderName, etag: &str, weak: bool) -> bool {
    let values = fields.get_all(name).into_iter();
    // A tag of ours has no comma, so what is split elsewhere cannot be it.
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|tag| {
        let tag = match tag.strip_prefix("W/") {
            Some(tag) if weak => tag,
            _ => tag,
        };
        tag == "*" || tag == etag
    })
}

/// The part that is asked for: only by a GET, and only while `If-Range` (RFC 9110 §13.1.5) names the file as it is.
fn wanted_of(head: &Request<()>, facts: &Facts) -> Wanted {
    let fields = head.headers();
    let current = fields.get(IF_RANGE).is_none_or(|value| {
        value.as_bytes() == facts.etag.as_bytes()
            || value.as_bytes() == httpdate::fmt_http_date(facts.modified).as_bytes()
    });
    let mut ranges = fields.get_all(RANGE).into_iter();
    match (ranges.next(), ranges.next()) {
        (Some(range), None) if current && *head.method() == Method::GET => {
            range::wanted(range.as_bytes(), facts.length)
        }
        _ => Wanted::All,
    }
}

/// Adds what lets a client ask whether the file has changed.
fn describe(fields: &mut HeaderMap, facts: &Facts) {
    let date = httpdate::fmt_http_date(facts.modified);
    for (name, value) in [(ETAG, facts.etag.as_str()), (LAST_MODIFIED, &date)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            fields.insert(name, value);
        }
    }
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn kind(path: &str) -> &'static str {
    let end = Path::new(path).extension().and_then(|end| end.to_str());
    match end {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Bytes of a file, read as they are asked for.
struct Content {
    stage: Stage,
    /// Where the next piece begins.
    at: u64,
    /// Bytes that are still to be sent.
    left: u64,
    pool: ThreadPoolExecutor,
}

enum Stage {
    Idle(File),
    /// A thread has the file.
    Reading(Submitted<io::Result<(File, Vec<u8>)>>),
    /// It failed, or is being moved to the next stage.
    Over,
}

impl BodyStream for Content {
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        if let Stage::Idle(_) = this.stage
            && let Stage::Idle(file) = std::mem::replace(&mut this.stage, Stage::Over)
        {
            let (at, count) = (this.at, this.left.min(PIECE as u64));
            this.stage = Stage::Reading(this.pool.submit(move || read(file, at, count)));
        }
        let Stage::Reading(reading) = &mut this.stage else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(cx)).map_err(BodyError::other);
        this.stage = Stage::Over;
        let (file, piece) = match read.and_then(|read| read.map_err(BodyError::other)) {
            Ok(read) => read,
            Err(err) => return Poll::Ready(Some(Err(err))),
        };
        this.at += piece.len() as u64;
        this.left -= piece.len() as u64;
        this.stage = Stage::Idle(file);
        Poll::Ready(Some(Ok(piece.into())))
    }

    fn size_hint(&self) -> Option<u64> {
        Some(self.left)
    }
}

/// Reads exactly `count` bytes; a file that has become shorter meanwhile is an error.
fn read(mut file: File, at: u64, count: u64) -> io::Result<(File, Vec<u8>)> {
    file.seek(SeekFrom::Start(at))?;
    // At most a piece, which fits into any address.
    let mut piece = vec![0; usize::try_from(count).unwrap_or(PIECE)];
    file.read_exact(&mut piece)?;
    Ok((file, piece))
}
