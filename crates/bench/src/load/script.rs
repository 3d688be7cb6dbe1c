//! The requests, written once before the run.
//!
//! All requests lie one behind the other in one buffer, and as many as may be pipelined once more
//! behind the last, so that any number of them from any path on is one slice for one write.

use std::net::SocketAddr;
use std::ops::Range;

use super::options::{LARGEST_SCRIPT, Options};

/// The bytes of every request.
#[derive(Debug)]
pub(crate) struct Script {
    bytes: Vec<u8>,
    /// Where request `n` begins; one more than there are requests.
    begins: Vec<usize>,
    paths: usize,
}

impl Script {
    /// Writes the requests that `options` describe.
    ///
    /// # Errors
    ///
    /// A sentence when they would take more than [`LARGEST_SCRIPT`] bytes.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let paths = options.paths.len();
        let mut script = Self {
            bytes: Vec::new(),
            begins: vec![0],
            paths,
        };
        for path in options.paths.iter().cycle().take(paths + options.pipeline) {
            script.write(options, path);
            if script.bytes.len() > LARGEST_SCRIPT {
                return Err(format!(
                    "the requests (paths, pipelined ones and bodies) take more than {LARGEST_SCRIPT} bytes"
                ));
            }
            script.begins.push(script.bytes.len());
        }
        Ok(script)
    }

    fn write(&mut self, options: &Options, path: &str) {
        let method = &options.method;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n",
            host(options.addr)
        );
        for (name, value) in &options.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(content_type) = &options.content_type {
            head += &format!("Content-Type: {content_type}\r\n");
        }
        let length = options.body.as_ref().map_or(0, Vec::len);
        // RFC 9110 section 8.6: these methods say so when they carry nothing.
        if length > 0 || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
            head += &format!("Content-Length: {length}\r\n");
        }
        if options.close {
            head += "Connection: close\r\n";
        }
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes
            .extend_from_slice(options.body.as_deref().unwrap_or_default());
    }

    /// How many different requests there are.
    pub(crate) fn paths(&self) -> usize {
        self.paths
    }

    /// The path after `path`; the first one after the last.
    #[inline]
    pub(crate) fn after(&self, path: usize, count: usize) -> usize {
        if self.paths == 1 {
            return 0;
        }
        (path + count) % self.paths
    }

    /// Where the bytes of `count` requests from `path` on are; `count` is at most what may be
    /// pipelined.
    #[inline]
    pub(crate) fn range(&self, path: usize, count: usize) -> Range<usize> {
        self.begins[path]..self.begins[path + count]
    }

    /// The bytes of a range.
    #[inline]
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }
}

/// RFC 9110 section 7.2: the port is left out when it is the one of the scheme.
fn host(addr: SocketAddr) -> String {
    match (addr, addr.port()) {
        (SocketAddr::V6(_), 80) => format!("[{}]", addr.ip()),
        (SocketAddr::V4(_), 80) => addr.ip().to_string(),
        _ => addr.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::options;
    use super::*;

    fn script(words: &[&str]) -> Script {
        let words = words.iter().map(|word| (*word).to_owned());
        let addr = ["--addr".to_owned(), "127.0.0.1:80".to_owned()];
        let options = options::parse(addr.into_iter().chain(words)).unwrap();
        Script::new(&options.unwrap()).unwrap()
    }

    fn text(script: &Script, path: usize, count: usize) -> &str {
        std::str::from_utf8(script.bytes(script.range(path, count))).unwrap()
    }

    #[test]
    fn a_request_is_what_a_server_expects() {
        let script = script(&["--path", "/a?b=c", "--header", "Accept: */*", "--close"]);
        assert_eq!(
            text(&script, 0, 1),
            "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn pipelined_requests_wrap_around() {
        let words = ["--addr", "127.0.0.1:8080", "--pipeline", "4"];
        let mut options = options::parse(words.map(str::to_owned).into_iter())
            .unwrap()
            .unwrap();
        options.paths = ["/0", "/1", "/2"].map(str::to_owned).to_vec();
        let script = Script::new(&options).unwrap();
        let sent = text(&script, 2, 4);
        let paths: Vec<&str> = sent
            .split("GET ")
            .skip(1)
            .map(|request| &request[..2])
            .collect();
        assert_eq!(paths, ["/2", "/0", "/1", "/2"]);
        assert_eq!(script.after(2, 4), 0);
        assert!(sent.contains("Host: 127.0.0.1:8080\r\n"));
    }
}
