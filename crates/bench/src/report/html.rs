//! For a browser: one page with its drawings in it, which asks no network for anything.

use super::{Better, Chart, Report, Row, Table, grouped};
use crate::spread::Spread;

const STYLE: &str = include_str!("page.css");
/// Of a drawing, in its own units.
const WIDTH: f64 = 760.0;
/// Of a letter of a label, roughly.
const LETTER: f64 = 7.0;
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
            body += &Drawing::new(table, table.chart, table.better).text();
            // Instructions repeat where rates swing, so they deserve a drawing too.
            if let Some(column) = table.columns.iter().position(|column| column.key == "user") {
                body += &Drawing::new(table, Chart::Column(column), Better::Less).text();
            }
            body += &figures(table);
            for note in &table.notes {
                body += &format!("<p class=\"note\">{}</p>\n", escape(note));
            }
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
struct Drawing<'a> {
    table: &'a Table,
    chart: Chart,
    better: Better,
    /// The width of the names on the left.
    labels: f64,
    /// Units for each unit of the figure.
    scale: f64,
}

impl<'a> Drawing<'a> {
    fn new(table: &'a Table, chart: Chart, better: Better) -> Self {
        let letters = table.rows.iter().map(|row| row.name.chars().count()).max();
        let labels = 20.0 + LETTER * letters.unwrap_or(0) as f64;
        let mut drawing = Self {
            table,
            chart,
            better,
            labels,
            scale: 0.0,
        };
        let longest = table
            .rows
            .iter()
            .filter_map(|row| drawing.drawn(row))
            .map(|spread| spread.most)
            .fold(0.0, f64::max);
        if longest > 0.0 {
            drawing.scale = (WIDTH - labels - FIGURES) / longest;
        }
        drawing
    }

    /// Nothing where there is nothing to draw.
    fn text(&self) -> String {
        if self.scale == 0.0 {
            return String::new();
        }
        let height = LINE * self.table.rows.len() as f64;
        let mut text = format!(
            "<figure>\n<figcaption>{0}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{0}\">\n",
            escape(&self.caption())
        );
        for (index, row) in self.table.rows.iter().enumerate() {
            text += &self.bar(row, index);
        }
        text + "</svg>\n</figure>\n"
    }

    fn caption(&self) -> String {
        let better = match self.better {
            Better::Less => "shorter is better",
            Better::More => "longer is better",
        };
        let what = match self.chart {
            Chart::Column(column) => self.table.columns[column].title,
            Chart::Ratio => self.table.ratio,
        };
        format!("{}: {what}, {better}", self.table.title)
    }

    fn drawn(&self, row: &Row) -> Option<Spread> {
        if row.failed.is_some() {
            return None;
        }
        match self.chart {
            Chart::Column(column) => row.cells[column],
            Chart::Ratio => row.ratio,
        }
    }

    fn bar(&self, row: &Row, index: usize) -> String {
        let left = self.labels;
        let top = LINE * index as f64;
        let middle = top + LINE / 2.0;
        let class = if row.name == "squall" { "own" } else { "other" };
        let mut text = format!(
            "<text class=\"label {class}\" x=\"{}\" y=\"{middle}\">{}</text>\n",
            left - 10.0,
            escape(&row.name)
        );
        let Some(spread) = self.drawn(row) else {
            let (class, word) = if row.failed.is_some() {
                ("failed", "failed")
            } else {
                ("none", "–")
            };
            text += &format!(
                "<text class=\"figure {class}\" x=\"{left}\" y=\"{middle}\">{word}</text>\n"
            );
            return text;
        };
        let end = |value: f64| left + value.max(0.0) * self.scale;
        text += &format!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" rx=\"2\"/>\n",
            top + 5.0,
            end(spread.median) - left,
            LINE - 10.0,
        );
        text += &format!(
            "<line class=\"spread\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\n",
            end(spread.least),
            end(spread.most),
        );
        let digits = match self.chart {
            Chart::Column(column) => self.table.columns[column].digits,
            Chart::Ratio => 2,
        };
        text + &format!(
            "<text class=\"figure\" x=\"{:.1}\" y=\"{middle}\">{}</text>\n",
            end(spread.most) + 8.0,
            grouped(spread.median, digits)
        )
    }
}

fn figures(table: &Table) -> String {
    let mut text = String::from("<div class=\"scroll\"><table>\n<tr><th></th>");
    let filled = table.filled();
    for column in &filled {
        text += &format!("<th>{}</th>", escape(table.columns[*column].title));
    }
    text += &format!("<th>{}</th></tr>\n", escape(table.ratio));
    for row in &table.rows {
        text += &line(table, row, &filled);
    }
    text + "</table></div>\n"
}

fn line(table: &Table, row: &Row, filled: &[usize]) -> String {
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
        let columns = filled.len() + 1;
        return text
            + &format!(
                "<td class=\"failed\" colspan=\"{columns}\">failed: {}</td></tr>\n",
                escape(reason)
            );
    }
    for index in filled {
        let (column, cell) = (&table.columns[*index], row.cells[*index]);
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
        let table = sample();
        let text = Drawing::new(&table, table.chart, table.better).text();
        assert!(text.contains("x2=\"630.0\""), "{text}");
        assert!(text.contains(">failed</text>"));
        assert!(text.contains("longer is better"));
    }
}
