//! The few things the chores read out of a Markdown page: code blocks, commands, links.

/// A fenced code block.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// What stands behind the opening fence, such as `sh` or `rust,no_run`; may be empty.
    pub(crate) info: String,
    /// The lines between the fences.
    pub(crate) lines: Vec<String>,
}

impl Block {
    /// The commands of a block of shell lines: without prompt, without comment. Other blocks have
    /// none; in a `console` block only lines with a prompt are commands, the others are output.
    pub(crate) fn commands(&self) -> Vec<String> {
        let language = self.info.split([',', ' ']).next().unwrap_or_default();
        let console = language == "console";
        if !console && !matches!(language, "sh" | "bash" | "shell") {
            return Vec::new();
        }
        self.lines
            .iter()
            .filter(|line| !console || line.trim_start().starts_with("$ "))
            .map(|line| {
                let line = line.trim();
                let line = line.strip_prefix("$ ").unwrap_or(line);
                let command = line.split(" #").next().unwrap_or_default();
                command.trim().to_owned()
            })
            .filter(|command| !command.is_empty() && !command.starts_with('#'))
            .collect()
    }
}

/// The page in two parts: its code blocks, and its prose with the blocks taken out.
pub(crate) fn blocks_and_prose(text: &str) -> (Vec<Block>, String) {
    let mut blocks = Vec::new();
    let mut prose = String::new();
    // The fence that closes the open block, and the block so far.
    let mut open: Option<(&str, Block)> = None;
    for line in text.lines() {
        let (marks, info) = fence(line);
        open = match open {
            Some((fence, block)) if info.is_empty() && marks.starts_with(fence) => {
                blocks.push(block);
                None
            }
            Some((fence, mut block)) => {
                block.lines.push(line.to_owned());
                Some((fence, block))
            }
            None if !marks.is_empty() => Some((
                marks,
                Block {
                    info: info.to_owned(),
                    lines: Vec::new(),
                },
            )),
            None => {
                prose.push_str(line);
                prose.push('\n');
                None
            }
        };
    }
    blocks.extend(open.map(|(_, block)| block));
    (blocks, prose)
}

/// The fence marks a line begins with (none unless there are three) and what follows them.
pub(crate) fn fence(line: &str) -> (&str, &str) {
    let line = line.trim();
    for mark in ['`', '~'] {
        let rest = line.trim_start_matches(mark);
        let length = line.len() - rest.len();
        // Three backticks around a word are inline code, not a fence.
        if length >= 3 && !(mark == '`' && rest.contains('`')) {
            return (&line[..length], rest.trim());
        }
    }
    ("", line)
}

/// The targets of the links and images of a page's prose that name a file: relative, without the
/// part behind `#`. Each stands once for every time it is linked.
pub(crate) fn file_links(prose: &str) -> Vec<String> {
    let openings = [("](", ')'), ("src=\"", '"'), ("href=\"", '"')];
    let mut links = Vec::new();
    for (opening, closing) in openings {
        for (at, _) in prose.match_indices(opening) {
            let rest = &prose[at + opening.len()..];
            let Some(end) = rest.find(closing) else {
                continue;
            };
            // A link may carry a title: `](file "title")`.
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains(':') {
                links.push(file.trim_start_matches("./").to_owned());
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# A
See [one](docs/one.md#part \"title\"), [far](https://example.com), [here](#a).
<img src=\"./two.svg\">

```sh
# all of them
$ cargo test --workspace   # a minute
cargo run --release
```

~~~~console
$ ls
file
~~~
~~~~

```rust
let a = 1; // [no](link.md)
```
";

    #[test]
    fn a_page_is_taken_apart() {
        let (blocks, prose) = blocks_and_prose(PAGE);
        let infos: Vec<&str> = blocks.iter().map(|block| block.info.as_str()).collect();
        assert_eq!(infos, ["sh", "console", "rust"]);
        assert_eq!(blocks[1].lines, ["$ ls", "file", "~~~"]);
        assert_eq!(file_links(&prose), ["docs/one.md", "two.svg"]);
    }

    #[test]
    fn commands_lose_prompt_and_comment() {
        let (blocks, _) = blocks_and_prose(PAGE);
        assert_eq!(
            blocks[0].commands(),
            ["cargo test --workspace", "cargo run --release"]
        );
        assert_eq!(blocks[1].commands(), ["ls"]);
        assert!(blocks[2].commands().is_empty());
    }

    #[test]
    fn an_open_block_ends_with_the_page() {
        let (blocks, prose) = blocks_and_prose("a\n```sh\nls\n");
        assert_eq!(blocks.len(), 1);
        assert_eq!(prose, "a\n");
    }
}
