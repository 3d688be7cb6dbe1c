//! For the terminal, and for pages: tables in Markdown.

use std::io::{self, IsTerminal as _};

use super::{Row, Table, grouped};
use crate::spread::Spread;

/// A table with its title, folded where it is wider than so many columns.
pub(crate) fn table(table: &Table, width: usize) -> String {
    let text = format!("{}\n\n{}", table.title, figures(table, width));
    text + &said(table, width)
}

/// A table with what there is to say about it.
pub(crate) fn body(table: &Table) -> String {
    figures(table, usize::MAX) + &said(table, usize::MAX)
}

/// A text of some sentences in lines of at most so many columns, where its words allow that.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += length;
    }
    out
}

/// How wide the terminal is that standard output goes to; without limit where it goes to something else.
pub(crate) fn width() -> usize {
    let stdout = io::stdout();
    let size = match stdout.is_terminal() {
        true => rustix::termios::tcgetwinsize(stdout).ok(),
        false => None,
    };
    match size.map(|size| usize::from(size.ws_col)) {
        None | Some(0) => usize::MAX,
        Some(columns) => columns,
    }
}

fn said(table: &Table, width: usize) -> String {
    let mut text = String::new();
    for note in &table.notes {
        text += &format!("\n{}\n", wrapped(note, width));
    }
    for row in &table.rows {
        if let Some(reason) = &row.failed {
            let reason = format!("{} failed: {reason}", row.name);
            text += &format!("\n{}\n", wrapped(&reason, width));
        }
    }
    text
}

/// The columns in as many blocks as the width takes, each with the names.
fn figures(table: &Table, width: usize) -> String {
    let filled = table.filled();
    let mut lines = vec![head(table, &filled)];
    lines.extend(table.rows.iter().map(|row| line(table, row, &filled)));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    let blocks = blocks(&widths, width);
    let blocks = blocks.iter().map(|columns| {
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            text += &padded(line, &widths, columns);
            if index == 0 {
                text += &rule(&widths, columns);
            }
        }
        text
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// Which columns stand side by side: the first one, and as many others as there is room for, but one at least.
fn blocks(widths: &[usize], width: usize) -> Vec<Vec<usize>> {
    // A bar and two spaces.
    const FRAME: usize = 3;
    let mut blocks = Vec::new();
    let mut block = vec![0];
    let first = widths[0] + FRAME + 1;
    let mut used = first;
    for (column, cell) in widths.iter().enumerate().skip(1) {
        if block.len() > 1 && used + cell + FRAME > width {
            blocks.push(std::mem::replace(&mut block, vec![0]));
            used = first;
        }
        block.push(column);
        used += cell + FRAME;
    }
    blocks.push(block);
    blocks
}

fn head(table: &Table, filled: &[usize]) -> Vec<String> {
    let mut cells = vec![String::new()];
    cells.extend(
        filled
            .iter()
            .map(|column| table.columns[*column].title.to_owned()),
    );
    cells.push(table.ratio.to_owned());
    cells
}

fn line(table: &Table, row: &Row, filled: &[usize]) -> Vec<String> {
    let mut cells = vec![format!("{} {}", row.name, row.version).trim().to_owned()];
    if row.failed.is_some() {
        cells.extend(filled.iter().map(|_| "failed".to_owned()));
    } else {
        cells.extend(
            filled
                .iter()
                .map(|column| cell(row.cells[*column], table.columns[*column].digits)),
        );
    }
    cells.push(
        row.ratio
            .map_or("–".to_owned(), |ratio| format!("{:.2}", ratio.median)),
    );
    cells
}

/// A median, and how far the rounds went to both sides where they differ visibly.
fn cell(spread: Option<Spread>, digits: usize) -> String {
    let Some(spread) = spread else {
        return "–".to_owned();
    };
    let median = grouped(spread.median, digits);
    match (spread.share() * 100.0).round() {
        0.0 => median,
        percent => format!("{median} ±{percent:.0}%"),
    }
}

fn padded(line: &[String], widths: &[usize], columns: &[usize]) -> String {
    let mut text = String::from("|");
    for column in columns {
        let (cell, width) = (&line[*column], widths[*column]);
        text += &match column {
            0 => format!(" {cell:<width$} |"),
            _ => format!(" {cell:>width$} |"),
        };
    }
    text + "\n"
}

fn rule(widths: &[usize], columns: &[usize]) -> String {
    let mut text = String::from("|");
    for column in columns {
        let dashes = "-".repeat(widths[*column]);
        text += &match column {
            0 => format!("-{dashes}-|"),
            _ => format!("-{dashes}:|"),
        };
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::sample;
    use super::*;

    #[test]
    fn a_table_is_aligned_and_names_who_failed() {
        let text = table(&sample(), usize::MAX);
        assert_eq!(
            text,
            "\
plaintext

|              | requests/s | × Squall |
|--------------|-----------:|---------:|
| squall 0.1.0 | 2,000 ±25% |     1.00 |
| other 2      |     failed |        – |

other failed: 1 wrong answers, the first: <b>
"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_goes_on_below() {
        let mut sample = sample();
        sample.rows.truncate(1);
        assert_eq!(
            figures(&sample, 30),
            "\
|              | requests/s |
|--------------|-----------:|
| squall 0.1.0 | 2,000 ±25% |

|              | × Squall |
|--------------|---------:|
| squall 0.1.0 |     1.00 |
"
        );
        assert_eq!(blocks(&[12, 10, 8], 40), [vec![0, 1, 2]]);
        assert_eq!(blocks(&[12, 10, 8], 39), [vec![0, 1], vec![0, 2]]);
        assert_eq!(blocks(&[12, 10, 8], 1), [vec![0, 1], vec![0, 2]]);
    }

    #[test]
    fn sentences_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), "one two\nthree");
        assert_eq!(
            wrapped("incomprehensible is this", 5),
            "incomprehensible\nis\nthis"
        );
        assert_eq!(wrapped("one two three", usize::MAX), "one two three");
    }
}
