//! The files of a folder: style sheets, pictures, downloads.
//!
//! ```no_run
//! use squall_server::HttpServer;
//! use squall_web::Application;
//!
//! // `GET /static/style.css` is the file `assets/style.css`.
//! let app = || Application::new().static_files("/static", "assets");
//! HttpServer::new(app).listen("127.0.0.1:8888")?.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Application::static_files`](crate::Application::static_files) is the short way; a handler that decides by itself who gets what asks [`Files::answer`].
//!
//! # What is served
//!
//! * Plain files below the folder, as it is when the application is made: a folder that is put in its place later is
//!   another one. Symbolic links are followed as long as they stay inside. Names that begin with a dot are not found, but
//!   for `.well-known`; nor are pipes and devices.
//! * The path of a folder with a slash at its end is its `index.html`; without the slash it is sent there (308). Folders are
//!   never listed.
//! * Each part of a path is percent-decoded once. What would lead out of the folder, in whatever spelling, is not found.
//!
//! # How it is answered
//!
//! * GET and HEAD alone; others get 405.
//! * `Content-Type` by the end of the name, and `X-Content-Type-Options: nosniff`, so that browsers do not guess otherwise.
//!   Files that users have uploaded do not belong on the site's own host even so: an SVG picture or a page has scripts.
//! * `ETag` and `Last-Modified`; `If-None-Match` and `If-Modified-Since` get 304, `If-Match` and `If-Unmodified-Since` 412
//!   (RFC 9110 §13).
//! * A single range of bytes gets 206, one that is not there 416 (RFC 9110 §14); several at once, and what is no range, get
//!   the whole file.
//!
//! # What it costs
//!
//! A file in the system's cache is opened and sent without leaving the loop, up to 32 KiB in one write with their head, more
//! as a [`FileBody`]. What is not in the cache is waited for on a thread of the loop's pool.

mod conditions;
mod facts;
mod folder;
mod kinds;
mod mount;
mod range;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{StatusCode, Uri};
use squall_http::Body;
use squall_http::h1::RequestHead;
use squall_ioloop::IoLoop;
use squall_ioloop::files::read_cached;
use squall_server::FileBody;

use crate::response::{IntoResponse, Redirect, Response};
use crate::{HttpError, Result};
use facts::Facts;
use folder::{Folder, Named, named};
use range::Wanted;

/// What a folder's own path shows.
const INDEX: &str = "index.html";

/// A file, or a part of it, that is sent at once with its head, in bytes.
const SMALL: u64 = 32 * 1024;

/// The files of a folder; see the [module](self). Clones share it.
#[derive(Clone)]
pub struct Files {
    folder: Arc<Folder>,
}

impl Files {
    /// Takes a folder, relative to the working directory if it is relative. Waits for the disk.
    ///
    /// # Errors
    ///
    /// When there is no such folder, or it cannot be read.
    pub fn new(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = Arc::new(Folder::open(folder.as_ref())?);
        Ok(Self { folder })
    }

    /// Answers a GET or a HEAD for the file at `path`, which is relative to the folder and still percent-encoded; `head` is
    /// that of the request, for its conditions and its range.
    ///
    /// The answer is there at once for a file in the system's cache. One from status 400 on has no text yet: an application
    /// adds its own.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost but the answer.
    pub async fn answer(&self, path: &str, head: &RequestHead) -> Response {
        let answer = self.try_answer(path, head).await;
        answer.unwrap_or_else(IntoResponse::into_response)
    }

    async fn try_answer(&self, path: &str, head: &RequestHead) -> Result<Response> {
        let Some(Named { mut name, folder }) = named(path) else {
            return Ok(StatusCode::NOT_FOUND.into_response());
        };
        if folder {
            let slash = if name.is_empty() { "" } else { "/" };
            name = name + slash + INDEX;
        }
        let file = match self.open(&name).await {
            Ok(file) => file,
            Err(err) if is_nothing(&err) => return Ok(StatusCode::NOT_FOUND.into_response()),
            Err(err) => return Err(HttpError::from(err)),
        };
        let about = file.metadata()?;
        if about.is_dir() && !folder {
            return with_slash(head);
        }
        if !about.is_file() {
            return Ok(StatusCode::NOT_FOUND.into_response());
        }
        respond(Facts::of(file, &about)?, kinds::kind(&name), head)
    }

    async fn open(&self, name: &str) -> io::Result<File> {
        if let Some(file) = self.folder.at_once(name)? {
            return Ok(file);
        }
        let (folder, name) = (Arc::clone(&self.folder), name.to_owned());
        let opened = IoLoop::current().run_in_executor(None, move || folder.waiting(&name));
        opened.await.map_err(io::Error::other)?
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Files").field(&self.folder.root()).finish()
    }
}

/// Whether there is nothing that the peer may have, as against something that the operator should hear of.
fn is_nothing(err: &io::Error) -> bool {
    use io::ErrorKind::{
        CrossesDevices, InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied,
    };
    let kinds = [
        CrossesDevices,
        InvalidFilename,
        InvalidInput,
        NotADirectory,
        NotFound,
        PermissionDenied,
    ];
    kinds.contains(&err.kind())
}

/// Sends the peer from a folder to the same with a slash, from where the links of its page lead right.
fn with_slash(head: &RequestHead) -> Result<Response> {
    let query = head.query().map(|query| format!("?{query}"));
    // A path in which two slashes follow each other was refused, so this cannot be taken for a host.
    let target = format!("{}/{}", head.path(), query.unwrap_or_default());
    Ok(Redirect::permanent(target.parse::<Uri>()?).into_response())
}

fn respond(facts: Facts, kind: &'static str, head: &RequestHead) -> Result<Response> {
    match conditions::precondition(head, &facts) {
        Some(StatusCode::NOT_MODIFIED) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            describe(&mut response, &facts)?;
            Ok(response)
        }
        Some(status) => Ok(status.into_response()),
        None => content(facts, kind, head),
    }
}

fn content(facts: Facts, kind: &'static str, head: &RequestHead) -> Result<Response> {
    let length = facts.length;
    let (first, count, range) = match conditions::wanted(head, &facts) {
        Wanted::All => (0, length, None),
        Wanted::Part { first, last } => {
            let range = format!("bytes {first}-{last}/{length}");
            (first, last - first + 1, Some(range))
        }
        Wanted::Nothing => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"))?;
            return Ok(response);
        }
    };
    let mut response = Response::new(Body::empty());
    describe(&mut response, &facts)?;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(range) = range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(&mut response, CONTENT_RANGE, &range)?;
    }
    *response.body_mut() = match small(&facts.file, first, count) {
        Some(body) => body,
        None => FileBody::new(facts.file, first, count).into(),
    };
    Ok(response)
}

/// A small body, if all of it can be read at once.
fn small(file: &File, first: u64, count: u64) -> Option<Body> {
    let bytes = usize::try_from(count).ok().filter(|_| count <= SMALL)?;
    let mut buffer = vec![0; bytes];
    match read_cached(file, &mut buffer, first) {
        Ok(Some(read)) if read == bytes => Some(buffer.into()),
        // Whoever reads it later finds out what is the matter with it.
        _ => None,
    }
}

/// Adds what lets a client ask whether the file has changed.
fn describe(response: &mut Response, facts: &Facts) -> Result<()> {
    set(response, ETAG, &facts.etag)?;
    set(response, LAST_MODIFIED, &facts.last_modified())
}

fn set(response: &mut Response, name: HeaderName, value: &str) -> Result<()> {
    let value = HeaderValue::from_str(value)?;
    response.headers_mut().insert(name, value);
    Ok(())
}
