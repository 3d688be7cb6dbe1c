//! Where the standard leaves a choice, or others are lenient: what this server does, on purpose.
//!
//! `docs/http1-choices.md` has a line for each of these, which a test holds to the table.

use http::{Method, Response, StatusCode};
use squall_http::Body;
use squall_server::Request;

use crate::wire::Wire;
use crate::{echo, on_loop, status};

/// What becomes of a request and of its connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The service answers it, and the next one on the same connection.
    Answered,
    /// The service answers it, then the connection ends.
    AnsweredLast,
    /// The server answers it with this status, then the connection ends.
    Refused(u16),
}
use Fate::{Answered, AnsweredLast, Refused};

struct Choice {
    what: &'static str,
    fate: Fate,
    why: &'static str,
    /// The bytes, with `⏎` for CRLF and Latin-1 for bytes above ASCII, and what [`echo`] makes of them if they get there.
    cases: &'static [(&'static str, &'static str)],
}

const CHOICES: &[Choice] = &[
    Choice {
        what: "HTTP/1.1 without `Host`",
        fate: Refused(400),
        why: "RFC 9112 §3.2 demands it; a proxy before us would have had to guess the site",
        cases: &[("GET / HTTP/1.1⏎⏎", "")],
    },
    Choice {
        what: "`Host` twice, even with the same value",
        fate: Refused(400),
        why: "RFC 9112 §3.2 demands it; two readers may take two different ones",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a⏎Host: b⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a⏎Host: a⏎⏎", ""),
            ("GET / HTTP/1.0⏎Host: a⏎Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "a `Host` that is no host with an optional port",
        fate: Refused(400),
        why: "RFC 9112 §3.2 demands it; such values end up in links and cache keys",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a b⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a, b⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a/b⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: u@a⏎⏎", ""),
        ],
    },
    Choice {
        what: "an empty `Host`",
        fate: Answered,
        why: "RFC 9112 §3.2: what a client sends whose target has no authority",
        cases: &[("GET / HTTP/1.1⏎Host:⏎⏎", "GET / []")],
    },
    Choice {
        what: "HTTP/1.0 without `Host`",
        fate: AnsweredLast,
        why: "HTTP/1.0 has no such field",
        cases: &[("GET / HTTP/1.0⏎⏎", "GET / []")],
    },
    Choice {
        what: "`Content-Length` and `Transfer-Encoding` together",
        fate: Refused(400),
        why: "RFC 9112 §6.3 rule 3: the mark of request smuggling; nobody sends both in good faith",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 5⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Content-Length: 5⏎⏎0⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "a transfer coding before `chunked`",
        fate: Refused(501),
        why: "RFC 9112 §6.1 says 501; a service would get a body that is still encoded. `identity` is no coding any more",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: cow, chunked⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: gzip⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: identity, chunked⏎⏎0⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "`Transfer-Encoding` that does not end in `chunked`",
        fate: Refused(400),
        why: "RFC 9112 §6.3 rule 4 demands it: nobody knows where the body ends",
        cases: &[
            ("POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: gzip⏎⏎", ""),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked, gzip⏎⏎0⏎⏎",
                "",
            ),
            ("POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: identity⏎⏎", ""),
        ],
    },
    Choice {
        what: "`Transfer-Encoding` with an empty member, a parameter, or `chunked` twice",
        fate: Refused(400),
        why: "RFC 9112 §6.1 and §7 have no such thing, and readers differ about what is left of it",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: ,chunked⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked,⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked;a=b⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked, chunked⏎⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "`Transfer-Encoding` in HTTP/1.0",
        fate: Refused(400),
        why: "RFC 9112 §6.1: its framing is faulty, as a proxy of that version does not see it",
        cases: &[("POST / HTTP/1.0⏎Transfer-Encoding: chunked⏎⏎0⏎⏎", "")],
    },
    Choice {
        what: "`Content-Length` twice or as a list, even with the same value",
        fate: Refused(400),
        why: "RFC 9112 §6.3 rule 5 would let equal ones pass; nobody sends them in good faith",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Content-Length: 2⏎Content-Length: 2⏎⏎hi",
                "",
            ),
            ("POST / HTTP/1.1⏎Host: a⏎Content-Length: 2, 2⏎⏎hi", ""),
        ],
    },
    Choice {
        what: "a `Content-Length` that is not plain digits",
        fate: Refused(400),
        why: "RFC 9110 §8.6; lenient readers of numbers differ",
        cases: &[
            ("POST / HTTP/1.1⏎Host: a⏎Content-Length: +2⏎⏎hi", ""),
            ("POST / HTTP/1.1⏎Host: a⏎Content-Length: 0x2⏎⏎hi", ""),
            ("POST / HTTP/1.1⏎Host: a⏎Content-Length: 1_0⏎⏎hi", ""),
            ("POST / HTTP/1.1⏎Host: a⏎Content-Length:⏎⏎hi", ""),
        ],
    },
    Choice {
        what: "a line that ends in LF alone",
        fate: Refused(400),
        why: "RFC 9112 §2.2 would let it pass; where one reader sees one line and the next two, requests are smuggled",
        cases: &[
            ("GET / HTTP/1.1\nHost: a\n\n", ""),
            ("GET / HTTP/1.1⏎Host: a\nX: y⏎⏎", ""),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1\na⏎0⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "a CR alone",
        fate: Refused(400),
        why: "RFC 9112 §2.2 demands it, or a space in its place",
        cases: &[("GET / HTTP/1.1⏎Host: a\rX: y⏎⏎", "")],
    },
    Choice {
        what: "a folded line",
        fate: Refused(400),
        why: "RFC 9112 §5.2 lets a server refuse what has been obsolete since 2014",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a⏎X: y⏎ z⏎⏎", ""),
            ("GET / HTTP/1.1⏎ Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "white space before a colon",
        fate: Refused(400),
        why: "RFC 9112 §5.1 demands it",
        cases: &[("GET / HTTP/1.1⏎Host : a⏎⏎", "")],
    },
    Choice {
        what: "a field without a name or without a colon, or a name that is no token",
        fate: Refused(400),
        why: "RFC 9112 §5: it is no field",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a⏎: b⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a⏎abc⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a⏎a(b): c⏎⏎", ""),
        ],
    },
    Choice {
        what: "a control byte in a field value",
        fate: Refused(400),
        why: "RFC 9110 §5.5 demands it for CR, LF and NUL, and the others have no business there",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a⏎X: b\0⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a⏎X: b\u{1}⏎⏎", ""),
            ("GET / HTTP/1.1⏎Host: a⏎X: b\u{7f}⏎⏎", ""),
        ],
    },
    Choice {
        what: "a tab, or a byte above ASCII, in a field value",
        fate: Answered,
        why: "RFC 9110 §5.5: the service gets the bytes as they are",
        cases: &[("GET / HTTP/1.1⏎Host: a⏎X: b\tÿ⏎⏎", "GET / []")],
    },
    Choice {
        what: "up to four empty lines before a request",
        fate: Answered,
        why: "RFC 9112 §2.2 asks for one, for clients that end a body with a line; four cost nothing",
        cases: &[("⏎⏎⏎⏎GET / HTTP/1.1⏎Host: a⏎⏎", "GET / []")],
    },
    Choice {
        what: "five empty lines before a request",
        fate: Refused(400),
        why: "no client does that, and something has to end it",
        cases: &[("⏎⏎⏎⏎⏎GET / HTTP/1.1⏎Host: a⏎⏎", "")],
    },
    Choice {
        what: "CONNECT with a host and a port",
        fate: Answered,
        why: "RFC 9110 §9.3.6: the service decides; one that knows no tunnels answers 405, as this one does",
        cases: &[("CONNECT a:1 HTTP/1.1⏎Host: a:1⏎⏎", "405")],
    },
    Choice {
        what: "CONNECT with another form of target, or with a body",
        fate: Refused(400),
        why: "RFC 9112 §3.2.3 and RFC 9110 §9.3.6: it has neither",
        cases: &[
            ("CONNECT / HTTP/1.1⏎Host: a⏎⏎", ""),
            ("CONNECT http://a/ HTTP/1.1⏎Host: a⏎⏎", ""),
            ("CONNECT a:1 HTTP/1.1⏎Host: a:1⏎Content-Length: 2⏎⏎hi", ""),
        ],
    },
    Choice {
        what: "a host and a port as the target of another method",
        fate: Refused(400),
        why: "RFC 9112 §3.2.3: that form is CONNECT's alone",
        cases: &[("GET a:1 HTTP/1.1⏎Host: a:1⏎⏎", "")],
    },
    Choice {
        what: "a target that begins neither with a slash nor with a scheme",
        fate: Refused(400),
        why: "RFC 9112 §3.2: it is none of the four forms",
        cases: &[
            ("GET ! HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET a/b HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET ?a HTTP/1.1⏎Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "`*` as the target of OPTIONS",
        fate: Answered,
        why: "RFC 9112 §3.2.4: the service gets it as it is",
        cases: &[("OPTIONS * HTTP/1.1⏎Host: a⏎⏎", "OPTIONS * []")],
    },
    Choice {
        what: "`*` as the target of another method of RFC 9110",
        fate: Refused(400),
        why: "RFC 9112 §3.2.4: that form is for OPTIONS alone",
        cases: &[
            ("GET * HTTP/1.1⏎Host: a⏎⏎", ""),
            ("PUT * HTTP/1.1⏎Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "`*` as the target of a method of somebody else's",
        fate: Answered,
        why: "what its target can be is the method's own affair; UPnP's M-SEARCH has no other",
        cases: &[("M-SEARCH * HTTP/1.1⏎Host: a⏎⏎", "M-SEARCH * []")],
    },
    Choice {
        what: "a whole URI as the target",
        fate: Answered,
        why: "RFC 9112 §3.2.2 demands it; the service gets all of it, and is not to look at `Host` then",
        cases: &[("GET http://b/x HTTP/1.1⏎Host: a⏎⏎", "GET http://b/x []")],
    },
    Choice {
        what: "user information in a target",
        fate: Answered,
        why: "RFC 9110 §4.2.4: no sender has to write it, and most servers take it; left out of the `Uri`, it cannot hide which host is meant",
        cases: &[("GET http://u:p@b/x HTTP/1.1⏎Host: b⏎⏎", "GET http://b/x []")],
    },
    Choice {
        what: "more than one `@` before the host of a target",
        fate: Refused(400),
        why: "RFC 3986 §3.2.1 has one; readers differ about which one ends the user information",
        cases: &[("GET http://u@a@b/x HTTP/1.1⏎Host: b⏎⏎", "")],
    },
    Choice {
        what: "a `#` in a target",
        fate: Answered,
        why: "RFC 9112 §3.2: a target has no fragment; it is a byte of the path or the query, `%23` in the `Uri`, for cut off it may get past a filter before us",
        cases: &[
            ("GET /a#b HTTP/1.1⏎Host: a⏎⏎", "GET /a%23b []"),
            ("GET /?a#b HTTP/1.1⏎Host: a⏎⏎", "GET /?a%23b []"),
        ],
    },
    Choice {
        what: "a byte above ASCII, a control byte or one of `<>` in a target, a backtick in a path",
        fate: Refused(400),
        why: "RFC 9112 §3.2 and RFC 3986 §2: clients have to encode them, and browsers do",
        cases: &[
            ("GET /é HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET /\t HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET /<a> HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET /?a=<b> HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET /a`b HTTP/1.1⏎Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "one of `[]{}|\\^\"` in a target, a backtick in a query",
        fate: Answered,
        why: "RFC 3986 does not have them either, but browsers and tools send them as they are",
        cases: &[
            (
                "GET /[a]{b}|\\^\"c\" HTTP/1.1⏎Host: a⏎⏎",
                "GET /[a]{b}|\\^\"c\" []",
            ),
            (
                "GET /?[a]{b}|\\^` HTTP/1.1⏎Host: a⏎⏎",
                "GET /?[a]{b}|\\^` []",
            ),
            ("GET /?a=\"b\" HTTP/1.1⏎Host: a⏎⏎", "GET /?a=%22b%22 []"),
        ],
    },
    Choice {
        what: "a percent sign that begins no escape",
        fate: Answered,
        why: "RFC 3986 §2.1: whoever decodes the path decides, and refuses it there",
        cases: &[("GET /%zz HTTP/1.1⏎Host: a⏎⏎", "GET /%zz []")],
    },
    Choice {
        what: "a method that does not begin with a letter, or is no token",
        fate: Refused(400),
        why: "RFC 9110 §9.1 lets a token begin with a dash; no registered one does, and it keeps other protocols out",
        cases: &[
            ("-blargh / HTTP/1.1⏎Host: a⏎⏎", ""),
            ("1GET / HTTP/1.1⏎Host: a⏎⏎", ""),
            ("G@T / HTTP/1.1⏎Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "a method that nobody has registered",
        fate: Answered,
        why: "RFC 9110 §9.1 and §16.1: methods can be added, and only the service knows which there are",
        cases: &[
            ("BREW / HTTP/1.1⏎Host: a⏎⏎", "BREW / []"),
            ("get / HTTP/1.1⏎Host: a⏎⏎", "get / []"),
        ],
    },
    Choice {
        what: "a method of more than 32 bytes",
        fate: Refused(501),
        why: "RFC 9112 §3 says 501; the longest registered one has 17",
        cases: &[(
            "METHODMETHODMETHODMETHODMETHODMETHOD / HTTP/1.1⏎Host: a⏎⏎",
            "",
        )],
    },
    Choice {
        what: "more than one `Content-Type`",
        fate: Refused(400),
        why: "RFC 9110 §8.3 has one; a filter may look at the one, and the service at the other",
        cases: &[(
            "POST / HTTP/1.1⏎Host: a⏎Content-Type: a/b⏎content-type: a/c⏎Content-Length: 0⏎⏎",
            "",
        )],
    },
    Choice {
        what: "a version other than 1.0 and 1.1",
        fate: Refused(505),
        why: "RFC 9110 §15.6.6; it would let a 1.2 be read as 1.1 (§2.5), but there is none and never will be",
        cases: &[
            ("GET / HTTP/1.2⏎Host: a⏎⏎", ""),
            ("GET / HTTP/0.9⏎Host: a⏎⏎", ""),
            ("PRI * HTTP/2.0⏎⏎SM⏎⏎", ""),
        ],
    },
    Choice {
        what: "a request line without a version, or with other white space than one space each",
        fate: Refused(400),
        why: "RFC 9112 §3 would let white space pass; HTTP/0.9 cannot be told from a mistake",
        cases: &[
            ("GET /⏎", ""),
            ("GET  / HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET\t/ HTTP/1.1⏎Host: a⏎⏎", ""),
            ("GET / HTTP/1.1 ⏎Host: a⏎⏎", ""),
            ("GET / http/1.1⏎Host: a⏎⏎", ""),
        ],
    },
    Choice {
        what: "a broken line of a head that has not ended yet",
        fate: Refused(400),
        why: "each line is judged as soon as it is whole, and white space at its beginning at once: what is wrong does not get better while we wait",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a b⏎", ""),
            ("GET / HTTP/1.1⏎Content-Length: 1⏎Content-Length: 2⏎", ""),
            ("GET / HTTP/1.1⏎ H", ""),
        ],
    },
    Choice {
        what: "a trailer field about framing, routing or who asks",
        fate: Refused(400),
        why: "RFC 9110 §6.5.1 forbids to send it; passed over, it would be seen by one reader and not by the next",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0⏎Content-Length: 5⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0⏎Host: b⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "a trailer field about the content",
        fate: Answered,
        why: "RFC 9110 §6.5.1: it comes too late to say how to read a body, and is passed over; test suites have it in good requests",
        cases: &[(
            "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0⏎Content-Type: a/b⏎⏎",
            "POST / []",
        )],
    },
    Choice {
        what: "another trailer field",
        fate: Answered,
        why: "RFC 9110 §6.5: the service finds it behind the body, never among the fields of the head",
        cases: &[(
            "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0⏎X-Sum: 5⏎⏎",
            "POST / []",
        )],
    },
    Choice {
        what: "a chunk size with white space, a sign or a prefix",
        fate: Refused(400),
        why: "RFC 9112 §7.1: hexadecimal digits alone; lenient readers of numbers differ",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1 ⏎a⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎+1⏎a⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎0x1⏎a⏎0⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "a chunk extension",
        fate: Answered,
        why: "RFC 9112 §7.1.1: passed over, as nobody has defined one; all of a body together have a limit",
        cases: &[(
            "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1;a=b;c=\"d;e\"⏎a⏎0⏎⏎",
            "POST / [a]",
        )],
    },
    Choice {
        what: "what only looks like a chunk extension: no name, no value, an open quote",
        fate: Refused(400),
        why: "RFC 9112 §7.1.1: where it ends, and with it the chunk's size line, is a matter of opinion",
        cases: &[
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1;⏎a⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1;a=⏎a⏎0⏎⏎",
                "",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎1;a=\"b⏎a⏎0⏎⏎",
                "",
            ),
        ],
    },
    Choice {
        what: "`Expect` with something else than `100-continue`",
        fate: Refused(417),
        why: "RFC 9110 §10.1.1 says 417: whoever expects something should not get something else",
        cases: &[("GET / HTTP/1.1⏎Host: a⏎Expect: miracle⏎⏎", "")],
    },
    Choice {
        what: "`Expect: 100-continue` in HTTP/1.0",
        fate: AnsweredLast,
        why: "RFC 9110 §10.1.1 demands that it is passed over",
        cases: &[(
            "POST / HTTP/1.0⏎Expect: 100-continue⏎Content-Length: 2⏎⏎hi",
            "POST / [hi]",
        )],
    },
    Choice {
        what: "a request without a length, whatever its method",
        fate: Answered,
        why: "RFC 9112 §6.3 rule 7: it has no body; 411 is for a service that insists on one",
        cases: &[
            ("POST / HTTP/1.1⏎Host: a⏎⏎", "POST / []"),
            ("PUT / HTTP/1.1⏎Host: a⏎⏎", "PUT / []"),
        ],
    },
    Choice {
        what: "a `Host` that nobody has heard of, or another one than the handshake of TLS had",
        fate: Answered,
        why: "RFC 9110 §7.4 has 421 where names differ in their rights; those of one address do not, and the service knows its sites",
        cases: &[("GET / HTTP/1.1⏎Host: unheard.of⏎⏎", "GET / []")],
    },
    Choice {
        what: "a body with GET, HEAD, DELETE or TRACE",
        fate: Answered,
        why: "RFC 9110 §9.3.1: it means nothing, but it has to be read to find the next request",
        cases: &[
            ("GET / HTTP/1.1⏎Host: a⏎Content-Length: 2⏎⏎hi", "GET / [hi]"),
            (
                "DELETE / HTTP/1.1⏎Host: a⏎Content-Length: 2⏎⏎hi",
                "DELETE / [hi]",
            ),
            (
                "TRACE / HTTP/1.1⏎Host: a⏎Content-Length: 2⏎⏎hi",
                "TRACE / [hi]",
            ),
        ],
    },
    Choice {
        what: "an upgrade that the service does not take, such as `h2c`",
        fate: Answered,
        why: "RFC 9110 §7.8: passed over; HTTP/2 without TLS has no upgrade any more (RFC 9113 §3.1)",
        cases: &[
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: Upgrade, HTTP2-Settings⏎Upgrade: h2c⏎HTTP2-Settings: AA⏎⏎",
                "GET / []",
            ),
            (
                "POST / HTTP/1.1⏎Host: a⏎Connection: upgrade⏎Upgrade: x⏎Content-Length: 2⏎⏎hi",
                "POST / [hi]",
            ),
        ],
    },
    Choice {
        what: "anything behind a request that ends the connection",
        fate: AnsweredLast,
        why: "RFC 9112 §9.6 demands that it is not processed",
        cases: &[
            (
                "GET / HTTP/1.1⏎Host: a⏎Connection: close⏎⏎GET /b HTTP/1.1⏎Host: a⏎⏎",
                "GET / []",
            ),
            ("GET / HTTP/1.0⏎⏎rubbish", "GET / []"),
        ],
    },
];

/// [`echo`], but for tunnels.
async fn service(request: Request) -> Response<Body> {
    if request.method() == Method::CONNECT {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    echo(request).await
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |letter: char| u8::try_from(letter).expect("a letter of Latin-1");
    text.replace('⏎', "\r\n").chars().map(byte).collect()
}

fn check(choice: &Choice, wire: &'static str, echoed: &'static str) {
    on_loop(async {
        let (mut end, _served) = Wire::serving(service);
        end.send(bytes(wire)).await;
        if matches!(choice.fate, Answered) {
            // Only the last of two is told to be the last, so both come when the first is read to its end.
            end.send("GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await;
        }
        let answers = end.rest().await;
        let codes: Vec<&str> = answers
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|text| &text[..3])
            .collect();
        let case = format!("{}: {wire:?} got {answers:?}", choice.what);
        match choice.fate {
            Answered if echoed == "405" => assert_eq!(codes, ["405", "200"], "{case}"),
            Answered => assert_eq!(codes, ["200", "200"], "{case}"),
            AnsweredLast => assert_eq!(codes, ["200"], "{case}"),
            Refused(code) => {
                assert_eq!(codes, [code.to_string()], "{case}");
                assert!(answers.contains("connection: close\r\n"), "{case}");
            }
        }
        match choice.fate {
            Answered => assert!(
                answers.contains(echoed) && answers.ends_with("GET /after []"),
                "{case}"
            ),
            AnsweredLast => assert!(answers.ends_with(echoed), "{case}"),
            Refused(_) => {}
        }
        Ok(())
    });
}

#[test]
fn every_choice_is_kept() {
    for choice in CHOICES {
        assert!(!choice.cases.is_empty(), "{}", choice.what);
        for (wire, echoed) in choice.cases {
            check(choice, wire, echoed);
        }
    }
}

/// The table of the page, as it follows from this one.
fn page_rows() -> Vec<String> {
    CHOICES
        .iter()
        .map(|choice| {
            let fate = match choice.fate {
                Answered => "answered".to_owned(),
                AnsweredLast => "answered, the last".to_owned(),
                Refused(code) => code.to_string(),
            };
            // A bar would end the cell.
            let what = choice.what.replace('|', "\\|");
            format!("| {what} | {fate} | {} |", choice.why)
        })
        .collect()
}

#[test]
fn the_page_says_the_same() {
    let page = include_str!("../../../../docs/http1-choices.md");
    let written: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    for (row, written) in page_rows().iter().zip(&written) {
        assert_eq!(
            written, row,
            "docs/http1-choices.md differs from the table of this test"
        );
    }
    assert_eq!(
        written.len(),
        CHOICES.len(),
        "docs/http1-choices.md has other choices"
    );
}
