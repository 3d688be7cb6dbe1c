//! Vectors on which the server differs from others on purpose.

/// What is meant: the name of a vector, and the reason. `docs/http1-choices.md` has them in order.
pub(super) const ON_PURPOSE: &[(&str, &str)] = &[
    (
        "llhttp/connection: No restart when keep-alive is off (1.0)",
        AFTER_CLOSE,
    ),
    (
        "llhttp/connection: CRLF between requests, explicit `close`",
        AFTER_CLOSE,
    ),
    (
        "llhttp/connection: CRLF between requests, explicit `close` followed by tab",
        AFTER_CLOSE,
    ),
    ("llhttp/invalid: HTTP protocol and ANNOUNCE method", METHODS),
    ("llhttp/invalid: Invalid method", METHODS),
    (
        "gunicorn/valid: 031",
        "a method begins with a letter, which keeps rubbish out; no registered one does otherwise",
    ),
    (
        "llhttp/method: M-SEARCH request",
        "the target `*` is for OPTIONS alone (RFC 9112 §3.2.4)",
    ),
    ("llhttp/uri: Fragment in URI", FRAGMENT),
    ("gunicorn/valid: 005", FRAGMENT),
    (
        "llhttp/transfer-encoding: POST with `chunked` as last transfer-encoding",
        FRAGMENT,
    ),
    (
        "llhttp/transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)",
        FRAGMENT,
    ),
    ("llhttp/uri: `host:port` and basic auth", USER),
    ("gunicorn/valid: rfc9112_target_absolute_userinfo_01", USER),
    ("gunicorn/valid: 025", CODINGS),
    ("gunicorn/valid: 025_line", CODINGS),
    ("gunicorn/valid: 029", CODINGS),
    ("gunicorn/valid: 030", CODINGS),
    ("gunicorn/valid: rfc9112_smuggle_gzip_chunked_01", CODINGS),
    (
        "gunicorn/valid: rfc9112_smuggle_te_identity_chunked_01",
        CODINGS,
    ),
    ("llhttp/invalid: Invalid HTTP version", LINES),
    ("llhttp/invalid: Invalid space after start line", LINES),
    ("llhttp/transfer-encoding: Trailing headers", TRAILERS),
    ("gunicorn/valid: 012", TRAILERS),
    ("llhttp/uri: Quotes in URI", QUOTES),
    ("gunicorn/valid: 014", QUOTES),
];

const AFTER_CLOSE: &str =
    "the request that ends the connection is answered, what follows it is not read (RFC 9112 §9.6)";
const METHODS: &str =
    "any token is a method (RFC 9110 §9.1); which ones are known is the service's affair";
const FRAGMENT: &str =
    "a target has no fragment, and is not to be corrected in silence (RFC 9112 §3.2)";
const USER: &str = "a target with user information is an error (RFC 9110 §4.2.4)";
const CODINGS: &str = "a transfer coding that is not implemented gets 501 (RFC 9112 §6.1); `identity` is none any more";
const LINES: &str = "a line of a head is judged once it is whole";
const TRAILERS: &str =
    "a trailer field that must not be sent is refused, not passed over (RFC 9110 §6.5.1)";
const QUOTES: &str = "a target has no bytes that a URI has not (RFC 9112 §3.2, RFC 3986 §2)";
