//! For the terminal, and for pages: tables in Markdown.

use super::{Row, Table, grouped};
use crate::spread::Spread;

/// A table with its title.
pub(crate) fn table(table: &Table) -> String {
    format!("{}\n\n{}", table.title, body(table))
}

/// A table with what there is to say about it.
pub(crate) fn body(table: &Table) -> String {
    let filled = table.filled();
    let mut lines = vec![head(table, &filled)];
    lines.extend(table.rows.iter().map(|row| line(table, row, &filled)));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| {
            lines
                .iter()
                .map(|line| width(line, column))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text += &padded(line, &widths);
        if index == 0 {
            text += &rule(&widths);
        }
    }
    for note in &table.notes {
        text += &format!("\n{note}\n");
    }
    for row in &table.rows {
        if let Some(reason) = &row.failed {
            text += &format!("\n{} failed: {reason}\n", row.name);
        }
    }
    text
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

fn width(line: &[String], column: usize) -> usize {
    line[column].chars().count()
}

fn padded(line: &[String], widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
        text += &match index {
            0 => format!(" {cell:<width$} |"),
            _ => format!(" {cell:>width$} |"),
        };
    }
    text + "\n"
}

fn rule(widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (index, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(*width);
        text += &match index {
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
        let text = table(&sample());
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
}
