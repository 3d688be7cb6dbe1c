//! The suites, one file each. A new one is its file and its line in [`SUITES`].

mod churn;
mod headroom;
mod idle_memory;
pub(crate) mod ioloop;
mod json;
mod latency_idle;
mod pipelined;
mod plaintext;
mod post_json;
mod routing;

use crate::suite::Suite;

/// In the order in which they run.
pub(crate) const SUITES: [Suite; 10] = [
    ioloop::SUITE,
    plaintext::SUITE,
    pipelined::SUITE,
    json::SUITE,
    post_json::SUITE,
    routing::SUITE,
    churn::SUITE,
    idle_memory::SUITE,
    latency_idle::SUITE,
    headroom::SUITE,
];
