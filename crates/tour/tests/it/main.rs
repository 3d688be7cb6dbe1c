//! The built tour as its users meet it: the page over a socket, the patterns in a terminal.

#[path = "../support/tour.rs"]
mod tour;

mod page;
mod terminal;
