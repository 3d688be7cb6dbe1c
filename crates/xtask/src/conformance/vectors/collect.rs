//! Vectors of all sources.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::{gunicorn, llhttp};

/// Bytes, and what is stated about them.
#[derive(Debug)]
pub(super) struct Vector {
    pub(super) name: String,
    pub(super) wire: Vec<u8>,
    pub(super) expected: Expected,
}

/// What a vector states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// So many good requests, and perhaps a beginning of one more.
    Answers(usize),
    /// Something is wrong; requests before it may be good.
    Refusal,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers(count) => write!(f, "{count} answers"),
            Self::Refusal => f.write_str("a refusal"),
        }
    }
}

/// Reads the vectors of the source packages that are unpacked in `folder`; those that state something about a server.
///
/// # Errors
///
/// When a source is not there, or has changed its form.
pub(super) fn all(folder: &Path) -> Result<Vec<Vector>, String> {
    let mut vectors = Vec::new();
    let requests = files(
        &folder.join("aiohttp-3.14.5/vendor/llhttp/test/request"),
        "md",
    )?;
    for file in requests {
        vectors.extend(llhttp::read(&stem(&file), &read(&file)?));
    }
    for kind in ["valid", "invalid"] {
        let requests = folder.join("gunicorn-27.0.1/tests/requests").join(kind);
        for file in files(&requests, "http")? {
            let states = read(&file.with_extension("py"))?;
            let name = format!("gunicorn/{kind}: {}", stem(&file));
            vectors.extend(gunicorn::read(name, &read(&file)?, &states)?);
        }
    }
    // Without a whole request, and without a mistake, a server may do as it likes.
    let states = |vector: &Vector| vector.expected != Expected::Answers(0);
    vectors.retain(|vector| speaks_http1(&vector.wire) && states(vector));
    for vector in &mut vectors {
        vector.wire = with_host(&vector.wire);
    }
    Ok(vectors)
}

/// Tunnels, other protocols and HTTP/0.9 are no matter of an origin server's rules.
fn speaks_http1(wire: &[u8]) -> bool {
    let text = String::from_utf8_lossy(wire);
    let mut lines = text.lines().skip_while(|line| line.is_empty());
    let line = lines.next().unwrap_or_default();
    let last = line.split(' ').next_back().unwrap_or_default();
    let other = ["ICE/", "RTSP/"]
        .iter()
        .any(|other| last.starts_with(other));
    let tunnel = line.starts_with("CONNECT ");
    let no_version = line.split(' ').count() == 2 && line.starts_with("GET /");
    !(other || tunnel || no_version)
}

/// Adds `Host` to the heads of HTTP/1.1, because tests of parsers leave it out and servers must refuse that
/// (RFC 9112 §3.2).
fn with_host(wire: &[u8]) -> Vec<u8> {
    const END: &[u8] = b" HTTP/1.1\r\n";
    let has_host = wire
        .windows(6)
        .any(|part| part.eq_ignore_ascii_case(b"\nhost:"));
    let mut hosted = Vec::with_capacity(wire.len());
    let mut rest = wire;
    while let Some(at) = rest
        .windows(END.len())
        .position(|part| part == END)
        .filter(|_| !has_host)
    {
        let (line, after) = rest.split_at(at + END.len());
        hosted.extend_from_slice(line);
        hosted.extend_from_slice(b"Host: localhost\r\n");
        rest = after;
    }
    hosted.extend_from_slice(rest);
    hosted
}

/// The files of a folder in the order of their names.
fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>, String> {
    let entries =
        fs::read_dir(folder).map_err(|err| format!("cannot read {}: {err}", folder.display()))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|known| known == end))
        .collect();
    files.sort_unstable();
    Ok(files)
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|err| format!("cannot read {}: {err}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_added_where_there_is_none() {
        let hosted = |wire: &str| String::from_utf8(with_host(wire.as_bytes())).unwrap();
        assert_eq!(
            hosted("GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        for kept in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nhOST: a\r\n\r\n",
            "GET / HTTP/1.1\n\n",
        ] {
            assert_eq!(hosted(kept), kept);
        }
    }

    #[test]
    fn other_protocols_are_left_out() {
        for wire in [
            "GET / HTTP/1.1\r\n\r\n",
            "\r\nPUT /a HTTP/1.0\r\n",
            "bla /x HTTP/9.9\r\n",
            "GET\n/\nHTTP/1.1\r\n",
        ] {
            assert!(speaks_http1(wire.as_bytes()), "{wire}");
        }
        for wire in [
            "CONNECT a:1 HTTP/1.1\r\n",
            "OPTIONS /a RTSP/1.0\r\n",
            "SOURCE /a ICE/1.0\r\n",
            "GET /\r\n\r\n",
        ] {
            assert!(!speaks_http1(wire.as_bytes()), "{wire}");
        }
    }
}
