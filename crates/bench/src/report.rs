//! What a run found out, and the forms in which it is told.

pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod markdown;
pub(crate) mod terminal;

use crate::spread::Spread;
use crate::suite::Suite;

/// All of it.
#[derive(Debug)]
pub(crate) struct Report {
    /// As in `2026-11-23`.
    pub(crate) date: String,
    pub(crate) quick: bool,
    /// As many as most suites have.
    pub(crate) rounds: usize,
    pub(crate) machine: Vec<(&'static str, String)>,
    /// What limits the figures: no counter, one core.
    pub(crate) notes: Vec<String>,
    /// Who could not take part, and why.
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) suites: Vec<Chapter>,
}

/// A server, and why it could not take part.
pub(crate) type LeftOut = (&'static str, String);

/// A suite and its tables.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) suite: &'static Suite,
    /// How many rounds its servers had.
    pub(crate) rounds: usize,
    pub(crate) tables: Vec<Table>,
}

/// Rows of one case.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) chart: Chart,
    pub(crate) better: Better,
    /// What the ratio of a row is.
    pub(crate) ratio: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// What there is to say about them, in sentences.
    pub(crate) notes: Vec<String>,
}

impl Table {
    /// The columns that are told: one that nobody could fill, such as the kernel's instructions without perf,
    /// is left out.
    fn filled(&self) -> Vec<usize> {
        let columns = 0..self.columns.len();
        columns
            .filter(|column| self.rows.iter().any(|row| row.cells[*column].is_some()))
            .collect()
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Chart {
    Column(usize),
    Ratio,
}

/// In which direction a figure improves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Better {
    Less,
    More,
}

/// A figure that every row has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// In JSON.
    pub(crate) key: &'static str,
    /// With its unit.
    pub(crate) title: &'static str,
    /// Behind the point.
    pub(crate) digits: usize,
}

/// A server, or a thing that is done.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As many as there are columns.
    pub(crate) cells: Vec<Option<Spread>>,
    pub(crate) ratio: Option<Spread>,
    /// Then its figures do not count.
    pub(crate) failed: Option<String>,
}

/// A number for people: groups of three digits.
pub(crate) fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or(("", &*text), |rest| ("-", rest));
    let (whole, part) = rest.split_once('.').map_or((rest, ""), |(a, b)| (a, b));
    let mut out = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !part.is_empty() {
        out.push('.');
        out += part;
    }
    out
}

/// A sentence begins with a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_before_the_point() {
        assert_eq!(grouped(1_234_567.0, 0), "1,234,567");
        assert_eq!(grouped(999.951, 1), "1,000.0");
        assert_eq!(grouped(-123.0, 0), "-123");
        assert_eq!(grouped(12.345, 2), "12.35");
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use super::*;
    use crate::suites::SUITES;

    /// Of these suites, each with the [`sample`].
    pub(crate) fn report(suites: &[&str]) -> Report {
        let chapters = SUITES.iter().filter(|suite| suites.contains(&suite.name));
        Report {
            date: "2026-11-25".to_owned(),
            quick: false,
            rounds: 5,
            machine: vec![("memory", "1 GiB".to_owned())],
            notes: Vec::new(),
            left_out: Vec::new(),
            suites: chapters
                .map(|suite| Chapter {
                    suite,
                    rounds: 3,
                    tables: vec![sample()],
                })
                .collect(),
        }
    }

    /// A table with a column that is empty and a server that failed.
    pub(crate) fn sample() -> Table {
        let column = |key, title| Column {
            key,
            title,
            digits: 0,
        };
        Table {
            title: "plaintext".to_owned(),
            chart: Chart::Column(0),
            better: Better::More,
            ratio: "× Squall",
            columns: vec![column("rate", "requests/s"), column("kernel", "instr:k")],
            rows: vec![
                Row {
                    name: "squall".to_owned(),
                    version: "0.1.0".to_owned(),
                    cells: vec![Spread::of([1500.0, 2000.0, 2500.0]), None],
                    ratio: Spread::of([1.0]),
                    failed: None,
                },
                Row {
                    name: "other".to_owned(),
                    version: "2".to_owned(),
                    cells: vec![Spread::of([9.0]), None],
                    ratio: None,
                    failed: Some("1 wrong answers, the first: <b>".to_owned()),
                },
            ],
            notes: Vec::new(),
        }
    }
}
