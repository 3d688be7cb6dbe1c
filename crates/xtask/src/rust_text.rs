//! Rust source taken apart: code here, comments there.
//!
//! A word such as `unsafe` in a comment or a string is not code, and a doc fence in a string is not
//! documentation. [`split`] gives two views of one file that keep every line where it is, so that a
//! check can search the view it means and still name the line.

use std::ops::Range;

/// The two views of one file. Both have as many lines as the file; what does not belong to the view
/// is blank.
#[derive(Debug)]
pub(crate) struct Views {
    /// Everything but comments and the insides of strings and characters.
    pub(crate) code: String,
    /// Comments alone, doc comments among them.
    pub(crate) comments: String,
}

/// Takes `text`, the source of a Rust file, apart.
pub(crate) fn split(text: &str) -> Views {
    let mut scanner = Scanner {
        chars: text.chars().collect(),
        at: 0,
        views: Views {
            code: String::with_capacity(text.len()),
            comments: String::new(),
        },
    };
    while scanner.at < scanner.chars.len() {
        scanner.step();
    }
    scanner.views
}

/// The lines (counted from 0) of the items under `#[cfg(test)]` in `code`, a view made by [`split`].
pub(crate) fn test_lines(code: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for marker in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (start, _) in code.match_indices(marker) {
            let first = line_of(code, start);
            let last = line_of(code, end_of_item(code, start + marker.len()));
            if !found.iter().any(|range| range.contains(&first)) {
                found.push(first..last + 1);
            }
        }
    }
    found
}

/// Whether `text` has `word` standing alone, not as a part of a longer name.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

/// Where the item that follows `from` ends: at its `;` or at the brace that closes its body.
fn end_of_item(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at,
            _ => {}
        }
    }
    code.len()
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

fn is_name(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// Where a character goes.
#[derive(Clone, Copy)]
enum View {
    Code,
    Comment,
    Neither,
}

/// Walks over the characters of a file once; every method leaves `at` behind what it consumed.
struct Scanner {
    chars: Vec<char>,
    at: usize,
    views: Views,
}

impl Scanner {
    /// Consumes one comment, literal, name or other character.
    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            (Some('/'), Some('/')) => self.line_comment(),
            (Some('/'), Some('*')) => self.block_comment(),
            (Some('"'), _) => self.string(),
            (Some('\''), _) => self.character_or_lifetime(),
            (Some(first), _) if is_name(first) => self.name_or_prefixed_string(),
            _ => self.put(1, View::Code),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Moves `count` characters into a view; the other view gets blanks.
    fn put(&mut self, count: usize, view: View) {
        let end = (self.at + count).min(self.chars.len());
        for letter in &self.chars[self.at..end] {
            let blank = if *letter == '\n' { '\n' } else { ' ' };
            let (code, comment) = match view {
                View::Code => (*letter, blank),
                View::Comment => (blank, *letter),
                View::Neither => (blank, blank),
            };
            self.views.code.push(code);
            self.views.comments.push(comment);
        }
        self.at = end;
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|letter| letter != '\n') {
            self.put(1, View::Comment);
        }
    }

    /// Block comments nest in Rust.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(first) = self.peek(0) {
            let length = match (first, self.peek(1)) {
                ('/', Some('*')) => {
                    depth += 1;
                    2
                }
                ('*', Some('/')) => {
                    depth -= 1;
                    2
                }
                _ => 1,
            };
            self.put(length, View::Comment);
            if depth == 0 {
                return;
            }
        }
    }

    /// A string with escapes; its quotes stay in the code.
    fn string(&mut self) {
        self.put(1, View::Code);
        while let Some(letter) = self.peek(0) {
            match letter {
                '"' => return self.put(1, View::Code),
                '\\' => self.put(2, View::Neither),
                _ => self.put(1, View::Neither),
            }
        }
    }

    /// A raw string, from its first `#` or quote on.
    fn raw_string(&mut self, hashes: usize) {
        self.put(hashes + 1, View::Code);
        while let Some(letter) = self.peek(0) {
            if letter == '"' && self.hashes(1) >= hashes {
                return self.put(hashes + 1, View::Code);
            }
            self.put(1, View::Neither);
        }
    }

    /// How many `#` stand in a row, `ahead` characters from here.
    fn hashes(&self, ahead: usize) -> usize {
        self.chars[(self.at + ahead).min(self.chars.len())..]
            .iter()
            .take_while(|letter| **letter == '#')
            .count()
    }

    /// `'x'` and `'\n'` are characters, `'static` is a lifetime.
    fn character_or_lifetime(&mut self) {
        self.put(1, View::Code);
        if self.peek(0) == Some('\\') {
            self.put(2, View::Neither);
            while self.peek(0).is_some_and(|letter| letter != '\'') {
                self.put(1, View::Neither);
            }
            self.put(1, View::Code);
        } else if self.peek(1) == Some('\'') {
            self.put(1, View::Neither);
            self.put(1, View::Code);
        }
    }

    /// A name or number, or the letters before a string (`r#"`, `b"`, `c"` and their pairs).
    fn name_or_prefixed_string(&mut self) {
        let length = self.chars[self.at..]
            .iter()
            .take_while(|letter| is_name(**letter))
            .count();
        let name: String = self.chars[self.at..self.at + length].iter().collect();
        self.put(length, View::Code);
        let hashes = self.hashes(0);
        if matches!(name.as_str(), "r" | "br" | "cr") && self.peek(hashes) == Some('"') {
            self.raw_string(hashes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        split(text).code
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        let cases = [
            "// unsafe",
            "/* unsafe /* unsafe */ unsafe */",
            "\"a \\\" unsafe\"",
            "r\"unsafe\"",
            "r##\"unsafe \"# unsafe\"##",
            "br#\"unsafe\"#",
            "b\"unsafe\"",
        ];
        for case in cases {
            assert!(!has_word(&code(case), "unsafe"), "{case}");
            let followed = format!("{case}\nunsafe {{}}");
            assert!(has_word(&code(&followed), "unsafe"), "{followed}");
        }
    }

    #[test]
    fn characters_and_lifetimes_are_told_apart() {
        assert_eq!(code("'\"' 'a' '\\'' b'x'"), "' ' ' ' '  ' b' '");
        assert_eq!(code("&'a str, 'static"), "&'a str, 'static");
    }

    #[test]
    fn raw_names_are_code() {
        assert_eq!(code("r#type + number1r \"x\""), "r#type + number1r \" \"");
    }

    #[test]
    fn comments_keep_their_lines() {
        let views = split("let a = 1; // one\n/* two\n three */ b\n");
        assert_eq!(views.comments, "           // one\n/* two\n three */  \n");
        assert_eq!(views.code.lines().count(), 3);
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        for text in ["\"abc", "\"abc\\", "r#\"abc\"", "'", "'\\", "/* a", "b'"] {
            assert_eq!(code(text).chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn test_modules_are_found_to_their_closing_brace() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { let c = \"}\"; }\n}\nfn d() {}\n";
        assert_eq!(test_lines(&code(text))[0], 1..5);
        assert_eq!(test_lines("#[cfg(test)]\nmod tests;\nfn a() {}\n")[0], 0..2);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe { x }", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
    }
}
