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
        "llhttp/transfer-encoding: POST with `chunked` as last transfer-encoding",
        CODINGS,
    ),
    (
        "llhttp/transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)",
        CODINGS,
    ),
    ("gunicorn/valid: 025", CODINGS),
    ("gunicorn/valid: 025_line", CODINGS),
    ("gunicorn/valid: 029", CODINGS),
    ("gunicorn/valid: 030", CODINGS),
    ("gunicorn/valid: rfc9112_smuggle_gzip_chunked_01", CODINGS),
    (
        "gunicorn/valid: rfc9112_smuggle_te_identity_chunked_01",
        CODINGS,
    ),
];

const AFTER_CLOSE: &str =
    "the request that ends the connection is answered, what follows it is not read (RFC 9112 §9.6)";
const METHODS: &str =
    "any token is a method (RFC 9110 §9.1); which ones are known is the service's affair";
const CODINGS: &str = "a transfer coding that is not implemented gets 501 (RFC 9112 §6.1); `identity` is none any more";
