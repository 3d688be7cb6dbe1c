//! Reading one answer carefully, a piece at a time: the slow path.
//!
//! Strict on purpose. A load program is no client: what a client would forgive (a bare line feed, two
//! lengths, a malformed date) is a finding here. RFC 9112 sections 4 to 7.

use super::options::is_token;

/// The most bytes of a head, of a chunk's size line, and of the trailers.
const LARGEST_HEAD: usize = 64 * 1024;
const LARGEST_LINE: usize = 4 * 1024;
/// The most bytes of a body that are kept to be compared.
const LARGEST_BODY: usize = 64 << 20;
/// Interim answers (1xx) before the answer itself.
const MOST_INTERIM: u8 = 8;

/// An answer that arrives.
#[derive(Debug)]
pub(crate) struct Reader {
    stage: Stage,
    /// Whether the request was HEAD: an answer to it has no body (RFC 9112 section 6.3, rule 1).
    to_head: bool,
    interim: u8,
    head: Option<Head>,
    body: Vec<u8>,
    /// Every byte, as it came.
    raw: Vec<u8>,
    /// The line or the head that is being read.
    line: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    ChunkData(u64),
    ChunkEnd,
    ChunkSize,
    Done,
    Head,
    Length(u64),
    Trailers,
    UntilClose,
}

/// The first line and the fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Everything before the fields.
    pub(crate) line: Vec<u8>,
    /// Names in lower case, values without the spaces around them.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// The server ends the connection after this answer.
    pub(crate) closes: bool,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    pub(crate) raw: Vec<u8>,
    /// The same answer can be recognised by its bytes: one head, and an end that they tell.
    pub(crate) repeatable: bool,
}

impl Reader {
    pub(crate) fn new(to_head: bool) -> Self {
        Self {
            stage: Stage::Head,
            to_head,
            interim: 0,
            head: None,
            body: Vec::new(),
            raw: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Takes what belongs to this answer from the front of `data`: how many bytes, and whether the
    /// answer is whole. When it is not, all of `data` was taken.
    ///
    /// # Errors
    ///
    /// A sentence that says which rule the answer breaks; where it would end is then unknown.
    pub(crate) fn feed(&mut self, data: &[u8]) -> Result<(usize, bool), String> {
        let mut used = 0;
        while self.stage != Stage::Done && used < data.len() {
            let taken = match self.step(&data[used..]) {
                Ok(taken) => taken,
                Err(why) => {
                    // For the message.
                    let end = data.len().min(used + LARGEST_LINE);
                    self.raw.extend_from_slice(&data[used..end]);
                    return Err(why);
                }
            };
            self.raw.extend_from_slice(&data[used..used + taken.bytes]);
            used += taken.bytes;
            if taken.head_ended {
                self.end_head()?;
            }
        }
        Ok((used, self.stage == Stage::Done))
    }

    /// The connection has ended: true when that is how this answer was to end.
    pub(crate) fn end(&mut self) -> bool {
        let ends = self.stage == Stage::UntilClose;
        if ends {
            self.stage = Stage::Done;
        }
        ends
    }

    /// How many bytes came so far.
    pub(crate) fn length(&self) -> usize {
        self.raw.len()
    }

    /// The answer; `None` when it is not whole.
    pub(crate) fn into_answer(self) -> Option<Answer> {
        let head = self.head.filter(|_| self.stage == Stage::Done)?;
        let framed =
            self.to_head || head.bodiless() || !matches!(framing(&head), Ok(Stage::UntilClose));
        Some(Answer {
            repeatable: self.interim == 0 && framed,
            head,
            body: self.body,
            raw: self.raw,
        })
    }

    /// The bytes of the answer so far, for a message.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn step(&mut self, data: &[u8]) -> Result<Taken, String> {
        let taken = match self.stage {
            Stage::Head => return self.take_head(data),
            Stage::Length(left) => {
                let taken = self.take_body(data, left)?;
                let left = left - taken as u64;
                self.stage = if left == 0 {
                    Stage::Done
                } else {
                    Stage::Length(left)
                };
                taken
            }
            Stage::UntilClose => self.take_body(data, u64::MAX)?,
            Stage::ChunkData(left) => {
                let taken = self.take_body(data, left)?;
                let left = left - taken as u64;
                self.stage = if left == 0 {
                    Stage::ChunkEnd
                } else {
                    Stage::ChunkData(left)
                };
                taken
            }
            Stage::ChunkEnd | Stage::ChunkSize | Stage::Trailers => self.take_line(data)?,
            Stage::Done => 0,
        };
        Ok(Taken {
            bytes: taken,
            head_ended: false,
        })
    }

    fn take_body(&mut self, data: &[u8], left: u64) -> Result<usize, String> {
        let taken = left.min(data.len() as u64) as usize;
        if self.body.len() + taken > LARGEST_BODY {
            return Err(format!("the body has more than {LARGEST_BODY} bytes"));
        }
        self.body.extend_from_slice(&data[..taken]);
        Ok(taken)
    }

    fn take_head(&mut self, data: &[u8]) -> Result<Taken, String> {
        let before = self.line.len();
        let room = LARGEST_HEAD + 1 - before;
        self.line.extend_from_slice(&data[..data.len().min(room)]);
        let from = before.saturating_sub(3);
        let end = self.line[from..]
            .windows(4)
            .position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            self.line.truncate(from + end + 4);
            return Ok(Taken {
                bytes: self.line.len() - before,
                head_ended: true,
            });
        }
        if self.line.len() > LARGEST_HEAD {
            return Err(format!("the head has more than {LARGEST_HEAD} bytes"));
        }
        // Something that is no HTTP may never send an empty line; it is recognised by its beginning.
        if !self.line.starts_with(&b"HTTP/1."[..self.line.len().min(7)]) {
            return Err("the answer does not begin with HTTP/1.".to_owned());
        }
        Ok(Taken {
            bytes: self.line.len() - before,
            head_ended: false,
        })
    }

