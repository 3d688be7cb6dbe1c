//! A folder as a part of an application.

use std::convert::Infallible;
use std::panic::Location;
use std::path::Path;

use squall_http::h1::RequestHead;

use super::Files;
use crate::application::{Application, Problem};
use crate::context::Context;
use crate::extract::FromRequest;

impl Application {
    /// Serves the files of a folder for GET and HEAD below `prefix`; see [`files`](crate::files) for which, and how.
    ///
    /// `static_files("/static", "assets")` answers `/static/style.css` with the file `assets/style.css`. The folder is
    /// relative to the working directory of the process if it is relative, and is opened here, once on every loop. A folder
    /// that is not there is a mistake, with which a server does not start. Other routes below the same prefix come first.
    #[track_caller]
    pub fn static_files(self, prefix: &str, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let prefix = prefix.trim_end_matches('/');
        let path = format!("{prefix}/{{*path}}");
        let files = match Files::new(folder) {
            Ok(files) => files,
            Err(err) => {
                return self.problem(Problem::Folder {
                    route: format!("GET {path} ({})", Location::caller()),
                    folder: folder.to_owned(),
                    error: err.to_string(),
                });
            }
        };
        let slashes = path.matches('/').count();
        self.get(&path, move |Asked(head): Asked| {
            let files = files.clone();
            async move { files.answer(tail(head.path(), slashes), &head).await }
        })
    }
}

/// What follows so many slashes of a path. The prefix may be spelled with escapes, so its length is not known.
fn tail(path: &str, slashes: usize) -> &str {
    path.splitn(slashes + 1, '/').last().unwrap_or_default()
}

/// The head of a request.
struct Asked(RequestHead);

impl FromRequest for Asked {
    type Rejection = Infallible;

    async fn from_request(cx: &mut Context) -> std::result::Result<Self, Infallible> {
        Ok(Self(cx.request().head().clone()))
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_still_encoded() {
        assert_eq!(tail("/static/a/b%2fc", 2), "a/b%2fc");
        assert_eq!(tail("/%73tatic/", 2), "");
        assert_eq!(tail("/a", 1), "a");
        assert_eq!(tail("/", 1), "");
    }
}
