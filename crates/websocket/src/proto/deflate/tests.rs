//! What the parts do together.

mod negotiation;
mod round_trip;
