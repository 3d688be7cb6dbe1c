//! Finding files inside of a folder, and nowhere else.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use squall_ioloop::files::{open_beneath, open_cached};

/// The one name with a dot in front that is meant for everybody (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where it is, without symbolic links.
    root: PathBuf,
    handle: File,
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = path.canonicalize()?;
        fs::read_dir(&root)?;
        let handle = File::open(&root)?;
        Ok(Self { root, handle })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Opens what has this name, if that needs no waiting.
    pub(super) fn at_once(&self, name: &str) -> io::Result<Option<File>> {
        match open_cached(&self.handle, Path::new(name)) {
            // A link with a whole path may still lead back.
            Err(err) if err.kind() == io::ErrorKind::CrossesDevices => Ok(None),
            opened => opened,
        }
    }

    /// Opens what has this name; may wait for the disk.
    pub(super) fn waiting(&self, name: &str) -> io::Result<File> {
        match open_beneath(&self.handle, Path::new(name)) {
            Ok(Some(file)) => return Ok(file),
            Err(err) if err.kind() == io::ErrorKind::CrossesDevices => {}
            Err(err) => return Err(err),
            Ok(None) => {}
        }
        let path = self.root.join(name).canonicalize()?;
        // Looked at before it is opened, for opening a pipe waits for its other end.
        let about = fs::metadata(&path)?;
        if path.starts_with(&self.root) && (about.is_file() || about.is_dir()) {
            File::open(&path)
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// A path of a request, decoded and found to stay where it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Relative, with one slash between its parts and none at its end; empty for the folder itself.
    pub(super) name: String,
    /// The path ends with a slash, so that it is a folder's.
    pub(super) folder: bool,
}

/// Reads a path that is still percent-encoded; `None` for one that nothing can have.
///
/// Each part is decoded once, by itself, so an encoded slash does not become one that separates. Refused are parts that are
/// empty or begin with a dot, and those with a slash, a backslash or a zero in them, whatever a system may make of these.
pub(super) fn named(path: &str) -> Option<Named> {
    let mut name = String::with_capacity(path.len());
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() && parts.peek().is_none() {
            return Some(Named { name, folder: true });
        }
        let part = percent_decode_str(part).decode_utf8().ok()?;
        let hidden = part.starts_with('.') && part != WELL_KNOWN;
        if part.is_empty() || hidden || part.contains(['/', '\\', '\0']) {
            return None;
        }
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(&part);
    }
    Some(Named {
        name,
        folder: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_stay_where_they_are() {
        for (path, name, folder) in [
            ("", "", true),
            ("a", "a", false),
            ("a/b.txt", "a/b.txt", false),
            ("a/", "a", true),
            ("a%20b/%c3%a9.css", "a b/\u{e9}.css", false),
            ("100%25", "100%", false),
            ("%252e%252e", "%2e%2e", false),
            (
                ".well-known/security.txt",
                ".well-known/security.txt",
                false,
            ),
            ("a..b/c...", "a..b/c...", false),
        ] {
            let expected = Named {
                name: name.to_owned(),
                folder,
            };
            assert_eq!(named(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn paths_that_would_leave() {
        for path in [
            "..",
            ".",
            "../etc/passwd",
            "a/../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "%2e%2e/etc/passwd",
            "%2E%2E%2Fetc",
            ".%2e/etc",
            "..%5c..%5cwindows",
            "..\\windows",
            "a/..;/b",
            "/etc/passwd",
            "a//b",
            "//",
            "%2fetc%2fpasswd",
            "a%00.txt",
            "%c0%ae%c0%ae/etc",
            "%e0%80%ae%e0%80%ae/etc",
            "%ff",
            "\\\\?\\c:\\windows",
            "%5c%5c?%5cc:",
            ".git/config",
            "a/.env",
            ".well-known/../x",
            ".well-known/.x",
        ] {
            assert_eq!(named(path), None, "{path}");
        }
    }
}
