//! The protocol alone: bytes in, events and bytes out.

mod close;
mod corpus;
mod drive;
mod examples;
mod limits;
mod masking;
mod random;
mod reference;
mod rules;
mod text;
mod write;
