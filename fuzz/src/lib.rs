//! What the fuzz targets share: an input with a few bytes of control behind it, and decoders that are driven to the end.

pub mod frames;

use http::{Method, Request};
use squall_http::Body;
use squall_http::h1::{
    Eof, Event, Limits, ParseError, RequestDecoder, RequestHead, ResponseDecoder, ResponseHead,
    Trailers,
};

/// Bytes of control at the end of an input. They stand behind, so that the seeds are messages as they are.
const CONTROL: usize = 4;

/// An input in its two parts.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub bytes: &'a [u8],
    pub control: [u8; CONTROL],
}

impl<'a> Input<'a> {
    /// Takes an input apart; one that is too short has a control of zeros.
    pub fn new(data: &'a [u8]) -> Self {
        match data.split_last_chunk() {
            Some((bytes, control)) => Self {
                bytes,
                control: *control,
            },
            None => Self {
                bytes: data,
                control: [0; CONTROL],
            },
        }
    }

    /// The limits that the control asks for: those of default, or others that short inputs reach.
    pub fn limits(&self) -> Limits {
        if self.control[0] & 1 == 0 {
            return Limits::default();
        }
        Limits {
            head_bytes: 200,
            target_bytes: 20,
            headers: 5,
            body_bytes: 50,
            chunk_extension_bytes: 10,
            trailer_bytes: 40,
            interim_responses: 2,
        }
    }

    /// The method of the request that a response answers.
    pub fn method(&self) -> Method {
        match self.control[0] >> 1 & 3 {
            0 | 1 => Method::GET,
            2 => Method::HEAD,
            _ => Method::CONNECT,
        }
    }

    /// Where the control cuts the bytes.
    pub fn cut(&self) -> usize {
        let [_, _, high, low] = self.control;
        usize::from(u16::from_be_bytes([high, low])) % (self.bytes.len() + 1)
    }

    /// A decoder of requests with the limits of the control.
    pub fn request_decoder(&self) -> RequestDecoder {
        RequestDecoder::new(self.limits())
    }

    /// A decoder that expects several responses to the method of the control.
    pub fn response_decoder(&self) -> ResponseDecoder {
        let mut decoder = ResponseDecoder::new(self.limits());
        (0..4).for_each(|_| decoder.expect(&self.method()));
        decoder
    }
}

/// Both decoders.
pub trait Machine {
    type Head;
    fn step<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, Self::Head>>), ParseError>;
    fn close(&mut self) -> Result<Eof, ParseError>;
    /// Whether heads of this sort stand alone: no end follows them.
    fn alone(head: &Self::Head) -> bool;
}

impl Machine for RequestDecoder {
    type Head = RequestHead;
    fn step<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, RequestHead>>), ParseError> {
        self.decode(input)
    }
    fn close(&mut self) -> Result<Eof, ParseError> {
        self.finish()
    }
    fn alone(_head: &RequestHead) -> bool {
        false
    }
}

impl Machine for ResponseDecoder {
    type Head = ResponseHead;
    fn step<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a, ResponseHead>>), ParseError> {
        self.decode(input)
    }
    fn close(&mut self) -> Result<Eof, ParseError> {
        self.finish()
    }
    fn alone(head: &ResponseHead) -> bool {
        head.is_interim()
    }
}

/// A message that came out of a decoder.
#[derive(Clone, Debug)]
pub struct Message<H> {
    pub head: H,
    pub body: Vec<u8>,
    /// There once the message has ended.
    pub trailers: Option<Trailers>,
}

/// All that came out of one input.
#[derive(Clone, Debug)]
pub struct Transcript<H> {
    pub messages: Vec<Message<H>>,
    /// An error while decoding, or what the end of the input meant.
    pub end: Result<Eof, ParseError>,
    /// Bytes that were left; none after an error, for nobody can tell where it was noticed.
    pub rest: Vec<u8>,
}

/// Feeds the pieces one by one, and checks what every decoder owes its caller.
pub fn drive<M: Machine>(machine: &mut M, pieces: &[&[u8]]) -> Transcript<M::Head> {
    let mut messages: Vec<Message<M::Head>> = Vec::new();
    let mut open = false;
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let (used, event) = match machine.step(&buffer) {
                Ok(step) => step,
                Err(err) => {
                    assert_eq!(machine.step(b"GET ").err(), Some(err), "errors last");
                    assert_eq!(machine.close().err(), Some(err), "errors last");
                    assert!(err.status().as_u16() >= 400);
                    assert!(!err.to_string().is_empty());
                    return Transcript {
                        messages,
                        end: Err(err),
                        rest: Vec::new(),
                    };
                }
            };
            assert!(used <= buffer.len(), "no more is used than there is");
            let more = event.is_some();
            match event {
                Some(Event::Head(head)) => {
                    assert!(!open, "a message ends before the next one");
                    open = !M::alone(&head);
                    messages.push(Message {
                        head,
                        body: Vec::new(),
                        trailers: None,
                    });
                }
                Some(Event::Data(data)) => {
                    assert!(open && !data.is_empty() && used >= data.len());
                    let message = messages.last_mut().expect("a head came first");
                    message.body.extend_from_slice(data);
                }
                Some(Event::End(trailers)) => {
                    assert!(open, "a message ends once");
                    open = false;
                    let message = messages.last_mut().expect("a head came first");
                    message.trailers = Some(trailers);
                }
                None => {}
            }
            buffer.drain(..used);
            if !more {
                break;
            }
        }
    }
    Transcript {
        messages,
        end: machine.close(),
        rest: buffer,
    }
}

/// What a head of a request says, apart from its framing.
pub fn said(head: RequestHead) -> Request<()> {
    head.into_request(Body::empty()).map(drop)
}
