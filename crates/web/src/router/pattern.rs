//! What a route's path is written like.

use std::fmt;

/// The most parameters one pattern may have; the lookup keeps their places in an array of this size.
pub(crate) const MAX_PARAMETERS: usize = 16;

/// A parsed pattern: `/hello/{name}`, `/files/{*path}`.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    segments: Vec<Segment>,
    /// The names of the parameters, in the order of the pattern.
    names: Vec<Box<str>>,
}

/// One level of a pattern.
#[derive(Debug, PartialEq)]
pub(crate) enum Segment {
    /// Matches one whole, non-empty segment.
    Parameter,
    /// Matches this text, compared with the decoded segment.
    Static(Box<str>),
    /// Matches all that is left, slashes included; always the last.
    Tail,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut pattern = Self {
            text: text.into(),
            segments: Vec::new(),
            names: Vec::new(),
        };
        let path = text.strip_prefix('/').ok_or(PatternError::NoLeadingSlash)?;
        if text.contains(['?', '#']) {
            return Err(PatternError::NotAPath);
        }
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            pattern.push(segment, segments.peek().is_none())?;
        }
        Ok(pattern)
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(crate) fn names(&self) -> &[Box<str>] {
        &self.names
    }

    fn push(&mut self, text: &str, last: bool) -> Result<(), PatternError> {
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let segment = match inner {
            None if text.contains(['{', '}']) => return Err(PatternError::PartOfSegment),
            None if text.is_empty() && !last => return Err(PatternError::EmptySegment),
            None => Segment::Static(text.into()),
            Some(inner) => match inner.strip_prefix('*') {
                Some(_) if !last => return Err(PatternError::TailNotLast),
                Some(name) => self.name(name, Segment::Tail)?,
                None => self.name(inner, Segment::Parameter)?,
            },
        };
        self.segments.push(segment);
        Ok(())
    }

    fn name(&mut self, name: &str, segment: Segment) -> Result<Segment, PatternError> {
        if name.is_empty() || name.contains(['{', '}', '*']) {
            return Err(PatternError::BadName);
        }
        if self.names.iter().any(|known| **known == *name) {
            return Err(PatternError::NameTwice);
        }
        if self.names.len() == MAX_PARAMETERS {
            return Err(PatternError::TooManyParameters);
        }
        self.names.push(name.into());
        Ok(segment)
    }
}

/// Why the path of a route cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// A parameter's name is empty or holds a brace or a star.
    BadName,
    /// Two slashes follow each other.
    EmptySegment,
    /// Two parameters have one name.
    NameTwice,
    /// The path does not begin with a slash.
    NoLeadingSlash,
    /// The path holds `?` or `#`, which no request path can.
    NotAPath,
    /// A parameter shares its segment with text, as in `/v{version}`.
    PartOfSegment,
    /// A `{*tail}` is not the last segment.
    TailNotLast,
    /// The path has more than 16 parameters.
    TooManyParameters,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadName => "a parameter needs a name without braces and stars",
            Self::EmptySegment => "a path cannot have an empty segment in its middle",
            Self::NameTwice => "two parameters have the same name",
            Self::NoLeadingSlash => "a path begins with a slash",
            Self::NotAPath => "a path holds neither a query nor a fragment",
            Self::PartOfSegment => "a parameter must be a whole segment",
            Self::TailNotLast => "a tail must be the last segment",
            Self::TooManyParameters => "a path has at most 16 parameters",
        })
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_their_names() {
        for (text, names, segments) in [
            ("/", &[][..], 1),
            ("/hello", &[], 1),
            ("/hello/", &[], 2),
            ("/hello/{name}", &["name"], 2),
            ("/{a}/{b}/{*c}", &["a", "b", "c"], 3),
            ("/caf\u{e9}/100%", &[], 2),
        ] {
            let pattern = Pattern::parse(text).expect(text);
            let found: Vec<&str> = pattern.names().iter().map(|name| &**name).collect();
            assert_eq!(found, names, "{text}");
            assert_eq!(pattern.segments().len(), segments, "{text}");
            assert_eq!(pattern.text(), text);
        }
    }

    #[test]
    fn patterns_that_cannot_be_used() {
        let many: String = (0..17).map(|n| format!("/{{p{n}}}")).collect();
        for (text, error) in [
            ("", PatternError::NoLeadingSlash),
            ("hello", PatternError::NoLeadingSlash),
            ("/a//b", PatternError::EmptySegment),
            ("//", PatternError::EmptySegment),
            ("/a?b", PatternError::NotAPath),
            ("/a#b", PatternError::NotAPath),
            ("/v{version}", PatternError::PartOfSegment),
            ("/{id}.json", PatternError::PartOfSegment),
            ("/{open", PatternError::PartOfSegment),
            ("/{}", PatternError::BadName),
            ("/{*}", PatternError::BadName),
            ("/{a}{b}", PatternError::BadName),
            ("/{*rest}/more", PatternError::TailNotLast),
            ("/{*rest}/", PatternError::TailNotLast),
            ("/{a}/{a}", PatternError::NameTwice),
            (many.as_str(), PatternError::TooManyParameters),
        ] {
            assert_eq!(Pattern::parse(text).err(), Some(error), "{text}");
        }
    }
}
