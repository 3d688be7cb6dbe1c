//! The timeline in letters: a row for the loop, one for each thread of a pool.

use std::time::Duration;

use crate::event::{Span, Work};

/// How many letters a row has.
const COLUMNS: usize = 64;
const DROP: char = '╱';
const WATER: char = '─';
const BAR: char = '━';
const NOTHING: char = ' ';
const LOOP: &str = "the loop";

/// Draws what ran when, from the beginning of a run to `end`.
pub(super) fn draw(spans: &[Span], end: Duration) -> String {
    let rows = rows(spans, end);
    let width = rows.iter().map(|row| row.name.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for row in &rows {
        let letters: String = row.letters.iter().collect();
        text.push_str(&format!("{:width$}  {}\n", row.name, letters.trim_end()));
    }
    let last = format!("{end:.1?}");
    let axis = format!("0{last:>after$}", after = COLUMNS - 1);
    text.push_str(&format!("{:width$}  {axis}\n\n{}\n", "", summary(spans)));
    text
}

struct Row {
    name: String,
    letters: [char; COLUMNS],
}

impl Row {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            letters: [NOTHING; COLUMNS],
        }
    }
}

fn rows(spans: &[Span], end: Duration) -> Vec<Row> {
    let mut rows = vec![Row::new(LOOP)];
    for span in spans {
        let (name, letter) = match &span.work {
            Work::Pool { thread } => (thread.as_str(), BAR),
            Work::Run => (LOOP, DROP),
            Work::Wait => (LOOP, WATER),
        };
        let index = rows.iter().position(|row| row.name == name);
        let index = index.unwrap_or_else(|| {
            rows.push(Row::new(name));
            rows.len() - 1
        });
        let columns = column(span.from, end)..=column(span.to, end);
        for place in &mut rows[index].letters[columns] {
            // A drop is short and the water long, so the drop is what is seen of both.
            if *place != DROP {
                *place = letter;
            }
        }
    }
    rows
}

/// The column of a time; the last one for what lies beyond.
fn column(at: Duration, end: Duration) -> usize {
    let end = end.max(Duration::from_nanos(1));
    let share = at.as_secs_f64() / end.as_secs_f64();
    // Saturates, as floats do when they become integers.
    ((share * COLUMNS as f64) as usize).min(COLUMNS - 1)
}

fn summary(spans: &[Span]) -> String {
    let total = |wanted: fn(&Work) -> bool| {
        let chosen = spans.iter().filter(|span| wanted(&span.work));
        let times = chosen.map(|span| span.to.saturating_sub(span.from));
        times.fold((0, Duration::ZERO), |(count, sum), time| {
            (count + 1, sum + time)
        })
    };
    let (runs, ran) = total(|work| *work == Work::Run);
    let (_, waited) = total(|work| *work == Work::Wait);
    let (jobs, worked) = total(|work| matches!(work, Work::Pool { .. }));
    let times = |count: i32, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    };
    let mut text = format!(
        "{DROP} the loop ran {}, {ran:.1?} in all   {WATER} it waited {waited:.1?}",
        times(runs, "time")
    );
    if jobs > 0 {
        text.push_str(&format!(
            "   {BAR} pool: {}, {worked:.1?}",
            times(jobs, "job")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(work: Work, from: u64, to: u64) -> Span {
        Span {
            work,
            from: Duration::from_millis(from),
            to: Duration::from_millis(to),
            line: None,
        }
    }

    fn pool(name: &str) -> Work {
        Work::Pool {
            thread: name.to_owned(),
        }
    }

    #[test]
    fn drops_water_and_bars() {
        let spans = [
            span(Work::Run, 0, 1),
            span(Work::Wait, 1, 500),
            span(pool("pool-0"), 1, 500),
            span(Work::Run, 500, 501),
        ];
        let text = draw(&spans, Duration::from_millis(1000));
        let expected = format!(
            "the loop  ╱{}╱\npool-0    {}\n          0{:>63}\n\n╱ the loop ran 2 times, 2.0ms in all   ─ it waited 499.0ms   ━ pool: 1 job, 499.0ms\n",
            "─".repeat(31),
            "━".repeat(33),
            "1.0s"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn nothing_ran_at_no_time() {
        let text = draw(&[], Duration::ZERO);
        assert!(text.starts_with("the loop"), "{text}");
        assert_eq!(
            column(Duration::from_secs(9), Duration::from_secs(1)),
            COLUMNS - 1
        );
    }
}
