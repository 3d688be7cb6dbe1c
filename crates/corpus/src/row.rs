//! Rows, and the files that hold them.

use std::fs;
use std::path::Path;

use crate::escape::unescape;

/// One attack: bytes, and what is said about them.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is attempted; of a row made by `each:`, with the value behind a colon.
    pub name: String,
    /// The advisory or the section that it is from.
    pub from: String,
    /// The file and the line where it begins.
    pub place: String,
    /// What the attacker sends.
    pub bytes: Vec<u8>,
    /// Everything else, in the order of the file.
    pub fields: Vec<(String, String)>,
}

impl Row {
    /// Returns the values of `key`, in the order of the file.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the first value of `key`.
    pub fn one(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads all `.txt` files of a folder, in the order of their names.
///
/// # Errors
///
/// The file, the line, and what is wrong there.
pub fn read(folder: &Path) -> Result<Vec<Row>, String> {
    let cannot = |err| format!("cannot read {}: {err}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            files.push(path);
        }
    }
    files.sort();
    let mut rows = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)
            .map_err(|err| format!("cannot read {}: {err}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        rows.extend(parse(&name, &text)?);
    }
    Ok(rows)
}

/// Reads the rows of one file; `name` is what its places are called.
///
/// # Errors
///
/// The line, and what is wrong there.
pub fn parse(name: &str, text: &str) -> Result<Vec<Row>, String> {
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{name}:{}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("--- ") {
            drafts.push(Draft::new(title, place()));
            continue;
        }
        let draft = drafts
            .last_mut()
            .ok_or_else(|| format!("{}: expected `--- NAME`, found `{line}`", place()))?;
        draft
            .line(line)
            .map_err(|err| format!("{}: {err}", place()))?;
    }
    let mut rows = Vec::new();
    for draft in drafts {
        rows.extend(draft.rows()?);
    }
    Ok(rows)
}

/// A row as it is written, before its values are put in.
struct Draft<'a> {
    name: &'a str,
    place: String,
    each: Vec<&'a str>,
    input: Vec<&'a str>,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Draft<'a> {
    fn new(name: &'a str, place: String) -> Self {
        Self {
            name,
            place,
            each: Vec::new(),
            input: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn line(&mut self, line: &'a str) -> Result<(), String> {
        if line == ">" {
            self.input.push("");
        } else if let Some(input) = line.strip_prefix("> ") {
            self.input.push(input);
        } else {
            let (key, value) = line
                .split_once(':')
                .filter(|(key, _)| key.chars().all(|char| char.is_ascii_lowercase()))
                .ok_or_else(|| format!("expected `> BYTES` or `key: value`, found `{line}`"))?;
            match key {
                "each" => self.each.extend(value.split(" | ").map(str::trim)),
                key => self.fields.push((key, value.trim())),
            }
        }
        Ok(())
    }

    fn rows(&self) -> Result<Vec<Row>, String> {
        if self.each.is_empty() {
            return Ok(vec![self.row(None)?]);
        }
        self.each
            .iter()
            .map(|value| self.row(Some(value)))
            .collect()
    }

    fn row(&self, value: Option<&str>) -> Result<Row, String> {
        let fill = |text: &str| match value {
            Some(value) => text.replace("{}", value),
            None => text.to_owned(),
        };
        let mut bytes = Vec::new();
        for line in &self.input {
            let line = fill(line);
            // An even number of backslashes at the end stands for themselves.
            let slashes = line.len() - line.trim_end_matches('\\').len();
            let (text, end) = match slashes % 2 {
                1 => (&line[..line.len() - 1], ""),
                _ => (&line[..], "\r\n"),
            };
            bytes.extend(unescape(text).map_err(|err| format!("{}: {err}", self.place))?);
            bytes.extend_from_slice(end.as_bytes());
        }
        let mut fields: Vec<(String, String)> = self
            .fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), fill(value)))
            .collect();
        let from = fields
            .iter()
            .position(|(key, _)| key == "from")
            .ok_or_else(|| format!("{}: expected a line `from: SOURCE`", self.place))?;
        let name = match value {
            Some(value) if !self.name.contains("{}") => format!("{}: {value}", self.name),
            _ => fill(self.name),
        };
        Ok(Row {
            name,
            from: fields.remove(from).1,
            place: self.place.clone(),
            bytes,
            fields,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_bytes_and_fields() {
        let text =
            "# first\n--- a name\nfrom: RFC\n> GET / HTTP/1.1\n>\n> \\x00\\\nsaw: a b\nsaw: c\n";
        let rows = parse("x.txt", text).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].bytes, b"GET / HTTP/1.1\r\n\r\n\0");
        assert_eq!(
            (&*rows[0].name, &*rows[0].from, &*rows[0].place),
            ("a name", "RFC", "x.txt:2")
        );
        assert_eq!(rows[0].all("saw").collect::<Vec<_>>(), ["a b", "c"]);
        assert_eq!(rows[0].one("then"), None);
    }

    #[test]
    fn each_value_makes_a_row() {
        let text = "--- a sign\nfrom: RFC\neach: + | \\s- | \n> {}1{}\\\nsaw: {}\n";
        let rows = parse("x.txt", text).unwrap();
        let bytes: Vec<&[u8]> = rows.iter().map(|row| &row.bytes[..]).collect();
        assert_eq!(bytes, [&b"+1+"[..], b" -1 -", b"1"]);
        assert_eq!(rows[0].name, "a sign: +");
        assert_eq!(rows[0].one("saw"), Some("+"));
    }

    #[test]
    fn a_line_that_ends_in_an_escaped_backslash_is_whole() {
        let rows = parse("x.txt", "--- a\nfrom: b\n> a\\\\\n> b\\\\\\\n").unwrap();
        assert_eq!(rows[0].bytes, b"a\\\r\nb\\");
    }

    #[test]
    fn mistakes_name_their_place() {
        let rows = [
            ("> x", "x.txt:1: expected `--- NAME`"),
            ("--- a\nfrom: b\nnonsense", "x.txt:3: expected `> BYTES`"),
            ("--- a\n> x", "x.txt:1: expected a line `from: SOURCE`"),
            ("--- a\nfrom: b\n> \\q", "x.txt:1: there is no escape"),
        ];
        for (text, expected) in rows {
            let err = parse("x.txt", text).unwrap_err();
            assert!(err.starts_with(expected), "{err}");
        }
    }
}
