//! The four forms of a request target (RFC 9112 §3.2).

use crate::drive::requests;

/// Decodes one request of the method for the target: the target that came out, or the error.
fn target(method: &str, target: &str) -> String {
    let summary = requests(&format!("{method} {target} HTTP/1.1⏎Host: a⏎⏎"));
    let words: Vec<_> = summary.split(' ').collect();
    words.get(1).unwrap_or(&words[0]).to_string()
}

#[test]
fn forms_that_are_allowed() {
    let rows = [
        ("GET", "/", "/"),
        ("GET", "/a/b?c=d&e", "/a/b?c=d&e"),
        ("GET", "/?", "/?"),
        ("GET", "/a?b?c", "/a?b?c"),
        ("GET", "//evil.example/..", "//evil.example/.."),
        ("GET", "/%2e%2e/%00", "/%2e%2e/%00"),
        ("GET", "/a:b@c", "/a:b@c"),
        ("GET", "/http://x/", "/http://x/"),
        ("GET", "/[]{}|^~!$&'()*+,;=", "/[]{}|^~!$&'()*+,;="),
        ("GET", "http://b/", "http://b/"),
        ("GET", "http://b", "http://b/"),
        ("GET", "http://u:p@b/", "http://b/"),
        ("GET", "HTTP://B:80/x?y", "http://B:80/x?y"),
        ("GET", "https://[::1]:8/x", "https://[::1]:8/x"),
        ("GET", "http://b?q=1", "http://b/?q=1"),
        ("OPTIONS", "*", "*"),
        ("M-SEARCH", "*", "*"),
        ("GET", "/a#b", "/a%23b"),
        ("GET", "/?\"a\"#", "/?%22a%22%23"),
        ("OPTIONS", "/", "/"),
        ("OPTIONS", "http://b", "http://b/"),
        ("CONNECT", "b:443", "b:443"),
        ("CONNECT", "[::1]:1", "[::1]:1"),
    ];
    for (method, sent, got) in rows {
        assert_eq!(target(method, sent), got, "{method} {sent}");
    }
}

#[test]
fn forms_that_are_not() {
    let rows = [
        ("GET", "*", "TargetForm"),
        ("POST", "*", "TargetForm"),
        ("GET", "a:80", "TargetForm"),
        ("GET", "a", "TargetForm"),
        ("GET", "?a", "Target"),
        ("GET", "a/b", "Target"),
        ("GET", "**", "TargetForm"),
        ("CONNECT", "/", "TargetForm"),
        ("CONNECT", "a", "TargetForm"),
        ("CONNECT", "a:", "TargetForm"),
        ("CONNECT", ":80", "TargetForm"),
        ("CONNECT", "a:65536", "TargetForm"),
        ("CONNECT", "u@a:80", "TargetForm"),
        ("CONNECT", "http://a:80/", "TargetForm"),
        ("CONNECT", "*", "TargetForm"),
        ("GET", "http://", "Target"),
        ("GET", "http:///x", "Target"),
        ("GET", "http://:80/", "Target"),
        ("GET", "http://u@p@b/", "Target"),
        ("GET", "http://b:99999/", "Target"),
        ("GET", "http://b:x/", "Target"),
        ("GET", "http://[::1%25eth0]/", "Target"),
        ("GET", "#", "Target"),
        ("GET", "http://a#@b/", "Target"),
        ("TRACE", "*", "TargetForm"),
        ("GET", "/\u{e4}", "Target"),
        ("GET", "/\u{7f}", "Target"),
        ("GET", "/\t", "Target"),
        ("GET", "/\0", "Target"),
        ("GET", "/\u{b}", "Target"),
    ];
    for (method, sent, error) in rows {
        let summary = requests(&format!("{method} {sent} HTTP/1.1⏎Host: a⏎⏎"));
        assert_eq!(summary, error, "{method} {sent:?}");
    }
}
