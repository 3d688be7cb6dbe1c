//! The protocol alone: bytes in, events and bytes out.

mod drive;
mod examples;
mod limits;
mod rules;