    fn end_head(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.line);
        let head = Head::parse(&text)?;
        if (100..200).contains(&head.status) {
            self.interim += 1;
            if head.status == 101 || self.interim > MOST_INTERIM {
                return Err(format!(
                    "status {} was not asked for, {} times",
                    head.status, self.interim
                ));
            }
            return Ok(());
        }
        let bodiless = self.to_head || head.bodiless();
        let stage = framing(&head)?;
        self.stage = match stage {
            _ if bodiless => Stage::Done,
            Stage::Length(0) => Stage::Done,
            other => other,
        };
        self.head = Some(head);
        Ok(())
    }

    /// Takes a line of the chunked coding (RFC 9112 section 7.1), and acts on it once it is whole.
    fn take_line(&mut self, data: &[u8]) -> Result<usize, String> {
        let end = data.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(data.len(), |end| end + 1);
        if self.line.len() + taken > LARGEST_LINE {
            return Err(format!(
                "a line of the chunked body has more than {LARGEST_LINE} bytes"
            ));
        }
        self.line.extend_from_slice(&data[..taken]);
        if end.is_none() {
            return Ok(taken);
        }
        let line = std::mem::take(&mut self.line);
        let line = line
            .strip_suffix(b"\r\n")
            .ok_or("a line of the chunked body ends with a bare line feed")?;
        self.stage = match self.stage {
            Stage::ChunkEnd if line.is_empty() => Stage::ChunkSize,
            Stage::ChunkEnd => return Err("a chunk is longer than its size".to_owned()),
            Stage::ChunkSize => match chunk_size(line)? {
                0 => Stage::Trailers,
                size => Stage::ChunkData(size),
            },
            _ if line.is_empty() => Stage::Done,
            _ => {
                field(line)?;
                Stage::Trailers
            }
        };
        Ok(taken)
    }
}

#[derive(Debug)]
struct Taken {
    bytes: usize,
    head_ended: bool,
}

