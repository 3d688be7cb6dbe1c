//! What a suite is.

use crate::bench::Bench;
use crate::report::Table;

/// A question that the bench answers. One file each under `suites/`; to add one, write its file and name
/// it in [`SUITES`](crate::suites::SUITES).
#[derive(Debug)]
pub(crate) struct Suite {
    /// As on the command line.
    pub(crate) name: &'static str,
    /// What is measured, in one sentence.
    pub(crate) measures: &'static str,
    /// Who should care, and why.
    pub(crate) audience: &'static str,
    pub(crate) work: Work,
}

/// How a suite gets its tables.
#[derive(Debug)]
pub(crate) enum Work {
    /// All servers that offer it, a table for each case. The argument is whether to be quick.
    Servers(fn(bool) -> Vec<Case>),
    /// Servers, but put side by side in another way than by their figures in a case.
    Tables {
        run: fn(&Bench) -> Vec<Table>,
        /// Roughly how many seconds that takes, for the progress bar.
        seconds: fn(&Bench) -> f64,
    },
    /// Without servers, in its own way; it prints what it finds itself.
    Own {
        run: fn(&mut Bench) -> Vec<Table>,
        /// Roughly how many seconds that takes, quick or not, for the progress bar.
        seconds: fn(bool) -> f64,
    },
}

/// Something that all servers are asked to do.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The title of its table.
    pub(crate) title: &'static str,
    /// What is asked for; servers that do not offer it are left out.
    pub(crate) route: Route,
    pub(crate) measure: Measure,
    /// Connections that are busy.
    pub(crate) connections: usize,
    /// Requests that a connection sends before it waits for answers.
    pub(crate) pipeline: usize,
    /// Whether each request has a connection of its own.
    pub(crate) close: bool,
    /// Connections that are open and idle meanwhile.
    pub(crate) idle: usize,
    /// Where messages go to all connections.
    pub(crate) fan: Fan,
    /// How long is measured, where not as long as usual.
    pub(crate) seconds: Option<f64>,
}

/// How messages go to all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fan {
    /// Messages that the server sends to all each time it is asked.
    pub(crate) publish: usize,
    /// Connections that never read, among those of the case.
    pub(crate) stalled: usize,
}

/// Which figure is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measure {
    /// As many messages as the server can deliver to all connections, compared by what each costs.
    Deliveries,
    /// As many requests as the server can answer.
    Rate,
    /// The time that answers take at this many requests a second.
    Latency(u32),
    /// The private memory of this many idle connections.
    Memory(usize),
    /// What requests cost that are sent in volleys, by the bench itself: for what the load program does not speak.
    Volleys,
}

impl Measure {
    /// Whether instructions are counted in runs of their own where perf cannot.
    pub(crate) fn is_counted(self) -> bool {
        matches!(self, Self::Rate | Self::Volleys)
    }
}

/// A part of what `wire.rs` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Block,
    /// WebSockets, of which one asks for messages to all.
    Broadcast,
    /// `BroadcastJson`, compressed.
    BroadcastDeflated,
    /// The same as `Broadcast` with 1 KiB of JSON.
    BroadcastJson,
    /// WebSockets, each of which gets back what it sends.
    Echo,
    /// `Echo` where compression was agreed.
    EchoDeflated,
    File,
    Json,
    Loop,
    Plaintext,
    /// JSON that is given back.
    PostJson,
    /// JSON that gets a short answer.
    PostMessage,
    PostNote,
    Routing,
    /// `Plaintext` over TLS.
    Tls,
}

impl Route {
    /// Whether it is spoken over WebSockets.
    pub(crate) fn is_websocket(self) -> bool {
        matches!(
            self,
            Self::Broadcast
                | Self::BroadcastDeflated
                | Self::BroadcastJson
                | Self::Echo
                | Self::EchoDeflated
        )
    }
}

impl Case {
    /// Requests for `route` as fast as they are answered, on 64 kept connections.
    pub(crate) fn rate(title: &'static str, route: Route) -> Self {
        Self {
            title,
            route,
            measure: Measure::Rate,
            connections: 64,
            pipeline: 1,
            close: false,
            idle: 0,
            fan: Fan {
                publish: 1,
                stalled: 0,
            },
            seconds: None,
        }
    }

    /// Messages to so many connections at `route`.
    pub(crate) fn deliveries(title: &'static str, route: Route, connections: usize) -> Self {
        Self {
            measure: Measure::Deliveries,
            connections,
            ..Self::rate(title, route)
        }
    }

    /// What is counted.
    pub(crate) fn unit(&self) -> &'static str {
        match (self.route, self.measure) {
            (_, Measure::Deliveries) => "delivery",
            (Route::Echo | Route::EchoDeflated, _) => "message",
            _ => "request",
        }
    }
}
