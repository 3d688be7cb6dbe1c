//! The suites, one file each. A new one is its file and its line in [`SUITES`].

mod blocked;
mod churn;
mod file;
mod headroom;
mod idle_memory;
pub(crate) mod ioloop;
mod json;
mod latency_idle;
mod pipelined;
mod plaintext;
mod post_json;
mod routing;
mod spread;
mod tls;

use crate::suite::Suite;

/// In the order in which they run.
pub(crate) const SUITES: [Suite; 14] = [
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
    headroom::SUITE,
];
