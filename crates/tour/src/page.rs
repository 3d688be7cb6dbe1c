//! Puts the page together: the frame, a section for each pattern, its source.

use crate::highlight;
use crate::patterns::{ALL, Input, Pattern};
use crate::words::{self, Both};

const FRAME: &str = include_str!("../page/page.html");
const SECTION: &str = include_str!("../page/section.html");
const FIELD: &str = include_str!("../page/field.html");

/// The languages of the page; both are in it, and one is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Chinese,
    English,
}

impl Language {
    /// The language that a `lang` parameter names, if it is one of ours: `en`, `zh`, `zh-CN` and so on.
    pub(crate) fn named(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The tag of the language (RFC 5646).
    fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-Hans",
            Self::English => "en",
        }
    }
}

/// The whole page, with `language` shown until the visitor chooses another.
pub(crate) fn render(language: Language) -> String {
    let contents: String = ALL.iter().map(entry).collect();
    let sections: String = ALL.iter().map(section).collect();
    fill(
        FRAME,
        &[
            ("lang", language.tag()),
            ("contents", &contents),
            ("sections", &sections),
        ],
    )
}

fn entry(pattern: &Pattern) -> String {
    let title = both(pattern.words.title);
    format!("<li><a href=\"#{}\">{title}</a></li>\n", pattern.name)
}

fn section(pattern: &Pattern) -> String {
    let words = &pattern.words;
    fill(
        SECTION,
        &[
            ("name", pattern.name),
            ("title", &both(words.title)),
            ("about", &both(words.about)),
            ("tornado", &both(words.tornado)),
            ("watch", &both(words.watch)),
            ("field", &field(pattern)),
            ("source", &source(pattern)),
        ],
    )
}

fn field(pattern: &Pattern) -> String {
    let Some(hint) = pattern.input.hint() else {
        return String::new();
    };
    let pairs = [
        ("name", pattern.name),
        ("label", &both(hint.label)),
        ("example", hint.example),
        ("note", &both(hint.note)),
    ];
    fill(FIELD, &pairs)
}

fn source(pattern: &Pattern) -> String {
    let lines = highlight::lines(pattern.source);
    let name = pattern.name;
    let numbered = (1..).zip(lines);
    numbered
        .map(|(number, line)| format!("<span id=\"{name}-{number}\">{line}\n</span>"))
        .collect()
}

/// Both languages; the style sheet hides the one that is not wanted, also from screen readers.
fn both(text: Both) -> String {
    let (en, zh) = (text.en, text.zh);
    format!("<span lang=\"en\">{en}</span><span lang=\"zh-Hans\">{zh}</span>")
}

/// Puts values where the template says `{{name}}`.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{");
    let mut page = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, text) = part.split_once("}}").unwrap_or((part, ""));
        let value = values.iter().find(|(key, _)| *key == name);
        page.push_str(value.map_or("", |(_, value)| value));
        page.push_str(text);
    }
    page
}

/// What the page says about a pattern's input.
struct Hint {
    label: Both,
    example: &'static str,
    note: Both,
}

impl Input {
    fn hint(self) -> Option<Hint> {
        let (en, zh, example, note) = match self {
            Self::None => return None,
            Self::Database => (
                "A MongoDB server",
                "MongoDB 服务器",
                "mongodb://127.0.0.1:27017",
                words::NO_DATABASE,
            ),
            Self::Seconds => (
                "How many seconds to block",
                "阻塞几秒",
                "1",
                words::NO_SECONDS,
            ),
            Self::Url => (
                "An address to fetch",
                "要访问的网址",
                "http://example.org/",
                words::NO_URL,
            ),
            Self::Urls => (
                "Addresses to fetch, with spaces between",
                "要访问的网址，用空格分开",
                "http://example.org/ http://example.com/",
                words::NO_URL,
            ),
        };
        let label = Both { en, zh };
        Some(Hint {
            label,
            example,
            note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_templates_is_filled() {
        for language in [Language::English, Language::Chinese] {
            let page = render(language);
            assert!(!page.contains("{{") && !page.contains("}}"));
            assert!(page.contains(&format!("<html lang=\"{}\"", language.tag())));
        }
    }

    #[test]
    fn each_pattern_has_a_section_an_entry_and_its_source() {
        let page = render(Language::English);
        for pattern in ALL {
            for part in [
                format!("href=\"#{}\"", pattern.name),
                format!("id=\"{}\"", pattern.name),
                format!("id=\"{}-1\"", pattern.name),
            ] {
                assert!(page.contains(&part), "{part}");
            }
        }
    }

    #[test]
    fn both_languages_are_there_as_often() {
        let page = render(Language::English);
        let count = |tag: &str| page.matches(&format!("<span lang=\"{tag}\">")).count();
        assert_eq!(count("en"), count("zh-Hans"));
        assert!(count("en") > 35);
    }

    #[test]
    fn a_template_is_filled_once() {
        assert_eq!(
            fill("a{{x}}b{{y}}", &[("x", "{{y}}"), ("y", "1")]),
            "a{{y}}b1"
        );
        assert_eq!(fill("{{unknown}}.", &[]), ".");
    }

    #[test]
    fn languages_by_their_tags() {
        for (tag, language) in [
            ("zh", Some(Language::Chinese)),
            ("zh-CN", Some(Language::Chinese)),
            ("ZH_TW", Some(Language::Chinese)),
            ("en-GB", Some(Language::English)),
            ("de", None),
            ("", None),
        ] {
            assert_eq!(Language::named(tag), language, "{tag}");
        }
    }
}
