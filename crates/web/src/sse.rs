//! Server-sent events: what happens, told to a page as it happens (WHATWG HTML section 9.2).
//!
//! A handler returns an [`EventStream`] and keeps, or hands to others, the [`EventSender`] that fills it. In a page,
//! `new EventSource("/ticks")` reads it, and comes again by itself when the connection breaks; [`LastEventId`] tells
//! then what it has seen.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use squall_ioloop::sleep;
//! use squall_web::Application;
//! use squall_web::sse::{Event, EventStream};
//!
//! async fn ticks() -> EventStream {
//!     EventStream::new(async |events| {
//!         for tick in 0_u64.. {
//!             let event = Event::new().event("tick").id(tick.to_string()).data("one second");
//!             events.send(event).await?; // waits while the peer is slow, ends when it has gone
//!             sleep(Duration::from_secs(1)).await;
//!         }
//!         Ok(())
//!     })
//! }
//!
//! let app = Application::new().get("/ticks", ticks);
//! # app.check().unwrap();
//! ```
//!
//! # Limits
//!
//! At most 64 KiB wait for a slow peer ([`EventStream::buffer`]); the sender then waits, or is refused if it cannot
//! wait. A silent stream sends a comment every 15 seconds ([`EventStream::keep_alive`]), so that proxies keep it open and
//! a peer that has vanished is noticed.

mod event;
mod queue;
mod stream;

pub use event::{Event, InvalidEvent, LastEventId};
pub use queue::{EventSender, SendError};
pub use stream::EventStream;