impl Head {
    /// `text` ends with the empty line.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let text = &text[..text.len() - 2];
        let mut lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
            line.strip_suffix(b"\r\n")
                .filter(|line| !line.contains(&b'\r') && !line.contains(&0))
                .ok_or_else(|| format!("a line of the head has a stray byte: {}", shown(line)))
        });
        let first = lines.next().ok_or("the head is empty")??;
        let status = status(first)?;
        let mut fields = Vec::new();
        for line in lines {
            fields.push(field(line?)?);
        }
        let mut head = Self {
            status,
            line: first.to_owned(),
            fields,
            closes: false,
        };
        head.closes = head.ends_connection();
        for date in head.values("date") {
            if !is_date(date) {
                return Err(format!("the date is malformed: {}", shown(date)));
            }
        }
        Ok(head)
    }

    /// The values of the fields called `name`, which is in lower case.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_slice())
    }

    /// RFC 9112 section 9.3.
    fn ends_connection(&self) -> bool {
        let says = |word: &str| {
            self.values("connection")
                .flat_map(|value| value.split(|byte| *byte == b','))
                .any(|option| option.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        };
        says("close") || (self.line.starts_with(b"HTTP/1.0") && !says("keep-alive"))
    }

    /// RFC 9112 section 6.3, rule 1.
    fn bodiless(&self) -> bool {
        matches!(self.status, 204 | 304)
    }
}

/// RFC 9112 section 4.
fn status(line: &[u8]) -> Result<u16, String> {
    let malformed = || format!("the status line is malformed: {}", shown(line));
    let rest = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))
        .ok_or_else(malformed)?;
    let (digits, reason) = rest.split_at_checked(3).ok_or_else(malformed)?;
    if !reason.starts_with(b" ") || !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return Err(malformed());
    }
    Ok(digits
        .iter()
        .fold(0, |status, digit| status * 10 + u16::from(digit - b'0')))
}

/// RFC 9112 section 5.
fn field(line: &[u8]) -> Result<(String, Vec<u8>), String> {
    let malformed = || format!("a field is malformed: {}", shown(line));
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(malformed)?;
    let name = &line[..colon];
    if !is_token(name) {
        return Err(malformed());
    }
    let name = name.iter().map(|byte| byte.to_ascii_lowercase() as char);
    Ok((name.collect(), line[colon + 1..].trim_ascii().to_owned()))
}

/// RFC 9112 section 6.3, rules 3 to 8.
fn framing(head: &Head) -> Result<Stage, String> {
    let codings: Vec<&[u8]> = head.values("transfer-encoding").collect();
    let lengths: Vec<&[u8]> = head.values("content-length").collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(Stage::UntilClose),
        ([], [length]) => content_length(length).map(Stage::Length),
        ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Stage::ChunkSize),
        ([], _) => Err("the answer has more than one Content-Length".to_owned()),
        (_, []) => Err(format!(
            "the transfer coding is not `chunked`: {}",
            shown(codings[0])
        )),
        _ => Err("the answer has both Transfer-Encoding and Content-Length".to_owned()),
    }
}

fn content_length(value: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(value).ok();
    text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| format!("the Content-Length is malformed: {}", shown(value)))
}

fn chunk_size(line: &[u8]) -> Result<u64, String> {
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let size = size.trim_ascii_end();
    let text = std::str::from_utf8(size).ok();
    text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or_else(|| format!("a chunk's size is malformed: {}", shown(line)))
}

/// Whether this is a date as RFC 9110 section 5.6.7 prefers it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn is_date(value: &[u8]) -> bool {
    const SHAPE: &[u8; 29] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    value.len() == SHAPE.len()
        && value[..26].iter().zip(&SHAPE[..26]).all(fits)
        && value[26..] == SHAPE[26..]
}

/// The beginning of `bytes`, quoted, for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const LONGEST: usize = 60;
    let cut = if bytes.len() > LONGEST { "..." } else { "" };
    let text = bytes[..bytes.len().min(LONGEST)].escape_ascii();
    format!("\"{text}\"{cut}")
}

#[cfg(test)]
mod tests;
