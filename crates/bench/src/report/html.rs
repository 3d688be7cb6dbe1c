//! For a browser: one page with its drawings in it, which asks no network for anything.

use super::{Better, Chart, Report, Row, Table, capital, grouped};
use crate::spread::Spread;

const STYLE: &str = include_str!("page.css");
/// How many times longer than the middle one a bar may be, where the shorter are better.
const CUT: f64 = 4.0;

/// The whole page.
pub(crate) fn report(report: &Report) -> String {
    let mut body = format!(
        "<h1>Squall beside its peers</h1>\n<p class=\"lead\">{}, medians of alternating rounds{}.</p>\n",
        escape(&report.date),
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
            "<section id=\"{0}\">\n<h2>{0}</h2>\n<p>{1}.<br><span class=\"for\">For {2}. Rounds: {3}.</span></p>\n",
            escape(suite.name),
            escape(&capital(suite.measures)),
            escape(suite.audience),
            chapter.rounds,
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
    /// What fills the track: the most of all rounds, or where the bars are cut.
    longest: f64,
}

impl<'a> Drawing<'a> {
    fn new(table: &'a Table, chart: Chart, better: Better) -> Self {
        let mut drawing = Self {
            table,
            chart,
            better,
            longest: 0.0,
        };
        let drawn = || table.rows.iter().filter_map(|row| drawing.drawn(row));
        let most = drawn().map(|spread| spread.most).fold(0.0, f64::max);
        let middle = Spread::of(drawn().map(|spread| spread.median));
        drawing.longest = match (better, middle) {
            // One that needs a hundred times as much would leave nothing to see of the others.
            (Better::Less, Some(middle)) if middle.median > 0.0 => most.min(CUT * middle.median),
            _ => most,
        };
        drawing
    }

    /// Nothing where there is nothing to draw.
    fn text(&self) -> String {
        if self.longest == 0.0 {
            return String::new();
        }
        let mut text = format!(
            "<figure>\n<figcaption>{}</figcaption>\n<div class=\"chart\">\n",
            escape(&self.caption())
        );
        for row in &self.table.rows {
            text += &self.bar(row);
        }
        text + "</div>\n</figure>\n"
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

    fn bar(&self, row: &Row) -> String {
        let own = if row.name == "squall" { " own" } else { "" };
        let name = format!("<span class=\"name{own}\">{}</span>", escape(&row.name));
        let Some(spread) = self.drawn(row) else {
            let (class, word) = if row.failed.is_some() {
                (" failed", "failed")
            } else {
                ("", "–")
            };
            return format!("{name}<span></span><span class=\"value{class}\">{word}</span>\n");
        };
        let share = |value: f64| (100.0 * value.max(0.0) / self.longest).min(100.0);
        let cut = if spread.median > self.longest {
            " cut"
        } else {
            ""
        };
        let (least, most) = (share(spread.least), share(spread.most));
        let digits = match self.chart {
            Chart::Column(column) => self.table.columns[column].digits,
            Chart::Ratio => 2,
        };
        format!(
            "{name}<span class=\"track\"><i class=\"bar{own}{cut}\" style=\"width:{:.1}%\"></i>\
             <i class=\"spread\" style=\"left:{least:.1}%;width:{:.1}%\"></i></span>\
             <span class=\"value\">{}</span>\n",
            share(spread.median),
            most - least,
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
    fn the_longest_round_fills_the_track() {
        let table = sample();
        let text = Drawing::new(&table, table.chart, table.better).text();
        assert!(text.contains("width:80.0%"), "{text}");
        assert!(text.contains("left:60.0%;width:40.0%"), "{text}");
        assert!(text.contains(">failed</span>"));
        assert!(text.contains("longer is better"));
    }

    #[test]
    fn a_bar_that_dwarfs_the_others_is_cut() {
        let mut table = sample();
        table.rows[1].failed = None;
        for (row, value) in table.rows.iter_mut().zip([10.0, 10.0]) {
            row.cells[0] = Spread::of([value]);
        }
        let far = Row {
            name: "far".to_owned(),
            version: String::new(),
            cells: vec![Spread::of([4000.0]), None],
            ratio: None,
            failed: None,
        };
        table.rows.push(far);
        let text = Drawing::new(&table, table.chart, Better::Less).text();
        assert!(text.contains("bar cut\" style=\"width:100.0%"), "{text}");
        assert!(text.contains("bar own\" style=\"width:25.0%"), "{text}");
    }
}
