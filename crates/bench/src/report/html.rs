//! For a browser: one page with its drawings in it, which asks no network for anything.

use super::{Better, Chart, Report, Row, Table, grouped};
use crate::spread::Spread;

const STYLE: &str = include_str!("page.css");
/// Of a drawing, in its own units.
const WIDTH: f64 = 760.0;
const LABELS: f64 = 170.0;
const FIGURES: f64 = 130.0;
const LINE: f64 = 26.0;

/// The whole page.
pub(crate) fn report(report: &Report) -> String {
    let mut body = format!(
        "<h1>Squall beside its peers</h1>\n<p class=\"lead\">{}, medians of {} alternating rounds{}.</p>\n",
        escape(&report.date),
        report.rounds,
        if report.quick {
            ", a quick run: good for a look, not for quoting"
        } else {
            ""
        },
    );
    body += &machine(report);
    for chapter in &report.suites {
        let suite = chapter.suite;
        body += &format!(
            "<section id=\"{0}\">\n<h2>{0}</h2>\n<p>{1}.<br><span class=\"for\">For {2}.</span></p>\n",
            escape(suite.name),
            escape(suite.measures),
            escape(suite.audience),
        );
        for table in &chapter.tables {
            body += &drawing(table);
            body += &figures(table);
        }
        body += "</section>\n";
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Squall beside its peers</title>\n<style>\n{STYLE}</style>\n<main>\n{body}</main>\n</html>\n"
    )
}

fn machine(report: &Report) -> String {
    let mut text = String::from("<dl>\n");
    for (name, value) in &report.machine {
        text += &format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value));
    }
    text += "</dl>\n";
    for note in &report.notes {
        text += &format!("<p class=\"note\">{}</p>\n", escape(note));
    }
    for (server, reason) in &report.left_out {
        text += &format!(
            "<p class=\"note\">{} is left out: {}</p>\n",
            escape(server),
            escape(reason)
        );
    }
    text
}

/// A bar for each row, with a line from the least to the most round.
fn drawing(table: &Table) -> String {
    let longest = table
        .rows
        .iter()
        .filter_map(|row| drawn(table, row))
        .map(|spread| spread.most)
        .fold(0.0, f64::max);
    if longest <= 0.0 {
        return String::new();
    }
    let height = LINE * table.rows.len() as f64;
    let what = caption(table);
    let mut text = format!(
        "<figure>\n<figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{0}\">\n",
        escape(&what)
    );
    let scale = (WIDTH - LABELS - FIGURES) / longest;
    for (index, row) in table.rows.iter().enumerate() {
        text += &bar(table, row, index, scale);
    }
    text + "</svg>\n</figure>\n"
}

fn caption(table: &Table) -> String {
    let better = match table.better {
        Better::Less => "shorter is better",
        Better::More => "longer is better",
    };
    let what = match table.chart {
        Chart::Column(column) => table.columns[column].title,
        Chart::Ratio => table.ratio,
    };
    format!("{}: {what}, {better}", table.title)
}

fn drawn(table: &Table, row: &Row) -> Option<Spread> {
    if row.failed.is_some() {
        return None;
    }
    match table.chart {
        Chart::Column(column) => row.cells[column],
        Chart::Ratio => row.ratio,
    }
}

fn bar(table: &Table, row: &Row, index: usize, scale: f64) -> String {
    let top = LINE * index as f64;
    let middle = top + LINE / 2.0;
    let class = if row.name == "squall" { "own" } else { "other" };
    let mut text = format!(
        "<text class=\"label {class}\" x=\"{}\" y=\"{middle}\">{}</text>\n",
        LABELS - 10.0,
        escape(&row.name)
    );
    let Some(spread) = drawn(table, row) else {
        let word = if row.failed.is_some() {
            "failed"
        } else {
            "–"
        };
        text +=
            &format!("<text class=\"figure failed\" x=\"{LABELS}\" y=\"{middle}\">{word}</text>\n");
        return text;
    };
    let end = |value: f64| LABELS + value.max(0.0) * scale;
    text += &format!(
        "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" rx=\"2\"/>\n",
        top + 5.0,
        end(spread.median) - LABELS,
        LINE - 10.0,
    );
    text += &format!(
        "<line class=\"spread\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\n",
        end(spread.least),
        end(spread.most),
    );
    let digits = match table.chart {
        Chart::Column(column) => table.columns[column].digits,
        Chart::Ratio => 2,
    };
    text + &format!(
        "<text class=\"figure\" x=\"{:.1}\" y=\"{middle}\">{}</text>\n",
        end(spread.most) + 8.0,
        grouped(spread.median, digits)
    )
}

fn figures(table: &Table) -> String {
    let mut text = String::from("<div class=\"scroll\"><table>\n<tr><th></th>");
    for column in &table.columns {
        text += &format!("<th>{}</th>", escape(column.title));
    }
    text += &format!("<th>{}</th></tr>\n", escape(table.ratio));
    for row in &table.rows {
        text += &line(table, row);
    }
    text + "</table></div>\n"
}

fn line(table: &Table, row: &Row) -> String {
    let own = if row.name == "squall" {
        " class=\"own\""
    } else {
        ""
    };
    let mut text = format!(
        "<tr{own}><th>{} <small>{}</small></th>",
        escape(&row.name),
        escape(&row.version)
    );
    if let Some(reason) = &row.failed {
        let columns = table.columns.len() + 1;
        return text
            + &format!(
                "<td class=\"failed\" colspan=\"{columns}\">failed: {}</td></tr>\n",
                escape(reason)
            );
    }
    for (column, cell) in table.columns.iter().zip(&row.cells) {
        text += &match cell {
            None => "<td>–</td>".to_owned(),
            Some(spread) => format!(
                "<td title=\"{} to {}\">{}</td>",
                grouped(spread.least, column.digits),
                grouped(spread.most, column.digits),
                grouped(spread.median, column.digits)
            ),
        };
    }
    let ratio = row
        .ratio
        .map_or("–".to_owned(), |ratio| format!("{:.2}", ratio.median));
    text + &format!("<td>{ratio}</td></tr>\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::sample;
    use super::*;

    #[test]
    fn what_a_server_answered_is_text_on_the_page() {
        let text = figures(&sample());
        assert!(text.contains("the first: &lt;b&gt;</td>"), "{text}");
        assert!(!text.contains("<b>"));
    }

    #[test]
    fn the_longest_bar_leaves_room_for_its_figure() {
        let text = drawing(&sample());
        assert!(text.contains("x2=\"630.0\""), "{text}");
        assert!(text.contains(">failed</text>"));
        assert!(text.contains("longer is better"));
    }
}
