//! How connections come to be.

use std::io;

use super::super::ws::frame;
use super::super::ws::handshake::Handshake;
use super::link::{Opening, Stage};
use super::{Driver, Failure, Phase};

/// Connections that are begun and not ready; servers listen with backlogs from 100 on.
const COMING: usize = 64;

impl Driver {
    /// Begins the connections that are to be made, a few at a time.
    pub(super) fn open_some(&mut self, now: u64) {
        while self.phase == Phase::Setup
            && self.next < self.links.len()
            && self.next - self.ready < COMING
        {
            if let Err(err) = self.begin(self.next, now) {
                self.fail_to_connect(&err);
            }
            self.next += 1;
        }
    }

    fn begin(&mut self, slot: usize, now: u64) -> io::Result<()> {
        let socket = match self.is_stalled(slot) {
            true => self.dialer.begin_narrow()?,
            false => self.dialer.begin()?,
        };
        self.poller.add(&socket, slot as u64)?;
        let link = &mut self.links[slot];
        link.socket = Some(socket);
        link.stage = Stage::Connecting;
        link.since = now;
        Ok(())
    }

    /// Connections that will not read are spread over all; the first one, which asks, is none of them.
    pub(super) fn is_stalled(&self, slot: usize) -> bool {
        let (stalled, all) = (self.options.websockets.stalled, self.links.len());
        (slot + 1) * stalled / all > slot * stalled / all && slot > 0
    }

    fn fail_to_connect(&mut self, err: &io::Error) {
        self.report.connect_errors += 1;
        let why = format!("cannot connect to {}: {err}", self.options.addr);
        self.fail(Failure::Broken(why));
    }

    /// The socket has become writable, or failed.
    pub(super) fn connected(&mut self, slot: usize) -> Result<(), Failure> {
        let socket = self.links[slot].socket.as_ref();
        let there = socket.map_or(Ok(()), |socket| self.dialer.finish(socket));
        if let Err(err) = there {
            self.fail_to_connect(&err);
            return Ok(());
        }
        self.report.connects += 1;
        let deflate = self.options.websockets.deflate;
        let handshake = Handshake::new(&mut self.random, deflate);
        let request = handshake.request(&self.options.paths[0], &self.options.addr.to_string());
        let link = &mut self.links[slot];
        link.stage = Stage::Upgrading;
        link.opening = Some(Box::new(Opening {
            handshake,
            answer: Vec::new(),
        }));
        self.output.clear();
        self.output.extend_from_slice(request.as_bytes());
        self.write_output(slot)
    }

    /// Reads the answer to the handshake; says how many of the bytes were of it once it is whole.
    pub(super) fn upgrade(
        &mut self,
        slot: usize,
        length: usize,
        now: u64,
    ) -> Result<Option<usize>, Failure> {
        let link = &mut self.links[slot];
        let Some(opening) = &mut link.opening else {
            return Ok(Some(0));
        };
        let before = opening.answer.len();
        opening.answer.extend_from_slice(&self.input[..length]);
        let Some(end) = opening
            .handshake
            .check(&opening.answer)
            .map_err(|why| Failure::Wrong(format!("connection {slot}: {why}")))?
        else {
            return Ok(None);
        };
        link.opening = None;
        link.stage = Stage::Greeting;
        self.output.clear();
        self.say_text(slot, now);
        self.write_output(slot)?;
        Ok(Some(end - before))
    }

    /// The first text has come back.
    pub(super) fn greeted(&mut self, slot: usize) {
        self.ready += 1;
        self.report.idle += u64::from(self.options.idle_only);
        self.links[slot].times = std::collections::VecDeque::new();
        self.links[slot].stage = match self.is_stalled(slot) {
            true => Stage::Stalled,
            false => Stage::Open,
        };
    }

    /// Whatever `opcode` and `payload` say, in a frame behind the output so far.
    pub(super) fn put(&mut self, opcode: u8, payload: &[u8]) {
        let mask = self.random.mask();
        frame::write(&mut self.output, opcode, payload, mask);
    }
}
