//! One event, as text.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::{Context, FromRequest};

/// An event, or a part of one: fields that a page's `EventSource` understands.
///
/// Without [`data`](Self::data) a page sees no event, but takes over `id` and `retry`.
///
/// # Examples
///
/// ```
/// use squall_web::sse::Event;
///
/// let event = Event::new().event("line").id("7").data("two\nlines");
/// assert_eq!(event.as_str(), "event: line\nid: 7\ndata: two\ndata: lines\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The finished fields, each with its line end.
    text: String,
    /// The first field that cannot be sent.
    invalid: Option<InvalidEvent>,
}

impl Event {
    /// An event without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds data, a field for each line; further calls add further lines.
    ///
    /// CR LF, LF and CR each end a line, as they do for the page, which gets LF for all three.
    pub fn data(mut self, data: impl AsRef<str>) -> Self {
        for line in lines(data.as_ref()) {
            self.field("data", line);
        }
        self
    }

    /// Adds data: a value as JSON on one line.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(self.data(serde_json::to_string(value)?))
    }

    /// Names the event: pages listen with `addEventListener(name, ..)`; without a name it is `message`.
    ///
    /// A line end in it makes [`send`](super::EventSender::send) fail.
    pub fn event(mut self, name: impl AsRef<str>) -> Self {
        self.one_line("event", name.as_ref(), &['\n', '\r'], InvalidEvent::Name);
        self
    }

    /// Sets what the page sends as `Last-Event-ID` when it comes again; an empty one makes it send none.
    ///
    /// A line end or a NUL in it makes [`send`](super::EventSender::send) fail.
    pub fn id(mut self, id: impl AsRef<str>) -> Self {
        self.one_line("id", id.as_ref(), &['\n', '\r', '\0'], InvalidEvent::Id);
        self
    }

    /// Sets how long the page waits before it comes again, in whole milliseconds.
    pub fn retry(mut self, wait: Duration) -> Self {
        self.field("retry", &wait.as_millis().to_string());
        self
    }

    /// Adds a comment, which pages ignore.
    pub fn comment(mut self, text: impl AsRef<str>) -> Self {
        for line in lines(text.as_ref()) {
            self.field("", line);
        }
        self
    }

    /// The fields as they are sent, without the empty line that ends the event.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes to send, the end included.
    pub(super) fn encode(mut self) -> Result<String, InvalidEvent> {
        if let Some(invalid) = self.invalid {
            return Err(invalid);
        }
        self.text.push('\n');
        Ok(self.text)
    }

    fn one_line(&mut self, name: &str, value: &str, refused: &[char], error: InvalidEvent) {
        if value.contains(refused) {
            self.invalid.get_or_insert(error);
        } else {
            self.field(name, value);
        }
    }

    /// The space after the colon is always there, because the page strips one.
    fn field(&mut self, name: &str, value: &str) {
        for part in [name, ": ", value, "\n"] {
            self.text.push_str(part);
        }
    }
}

/// An event with this data.
impl From<&str> for Event {
    fn from(data: &str) -> Self {
        Self::new().data(data)
    }
}

/// An event with this data.
impl From<String> for Event {
    fn from(data: String) -> Self {
        Self::new().data(data)
    }
}

/// The lines between CR LF, LF and CR; text without any is one line, also when it is empty.
fn lines(mut text: &str) -> impl Iterator<Item = &str> {
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let Some((line, rest)) = text.split_once(['\n', '\r']) else {
            done = true;
            return Some(text);
        };
        let crlf = text[line.len()..].starts_with("\r\n");
        text = if crlf { &rest[1..] } else { rest };
        Some(line)
    })
}

/// A field that would end its line early and begin another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidEvent {
    /// The id holds a line end or a NUL.
    Id,
    /// The name holds a line end.
    Name,
}

impl fmt::Display for InvalidEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "the id of an event holds a line end or a NUL",
            Self::Name => "the name of an event holds a line end",
        })
    }
}

impl Error for InvalidEvent {}

/// The id of the last event that a page saw before it came again; none on its first visit.
///
/// # Examples
///
/// ```
/// use squall_web::sse::{EventStream, LastEventId};
///
/// async fn news(LastEventId(seen): LastEventId) -> EventStream {
///     let next = seen.and_then(|id| id.parse().ok()).map_or(0, |id: u64| id + 1);
///     EventStream::new(async move |events| Ok(events.send(format!("from {next} on")).await?))
/// }
/// # let _ = news;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastEventId(pub Option<String>);

impl FromRequest for LastEventId {
    type Rejection = Infallible;

    /// The field is UTF-8 on the wire; what is not, no event of ours can have had.
    async fn from_request(cx: &mut Context) -> Result<Self, Infallible> {
        let value = cx.headers().get("last-event-id");
        let text = value.and_then(|value| str::from_utf8(value.as_bytes()).ok());
        Ok(Self(text.filter(|id| !id.is_empty()).map(str::to_owned)))
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_as_they_are_sent() {
        let new = Event::new;
        for (event, text) in [
            (new(), ""),
            (new().data(""), "data: \n"),
            (new().data("a"), "data: a\n"),
            (new().data(" a"), "data:  a\n"),
            (new().data("a\nb"), "data: a\ndata: b\n"),
            (
                new().data("a\r\nb\rc\nd"),
                "data: a\ndata: b\ndata: c\ndata: d\n",
            ),
            (new().data("a\n"), "data: a\ndata: \n"),
            (new().data("\r\n"), "data: \ndata: \n"),
            (new().data("\n\r"), "data: \ndata: \ndata: \n"),
            (
                new().data("\u{e9}\ndata: x\n\n"),
                "data: \u{e9}\ndata: data: x\ndata: \ndata: \n",
            ),
            (new().data("a").data("b"), "data: a\ndata: b\n"),
            (new().event("e").data("d"), "event: e\ndata: d\n"),
            (new().id("7"), "id: 7\n"),
            (new().id(""), "id: \n"),
            (new().retry(Duration::from_millis(2500)), "retry: 2500\n"),
            (new().comment("a\nb"), ": a\n: b\n"),
            ("x".into(), "data: x\n"),
        ] {
            assert_eq!(event.as_str(), text);
            assert_eq!(event.encode(), Ok(format!("{text}\n")));
        }
        let json = new().json(&["a\nb"]).expect("a list is JSON");
        assert_eq!(json.as_str(), "data: [\"a\\nb\"]\n");
    }

    #[test]
    fn fields_that_would_break_their_line() {
        for (event, error) in [
            (Event::new().event("a\nb"), InvalidEvent::Name),
            (Event::new().event("a\rdata: b"), InvalidEvent::Name),
            (Event::new().id("a\n"), InvalidEvent::Id),
            (Event::new().id("\0"), InvalidEvent::Id),
            (
                Event::new().id("\r").event("\n").data("x"),
                InvalidEvent::Id,
            ),
        ] {
            assert_eq!(event.encode(), Err(error));
        }
    }
}
