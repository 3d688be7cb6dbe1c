//! For `docs/benchmarks.md` and the READMEs: text between markers is rewritten, the rest of a page stays.
//!
//! A section begins with the line `<!-- bench:NAME -->` and ends with `<!-- bench:end -->`. Its name is that of a
//! suite, `run` (when, where and how it was measured) or `summary` (one row for each server). What a run did
//! not measure stays as it is, with its own date.

use super::{Chapter, Report, Row, Table, capital, grouped, terminal};

const END: &str = "<!-- bench:end -->";
/// The columns of the summary: suite, column of its table, title.
const SUMMARY: [(&str, &str, &str); 6] = [
    ("plaintext", "user", "plaintext"),
    ("pipelined", "user", "16 pipelined"),
    ("json", "user", "JSON"),
    ("post_json", "user", "POST of 1 KiB of JSON"),
    ("routing", "user", "1,000 routes"),
    ("idle_memory", "private", "bytes of an idle connection"),
];

/// `page` with what `report` knows.
///
/// # Errors
///
/// A sentence: the page has no section, or one without an end.
pub(crate) fn refresh(page: &str, report: &Report) -> Result<String, String> {
    let mut lines = page.lines();
    let mut out = String::new();
    let mut sections = 0;
    while let Some(line) = lines.next() {
        out += line;
        out += "\n";
        let Some(name) = opened(line) else {
            continue;
        };
        sections += 1;
        let mut old = String::new();
        loop {
            match lines.next() {
                Some(END) => break,
                Some(line) if opened(line).is_none() => old = old + line + "\n",
                _ => return Err(format!("the section `{name}` has no line `{END}`")),
            }
        }
        match section(name, report) {
            Some(text) => out += &format!("\n{}\n\n", text.trim()),
            None => out += &old,
        }
        out += END;
        out += "\n";
    }
    if sections == 0 {
        return Err("there is no section to write to: no line `<!-- bench:NAME -->`".to_owned());
    }
    Ok(out)
}

fn opened(line: &str) -> Option<&str> {
    let name = line.strip_prefix("<!-- bench:")?.strip_suffix(" -->")?;
    (name != "end").then_some(name)
}

/// `None` when it was not measured.
fn section(name: &str, report: &Report) -> Option<String> {
    match name {
        "run" => Some(run(report)),
        "summary" => summary(report),
        _ => {
            let chapter = find(report, name)?;
            Some(text(report, chapter))
        }
    }
}

fn find<'a>(report: &'a Report, name: &str) -> Option<&'a Chapter> {
    let mut chapters = report.suites.iter();
    chapters.find(|chapter| chapter.suite.name == name)
}

fn run(report: &Report) -> String {
    let mut text = format!("- date: {}\n", report.date);
    for (name, value) in &report.machine {
        text += &format!("- {name}: {value}\n");
    }
    text += &format!("- rounds: {}\n", rounds(report, report.rounds));
    for note in &report.notes {
        text += &format!("- {note}\n");
    }
    for (server, reason) in &report.left_out {
        text += &format!("- {server} is left out: {reason}\n");
    }
    text
}

fn rounds(report: &Report, rounds: usize) -> String {
    let quick = if report.quick { ", quick" } else { "" };
    format!("{rounds}, alternating{quick}; medians")
}

fn text(report: &Report, chapter: &Chapter) -> String {
    let mut text = format!(
        "{}, for {}. Measured on {}; rounds: {}.\n",
        capital(chapter.suite.measures),
        chapter.suite.audience,
        report.date,
        rounds(report, chapter.rounds)
    );
    for table in &chapter.tables {
        if table.title != chapter.suite.name {
            text += &format!("\n**{}**\n", table.title);
        }
        text += &format!("\n{}", terminal::body(table));
    }
    text
}

/// A row for each server and a column for each suite; `None` when one of them is missing.
fn summary(report: &Report) -> Option<String> {
    let columns: Vec<(&Table, &str)> = SUMMARY
        .iter()
        .map(|(suite, key, _)| Some((find(report, suite)?.tables.first()?, *key)))
        .collect::<Option<_>>()?;
    let (first, _) = columns.first()?;
    let mut text = String::from("| instructions in user space for a request |");
    for (_, _, title) in &SUMMARY {
        text += &format!(" {title} |");
    }
    text += &format!("\n|---|{}\n", "--:|".repeat(SUMMARY.len()));
    for row in &first.rows {
        text += &format!("| {} |", format!("{} {}", row.name, row.version).trim());
        for (table, key) in &columns {
            text += &format!(" {} |", cell(table, key, &row.name));
        }
        text += "\n";
    }
    Some(text)
}

fn cell(table: &Table, key: &str, server: &str) -> String {
    let column = table.columns.iter().position(|column| column.key == key);
    let row = table.rows.iter().find(|row| row.name == server);
    let figure = |row: &Row, column: usize| {
        let spread = row.cells[column].filter(|_| row.failed.is_none())?;
        Some(grouped(spread.median, table.columns[column].digits))
    };
    row.zip(column)
        .and_then(|(row, column)| figure(row, column))
        .unwrap_or("–".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{report, sample};
    use super::*;

    const PAGE: &str = "\
# Page
<!-- bench:run -->
<!-- bench:end -->
between
<!-- bench:plaintext -->
old
<!-- bench:end -->
<!-- bench:json -->
kept
<!-- bench:end -->
after
";

    #[test]
    fn what_was_measured_is_rewritten_and_nothing_else() {
        let page = refresh(PAGE, &report(&["plaintext"])).unwrap();
        assert!(
            page.starts_with("# Page\n<!-- bench:run -->\n\n- date: 2026-11-25\n- memory: 1 GiB\n")
        );
        assert!(page.contains("\nbetween\n") && page.ends_with("\nafter\n"));
        assert!(!page.contains("old") && page.contains("| squall 0.1.0 | 2,000 ±25% |"));
        assert!(page.contains("<!-- bench:json -->\nkept\n<!-- bench:end -->"));
        let again = refresh(&page, &report(&["plaintext"])).unwrap();
        assert_eq!(again, page);
    }

    #[test]
    fn a_summary_needs_all_its_suites() {
        assert_eq!(summary(&report(&["plaintext", "json"])), None);
        let suites = SUMMARY.map(|(suite, _, _)| suite);
        let text = summary(&report(&suites)).unwrap();
        assert!(text.contains("| squall 0.1.0 | – | – |"), "{text}");
        assert_eq!(cell(&sample(), "rate", "squall"), "2,000");
        assert_eq!(cell(&sample(), "rate", "other"), "–", "it failed");
    }

    #[test]
    fn a_page_without_sections_or_with_an_open_one_is_refused() {
        let report = report(&[]);
        assert!(refresh("# Page\n", &report).is_err());
        let open = PAGE.replacen("<!-- bench:end -->", "", 1);
        assert!(refresh(&open, &report).unwrap_err().contains("`run`"));
    }
}
