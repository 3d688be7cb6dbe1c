//! Colours Rust for the page: a scanner that knows just enough of the language to be right about the examples.
//!
//! Colouring never changes text: what is left when the tags are taken away is the source, letter for letter.

/// What a stretch of source is; the page has a colour for each but the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Attribute,
    Call,
    Comment,
    Keyword,
    Number,
    Text,
    Type,
    Plain,
}

impl Kind {
    /// The class of the tag; none: no tag.
    fn class(self) -> Option<&'static str> {
        Some(match self {
            Self::Attribute => "a",
            Self::Call => "f",
            Self::Comment => "c",
            Self::Keyword => "k",
            Self::Number => "n",
            Self::Text => "s",
            Self::Type => "t",
            Self::Plain => return None,
        })
    }
}

const KEYWORDS: [&str; 37] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type", "use",
    "where", "while",
];

/// The lines of a source as HTML, each complete in itself.
pub(crate) fn lines(source: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = source.trim_end();
    while !rest.is_empty() {
        let (kind, length) = next(rest);
        let (token, after) = rest.split_at(length);
        rest = after;
        for (number, part) in token.split('\n').enumerate() {
            if number > 0 {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                mark(line, kind, part);
            }
        }
    }
    lines
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn mark(line: &mut String, kind: Kind, text: &str) {
    let text = escape(text);
    match kind.class() {
        Some(class) if !text.is_empty() => {
            line.push_str(&format!("<i class={class}>{text}</i>"));
        }
        _ => line.push_str(&text),
    }
}

/// The kind and the length, in bytes, of what stands at the beginning of `rest`, which is not empty.
fn next(rest: &str) -> (Kind, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, until(rest, 2, "*/"));
    }
    if rest.starts_with("#[") || rest.starts_with("#![") {
        return (Kind::Attribute, until(rest, 2, "]"));
    }
    if let Some(length) = raw_text(rest) {
        return (Kind::Text, length);
    }
    match first {
        '"' => (Kind::Text, quoted(rest, '"')),
        '\'' => apostrophe(rest),
        '0'..='9' => (Kind::Number, number(rest)),
        _ if is_word(first) => word(rest),
        _ => (Kind::Plain, first.len_utf8()),
    }
}

/// The length up to and with `end`, which is looked for behind the first `skip` bytes.
fn until(rest: &str, skip: usize, end: &str) -> usize {
    rest[skip..]
        .find(end)
        .map_or(rest.len(), |at| skip + at + end.len())
}

/// The length of a raw string, if there is one: `r"..."`, `r#"..."#`, with a `b` before it or without.
fn raw_text(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    inner[hashes..].strip_prefix('"')?;
    let skip = rest.len() - inner.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(until(rest, skip, &end))
}

/// The length of text between quotes, in which a backslash takes the next letter along.
fn quoted(rest: &str, quote: char) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are text, `'a` is a lifetime.
fn apostrophe(rest: &str) -> (Kind, usize) {
    let mut letters = rest.chars().skip(1);
    let is_text = match (letters.next(), letters.next()) {
        (Some('\\'), _) => true,
        (Some(_), second) => second == Some('\''),
        (None, _) => false,
    };
    if is_text {
        return (Kind::Text, quoted(rest, '\''));
    }
    let name = rest[1..].find(|letter| !is_word(letter));
    (Kind::Type, name.map_or(rest.len(), |length| 1 + length))
}

/// A range such as `1..2` is two numbers; `1.5` and `1_000` are one.
fn number(rest: &str) -> usize {
    let whole = |text: &str| text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    let length = whole(rest);
    match rest[length..].strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|letter: char| letter.is_ascii_digit()) => {
            length + 1 + whole(fraction)
        }
        _ => length,
    }
}

fn word(rest: &str) -> (Kind, usize) {
    let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(length);
    let kind = if KEYWORDS.contains(&word) {
        Kind::Keyword
    } else if after.starts_with('!') && !after.starts_with("!=") {
        return (Kind::Call, length + 1);
    } else if word.starts_with(char::is_uppercase) {
        Kind::Type
    } else if after.starts_with('(') || after.starts_with("::<") {
        Kind::Call
    } else {
        Kind::Plain
    };
    (kind, length)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<(Kind, &str)> {
        let mut tokens = Vec::new();
        let mut rest = source;
        while !rest.is_empty() {
            let (kind, length) = next(rest);
            let (token, after) = rest.split_at(length);
            rest = after;
            if kind != Kind::Plain {
                tokens.push((kind, token));
            }
        }
        tokens
    }

    #[test]
    fn each_kind_is_seen_with_its_whole_length() {
        for (source, expected) in [
            ("// a \"b\"\nc", vec![(Kind::Comment, "// a \"b\"")]),
            ("/* a\n */b", vec![(Kind::Comment, "/* a\n */")]),
            (
                "#[derive(Debug)]",
                vec![(Kind::Attribute, "#[derive(Debug)]")],
            ),
            (r#""a\"b"c"#, vec![(Kind::Text, r#""a\"b""#)]),
            (r##"r#"a"b"#c"##, vec![(Kind::Text, r##"r#"a"b"#"##)]),
            ("'a'", vec![(Kind::Text, "'a'")]),
            (r"'\''", vec![(Kind::Text, r"'\''")]),
            ("&'static x", vec![(Kind::Type, "'static")]),
            ("1..20", vec![(Kind::Number, "1"), (Kind::Number, "20")]),
            ("1.5f32", vec![(Kind::Number, "1.5f32")]),
            ("say!(x)", vec![(Kind::Call, "say!")]),
            ("a != b", vec![]),
            ("run(x)", vec![(Kind::Call, "run")]),
            ("crash crate", vec![(Kind::Keyword, "crate")]),
            ("IoLoop::new", vec![(Kind::Type, "IoLoop")]),
            ("über(1)", vec![(Kind::Call, "über"), (Kind::Number, "1")]),
        ] {
            assert_eq!(tokens(source), expected, "{source}");
        }
    }

    #[test]
    fn unfinished_text_ends_with_the_source() {
        for source in ["\"a", "'", "r#\"a", "/* a", "#[a", "'\\", "b"] {
            assert_eq!(lines(source).len(), 1, "{source}");
        }
    }

    #[test]
    fn without_its_tags_a_line_is_what_it_was() {
        for pattern in crate::patterns::ALL {
            let html = lines(pattern.source);
            for (line, original) in html.iter().zip(pattern.source.lines()) {
                let mut text = String::new();
                let mut tags = line.split('<');
                text.push_str(tags.next().unwrap_or_default());
                tags.for_each(|tag| text.push_str(tag.split_once('>').expect("a tag ends").1));
                assert_eq!(text, escape(original));
            }
            assert_eq!(html.len(), pattern.source.trim_end().lines().count());
        }
    }

    #[test]
    fn a_token_over_two_lines_is_tagged_on_each() {
        assert_eq!(
            lines("/*a\nb*/"),
            ["<i class=c>/*a</i>", "<i class=c>b*/</i>"]
        );
    }
}
