//! Bytes in, events out, and back: every table runs with its input cut at every byte.

mod body;
mod chunked;
mod drive;
mod hostile;
mod limits;
mod refused_requests;
mod repeated_heads;
mod requests;
mod response_steps;
mod responses;
mod round_trip;
mod state;
mod targets;
mod vectors;
mod write_request;
mod write_response;
