//! The suites, one file each. A new one is its file and its line in [`SUITES`].

mod blocked;
mod churn;
mod file;
mod headroom;
mod idle_memory;
pub(crate) mod ioloop;
mod json;
mod latency_idle;
mod pair;
mod pipelined;
mod plaintext;
mod post_json;
mod routing;
mod spread;
mod tls;
mod ws_broadcast;
mod ws_burst;
mod ws_deflate;
mod ws_echo;
mod ws_idle;
mod ws_stalled;

use crate::suite::Suite;

/// In the order in which they run.
pub(crate) const SUITES: [Suite; 20] = [
    ioloop::SUITE,
    plaintext::SUITE,
    pipelined::SUITE,
    json::SUITE,
    post_json::SUITE,
    routing::SUITE,
    churn::SUITE,
    idle_memory::SUITE,
    latency_idle::SUITE,
    file::SUITE,
    tls::SUITE,
    blocked::SUITE,
    spread::SUITE,
    ws_echo::SUITE,
    ws_idle::SUITE,
    ws_broadcast::SUITE,
    ws_burst::SUITE,
    ws_deflate::SUITE,
    ws_stalled::SUITE,
    headroom::SUITE,
];
