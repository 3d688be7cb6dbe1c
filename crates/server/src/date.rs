//! The `Date` field (RFC 9110 §6.6.1), rendered once a second and thread.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_http::DateLine;
use squall_http::h1::UsualHead;
use squall_ioloop::clock;

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache { second: u64::MAX, head: None }) };
    /// The loop's round in which the clock was looked at.
    static ROUND: Cell<u64> = const { Cell::new(0) };
}

struct Cache {
    /// Second since 1970 for which `head` is right.
    second: u64,
    head: Option<UsualHead>,
}

/// Looks at the clock, once in a round of the loop, for all answers until the next look.
pub(crate) fn refresh() {
    let round = clock::round();
    if ROUND.replace(round) == round && round != 0 {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let second = now.map_or(u64::MAX, |now| now.as_secs());
    CACHE.with_borrow_mut(|cache| {
        if cache.second != second {
            cache.second = second;
            cache.head = render(second).map(UsualHead::new);
        }
    });
}

/// Lends the heads for the last look; `None` if the system's clock is before 1970 or after 9999.
pub(crate) fn with_head<R>(work: impl FnOnce(Option<&mut UsualHead>) -> R) -> R {
    CACHE.with_borrow_mut(|cache| work(cache.head.as_mut()))
}

fn render(second: u64) -> Option<DateLine> {
    const YEAR_10000: u64 = 253_402_300_800;
    if second >= YEAR_10000 {
        return None;
    }
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
    DateLine::new(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_format_is_used_and_far_years_are_left_out() {
        let line = render(784_111_777).expect("a date of 1994");
        assert_eq!(line.as_bytes(), b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
        assert!(render(253_402_300_799).is_some());
        assert!(render(253_402_300_800).is_none());
    }

    #[test]
    fn the_cached_line_is_that_of_its_second() {
        refresh();
        let second = CACHE.with_borrow(|cache| cache.second);
        let line = with_head(|head| head.map(|head| *head.date()));
        assert!(line.is_some());
        assert_eq!(line, render(second));
    }
}
