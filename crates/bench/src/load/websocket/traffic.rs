//! What goes over a connection.

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::super::options::Kind;
use super::super::ws::frame::{self, Event, Message, Reader};
use super::link::Stage;
use super::{Driver, Failure, Phase};

impl Driver {
    /// An event of epoll.
    #[inline]
    pub(super) fn handle(&mut self, slot: usize, flags: EventFlags) -> Result<(), Failure> {
        let ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        match self.links[slot].stage {
            Stage::Absent | Stage::Stalled => return Ok(()),
            Stage::Connecting if ended || flags.contains(EventFlags::OUT) => {
                self.connected(slot)?;
            }
            _ if !self.links[slot].unwritten.is_empty() && flags.contains(EventFlags::OUT) => {
                self.output = std::mem::take(&mut self.links[slot].unwritten);
                self.write_output(slot)?;
            }
            _ => {}
        }
        match self.phase != Phase::Done && (ended || flags.contains(EventFlags::IN)) {
            true => self.read(slot, ended),
            false => Ok(()),
        }
    }

    /// Sends what is in `output`; what the kernel does not take is kept for later.
    pub(super) fn write_output(&mut self, slot: usize) -> Result<(), Failure> {
        let link = &mut self.links[slot];
        if !link.unwritten.is_empty() {
            link.unwritten.extend_from_slice(&self.output);
            return Ok(());
        }
        let mut from = 0;
        while let Some(socket) = &link.socket
            && from < self.output.len()
        {
            match rustix::net::send(socket, &self.output[from..], SendFlags::NOSIGNAL) {
                Ok(length) => from += length,
                Err(Errno::AGAIN) => {
                    link.unwritten = self.output.split_off(from);
                    break;
                }
                Err(Errno::INTR) => {}
                Err(err) => {
                    let why = format!("connection {slot}: cannot send: {err}");
                    return Err(Failure::Broken(why));
                }
            }
        }
        Ok(())
    }

    /// Reads what has come; to the end of the connection if `ended`.
    #[inline]
    fn read(&mut self, slot: usize, ended: bool) -> Result<(), Failure> {
        loop {
            let link = &self.links[slot];
            let (Some(socket), false) = (&link.socket, link.stage == Stage::Stalled) else {
                return Ok(());
            };
            let received = rustix::net::recv(socket, &mut self.input[..], RecvFlags::empty());
            match received {
                Ok((0, _)) => return self.gone(slot, "the server has closed the connection"),
                Ok((length, _)) => {
                    self.take(slot, length)?;
                    // A short read has emptied the socket: what comes later is another edge.
                    if length < self.input.len() && !ended {
                        return Ok(());
                    }
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(err) => return self.gone(slot, &format!("cannot receive: {err}")),
            }
        }
    }

    fn gone(&mut self, slot: usize, why: &str) -> Result<(), Failure> {
        if self.phase == Phase::Holding {
            self.report.idle_closed += 1;
            self.links[slot].socket = None;
            return Ok(());
        }
        Err(Failure::Broken(format!("connection {slot}: {why}")))
    }

    /// Judges the `length` bytes that were read, and does what follows from them.
    #[inline]
    fn take(&mut self, slot: usize, length: usize) -> Result<(), Failure> {
        let now = self.clock.now();
        if self.window.contains(&now) {
            self.report.bytes_read += length as u64;
        }
        let mut from = 0;
        if self.links[slot].stage == Stage::Upgrading {
            match self.upgrade(slot, length, now)? {
                Some(used) => from = used,
                None => return Ok(()),
            }
        }
        self.output.clear();
        // Both are put back: while they are out, the rest of the driver may be used.
        let input = std::mem::take(&mut self.input);
        let mut reader = std::mem::take(&mut self.links[slot].reader);
        let outcome = self.judge(slot, &mut reader, &input[from..length], now);
        self.input = input;
        self.links[slot].reader = reader;
        outcome?;
        match self.output.is_empty() {
            true => Ok(()),
            false => self.write_output(slot),
        }
    }

    #[inline]
    fn judge(
        &mut self,
        slot: usize,
        reader: &mut Reader,
        data: &[u8],
        now: u64,
    ) -> Result<(), Failure> {
        let deflate = self.options.websockets.deflate;
        let mut broken = None;
        let outcome = reader.feed(data, deflate, |event| match event {
            Event::Message(message) => self.message(slot, message, now),
            Event::Ping(payload) => {
                self.put(frame::PONG, payload);
                Ok(())
            }
            Event::Pong => Ok(()),
            Event::Close(code) => {
                broken = Some(code);
                Err(String::new())
            }
        });
        match (outcome, broken) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(code)) => self.gone(slot, &format!("the server closes with {code}")),
            (Err(why), None) => Err(Failure::Wrong(format!("connection {slot}: {why}"))),
        }
    }

    #[inline]
    fn message(&mut self, slot: usize, message: Message<'_>, now: u64) -> Result<(), String> {
        if !message.text {
            return Err("a binary message instead of a text".to_owned());
        }
        match self.options.websockets.kind {
            // The first one of all is an echo in any case.
            Kind::Broadcast if self.links[slot].stage != Stage::Greeting => {
                self.delivered(slot, message, now)
            }
            _ => self.came_back(slot, message, now),
        }
    }
}
