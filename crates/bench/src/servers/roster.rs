//! Who is compared, in which version, and what each offers.

use crate::suite::Route;

/// The name that the others' ratios refer to.
pub(crate) const SQUALL: &str = "squall";
/// The server that does nothing.
pub(crate) const FLOOR: &str = "squall-floor";

/// A server under test.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: Kind,
    pub(crate) offers: &'static [Route],
    /// What is said to it when it is started, besides what all are told.
    pub(crate) words: &'static [&'static str],
    /// Whether one request takes so many instructions that counting them takes minutes.
    pub(crate) slow: bool,
    /// Whether callgrind can count them: not those of programs that are compiled while they run.
    pub(crate) counted: bool,
}

/// Where a server comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A script of the folder `node`, run by Bun from npm.
    Bun(&'static str),
    /// The Debian package.
    Nginx,
    /// A script of the folder `node`, run by the system's Node with packages from npm.
    Node(&'static str),
    /// A program of this package.
    Own(&'static str),
    /// A package of the peers' workspace.
    Peer(&'static str),
    /// A virtual environment of Python.
    Tornado,
}

/// WebSockets of a server that compresses.
const SOCKETS: &[Route] = &[
    Route::Broadcast,
    Route::BroadcastDeflated,
    Route::BroadcastJson,
    Route::Echo,
    Route::EchoDeflated,
];
/// WebSockets of a server that does not.
const PLAIN_SOCKETS: &[Route] = &[Route::Broadcast, Route::BroadcastJson, Route::Echo];
const MATCHED: &[Route] = &[
    Route::Json,
    Route::Plaintext,
    Route::PostJson,
    Route::PostMessage,
    Route::PostNote,
];
const ALL: &[Route] = &[
    Route::Json,
    Route::Plaintext,
    Route::PostJson,
    Route::PostMessage,
    Route::PostNote,
    Route::Routing,
];
/// On several loops as well.
const LOOPS: &[Route] = &[
    Route::Block,
    Route::Json,
    Route::Loop,
    Route::Plaintext,
    Route::PostJson,
    Route::PostMessage,
    Route::PostNote,
    Route::Routing,
];

/// In the order of the tables.
pub(crate) const ROSTER: [Server; 17] = [
    server(
        SQUALL,
        env!("CARGO_PKG_VERSION"),
        Kind::Own("squall-subject"),
        &[
            Route::Block,
            Route::Broadcast,
            Route::BroadcastDeflated,
            Route::BroadcastJson,
            Route::Echo,
            Route::EchoDeflated,
            Route::File,
            Route::Json,
            Route::Loop,
            Route::Plaintext,
            Route::PostJson,
            Route::PostMessage,
            Route::PostNote,
            Route::Routing,
            Route::Tls,
        ],
    ),
    // The same server with a function that asks for messages instead of a handler that gets them.
    Server {
        words: &["--sockets", "async"],
        ..server(
            "squall-async",
            env!("CARGO_PKG_VERSION"),
            Kind::Own("squall-subject"),
            &[Route::Echo, Route::EchoDeflated],
        )
    },
    server(
        FLOOR,
        env!("CARGO_PKG_VERSION"),
        Kind::Own("squall-floor"),
        &[Route::Plaintext],
    ),
    // What is left of a message to all when a server does nothing but send it.
    Server {
        words: &["--sockets"],
        ..server(
            "squall-floor-ws",
            env!("CARGO_PKG_VERSION"),
            Kind::Own("squall-floor"),
            &[Route::Broadcast],
        )
    },
    server("may_minihttp", "0.1.11", Kind::Peer("peer-may"), MATCHED),
    server("xitca-web", "0.8.1", Kind::Peer("peer-xitca"), ALL),
    server(
        "hyper",
        "1.12.0",
        Kind::Peer("peer-hyper"),
        &[
            Route::Json,
            Route::Plaintext,
            Route::PostJson,
            Route::PostMessage,
            Route::PostNote,
            Route::Tls,
        ],
    ),
    server("actix-web", "4.18.1", Kind::Peer("peer-actix"), LOOPS),
    server(
        "axum",
        "0.8.9",
        Kind::Peer("peer-axum"),
        // Its connections belong to no loop.
        &[
            Route::Block,
            Route::Json,
            Route::Plaintext,
            Route::PostJson,
            Route::PostMessage,
            Route::PostNote,
            Route::Routing,
        ],
    ),
    server("ntex", "3.12.0", Kind::Peer("peer-ntex"), LOOPS),
    server(
        "nginx",
        "",
        Kind::Nginx,
        &[
            Route::File,
            Route::Json,
            Route::Loop,
            Route::Plaintext,
            Route::Tls,
        ],
    ),
    Server {
        words: &["--buffer", "4096"],
        ..server(
            "tokio-tungstenite-4k",
            "0.30.0",
            Kind::Peer("peer-tungstenite"),
            PLAIN_SOCKETS,
        )
    },
    server(
        "tokio-tungstenite",
        "0.30.0",
        Kind::Peer("peer-tungstenite"),
        PLAIN_SOCKETS,
    ),
    server(
        "fastwebsockets",
        "0.10.0",
        Kind::Peer("peer-fastwebsockets"),
        &[Route::Echo],
    ),
    Server {
        counted: false,
        ..server("bun", "1.4.5", Kind::Bun("bun.js"), SOCKETS)
    },
    Server {
        counted: false,
        ..server("ws", "8.23.0", Kind::Node("ws.js"), SOCKETS)
    },
    Server {
        slow: true,
        ..server(
            "tornado",
            "6.6",
            Kind::Tornado,
            &[
                Route::Broadcast,
                Route::BroadcastJson,
                Route::Echo,
                Route::Json,
                Route::Plaintext,
                Route::PostJson,
                Route::PostMessage,
                Route::PostNote,
                Route::Routing,
            ],
        )
    },
];

const fn server(
    name: &'static str,
    version: &'static str,
    kind: Kind,
    offers: &'static [Route],
) -> Server {
    Server {
        name,
        version,
        kind,
        offers,
        words: &[],
        slow: false,
        counted: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_manifests() {
        let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
        for server in &ROSTER {
            let (file, line) = match server.kind {
                Kind::Peer(package) => {
                    let folder = package.trim_start_matches("peer-");
                    let version = format!("\"={}\"", server.version);
                    (format!("{peers}/{folder}/Cargo.toml"), version)
                }
                Kind::Tornado => (
                    format!("{peers}/tornado/requirements.txt"),
                    format!("tornado=={}", server.version),
                ),
                Kind::Bun(_) | Kind::Node(_) => (
                    format!("{peers}/node/package.json"),
                    format!("\"{}\": \"{}\"", server.name, server.version),
                ),
                Kind::Nginx | Kind::Own(_) => continue,
            };
            let text = std::fs::read_to_string(&file).unwrap();
            // One that is measured in two ways has the second in its name.
            let name = server.name.trim_end_matches("-4k");
            let pinned = |one: &str| {
                let one = one.trim_start().trim_start_matches('"');
                one.contains(line.trim_start_matches('"')) && one.starts_with(name)
            };
            assert!(text.lines().any(pinned), "{file} does not pin {line}");
        }
    }
}
