//! Streams without a task, which the loop calls.

use squall_ioloop::reactor::ParkedOwner;

use super::{Inner, IoStream};

impl IoStream {
    /// Whether the stream can be [`park`](Self::park)ed: a socket on Linux can, secured or not.
    #[inline]
    pub fn can_park(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().can_park(),
            Inner::Duplex(_) | Inner::Portable(_) => false,
            Inner::Watched(_) => true,
        }
    }

    /// Has the loop call `owner` with `key` when something happens to the stream, in place of waking a task; see
    /// [`Registration::park`](squall_ioloop::reactor::Registration::park). Does nothing to a stream that cannot be parked.
    ///
    /// When the stream may have something to read already, the first call comes in the next turn. Whoever has something to
    /// write tries that first, and parks when it finds no room.
    ///
    /// # Panics
    ///
    /// When `owner` belongs to another loop.
    pub fn park(&self, owner: &ParkedOwner, key: u32) {
        match &self.inner {
            Inner::Boxed(transport) => {
                transport.base().park(owner, key);
                if transport.has_buffered() {
                    // It has left the socket, whose events say nothing of it.
                    transport.base().call_again();
                }
            }
            Inner::Duplex(_) | Inner::Portable(_) => {}
            Inner::Watched(stream) => stream.registration().park(owner, key),
        }
    }

    /// Has tasks woken again, as before the stream was parked. Nothing that was told meanwhile is lost.
    pub fn unpark(&self) {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().unpark(),
            Inner::Duplex(_) | Inner::Portable(_) => {}
            Inner::Watched(stream) => stream.registration().unpark(),
        }
    }

    /// Whether a read from a stream that can be parked is worth trying.
    #[inline]
    pub fn is_readable(&self) -> bool {
        match &self.inner {
            Inner::Boxed(transport) => transport.is_readable(),
            Inner::Duplex(_) | Inner::Portable(_) => false,
            Inner::Watched(stream) => stream.registration().is_readable(),
        }
    }

    /// Has the owner of a parked stream called once more in a later turn, such as when it has read enough for now.
    pub fn call_again(&self) {
        match &self.inner {
            Inner::Boxed(transport) => transport.base().call_again(),
            Inner::Duplex(_) | Inner::Portable(_) => {}
            Inner::Watched(stream) => stream.registration().call_again(),
        }
    }
}
