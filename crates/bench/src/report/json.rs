//! For programs.

use serde_json::{Map, Value, json};

use super::{Better, Report, Row, Table};

/// The whole report.
pub(crate) fn report(report: &Report) -> Value {
    let machine: Map<String, Value> = report
        .machine
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let left_out: Vec<Value> = report
        .left_out
        .iter()
        .map(|(server, reason)| json!({ "server": server, "reason": reason }))
        .collect();
    let suites: Vec<Value> = report
        .suites
        .iter()
        .map(|chapter| {
            json!({
                "name": chapter.suite.name,
                "measures": chapter.suite.measures,
                "audience": chapter.suite.audience,
                "rounds": chapter.rounds,
                "tables": chapter.tables.iter().map(table).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "date": report.date,
        "quick": report.quick,
        "rounds": report.rounds,
        "machine": machine,
        "notes": report.notes,
        "left_out": left_out,
        "suites": suites,
    })
}

fn table(table: &Table) -> Value {
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| json!({ "key": column.key, "title": column.title }))
        .collect();
    json!({
        "title": table.title,
        "better": match table.better {
            Better::Less => "less",
            Better::More => "more",
        },
        "columns": columns,
        "notes": table.notes,
        "rows": table.rows.iter().map(|one| row(table, one)).collect::<Vec<_>>(),
    })
}

fn row(table: &Table, row: &Row) -> Value {
    let cells: Map<String, Value> = table
        .columns
        .iter()
        .zip(&row.cells)
        // The figures of a server that answered wrongly are none.
        .filter(|_| row.failed.is_none())
        .filter_map(|(column, cell)| Some((column.key.to_owned(), (*cell)?.json())))
        .collect();
    json!({
        "name": row.name,
        "version": row.version,
        "failed": row.failed,
        "ratio": row.ratio.map(|ratio| ratio.json()),
        "cells": cells,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::sample;
    use super::*;

    #[test]
    fn who_failed_has_no_figures() {
        let value = table(&sample());
        assert_eq!(value["rows"][0]["cells"]["rate"]["median"], 2000.0);
        assert_eq!(value["rows"][1]["cells"], json!({}));
        assert!(value["rows"][1]["failed"].is_string());
    }
}
