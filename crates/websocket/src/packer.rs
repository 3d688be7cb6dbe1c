//! Compression, as the connections of a thread share it.

use crate::options::{SlowReader, WebSocketOptions};
use crate::proto::deflate::{DeflateParams, Deflater, Flow, History, Inflater};
use crate::proto::{ProtocolError, Role};

/// Buffers are kept for the next message up to this size.
const KEPT: usize = 64 * 1024;

/// How the messages of a connection are compressed, if they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Agreement {
    flows: Option<Flows>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Flows {
    sent: Flow,
    received: Flow,
}

impl Agreement {
    pub(crate) fn new(
        params: Option<&DeflateParams>,
        role: Role,
        options: &WebSocketOptions,
    ) -> Self {
        let other = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        let flows = params.zip(options.compression.as_ref());
        let flows = flows.map(|(params, wanted)| {
            let mut sent = params.sent_by(role).narrowed(wanted);
            // What is never sent must not be what later messages refer to.
            sent.keeps_context &= options.slow == SlowReader::Disconnect;
            let received = params.sent_by(other);
            Flows { sent, received }
        });
        Self { flows }
    }

    pub(crate) fn is_on(self) -> bool {
        self.flows.is_some()
    }

    /// Whether a message of so many bytes is worth compressing.
    pub(crate) fn compresses(self, bytes: usize, options: &WebSocketOptions) -> bool {
        let wanted = self.flows.and(options.compression.as_ref());
        wanted.is_some_and(|wanted| wanted.is_worth(bytes))
    }

    /// The window that messages which stand alone are compressed for; `None` where they would disturb a context, or
    /// nothing is compressed.
    pub(crate) fn alone(self) -> Option<u8> {
        let sent = self.flows?.sent;
        (!sent.keeps_context).then_some(sent.window_bits)
    }

    /// Makes what the connection has to remember; `None` if that is nothing.
    pub(crate) fn contexts(self) -> Option<Contexts> {
        let flows = self.flows?;
        let contexts = Contexts {
            sent: flows.sent.history(),
            received: flows.received.history(),
        };
        (contexts.sent.is_some() || contexts.received.is_some()).then_some(contexts)
    }
}

/// What a connection remembers of earlier messages.
#[derive(Debug)]
pub(crate) struct Contexts {
    sent: Option<History>,
    received: Option<History>,
}

/// What compresses and inflates.
#[derive(Default)]
pub(crate) struct Packer {
    /// By window and level; there are few.
    deflaters: Vec<(u8, u32, Deflater)>,
    inflater: Option<Inflater>,
    buffer: Vec<u8>,
}

impl Packer {
    /// Takes an empty buffer; give it back.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    pub(crate) fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= KEPT {
            buffer.clear();
            self.buffer = buffer;
        }
    }

    /// Appends a message, compressed, to `out`; `false` if that would not make it shorter.
    pub(crate) fn pack(
        &mut self,
        agreement: Agreement,
        options: &WebSocketOptions,
        contexts: Option<&mut Contexts>,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let (Some(flows), Some(wanted)) = (agreement.flows, &options.compression) else {
            return false;
        };
        let history = contexts.and_then(|contexts| contexts.sent.as_mut());
        let deflater = self.deflater(flows.sent.window_bits, wanted.level);
        deflater.deflate(message, out, history)
    }

    /// Appends a message, compressed so that it stands alone, to `out`; `false` if that would not make it shorter.
    pub(crate) fn pack_alone(
        &mut self,
        window: u8,
        level: u32,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        self.deflater(window, level).deflate(message, out, None)
    }

    /// Replaces a compressed message by what it says.
    pub(crate) fn unpack(
        &mut self,
        contexts: Option<&mut Contexts>,
        message: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), ProtocolError> {
        let history = contexts.and_then(|contexts| contexts.received.as_mut());
        let mut inflated = self.take_buffer();
        let inflater = self.inflater.get_or_insert_with(Inflater::new);
        let outcome = inflater.inflate(message, &mut inflated, limit, history);
        std::mem::swap(message, &mut inflated);
        self.give_buffer(inflated);
        outcome
    }

    fn deflater(&mut self, window: u8, level: u32) -> &mut Deflater {
        let known = |(bits, trouble, _): &(u8, u32, Deflater)| (*bits, *trouble) == (window, level);
        let at = self.deflaters.iter().position(known).unwrap_or_else(|| {
            self.deflaters
                .push((window, level, Deflater::new(window, level)));
            self.deflaters.len() - 1
        });
        &mut self.deflaters[at].2
    }
}
