//! The `Date` field (RFC 9110 §6.6.1), rendered once a second and thread.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache { second: None, value: None }) };
}

struct Cache {
    /// Second since 1970 for which `value` is right.
    second: Option<u64>,
    value: Option<HeaderValue>,
}

/// Returns the value for this moment; `None` if the system's clock is before 1970 or after 9999.
pub(crate) fn now() -> Option<HeaderValue> {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    CACHE.with_borrow_mut(|cache| {
        if cache.second != Some(second) {
            cache.second = Some(second);
            cache.value = render(second);
        }
        cache.value.clone()
    })
}

fn render(second: u64) -> Option<HeaderValue> {
    const YEAR_10000: u64 = 253_402_300_800;
    if second >= YEAR_10000 {
        return None;
    }
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_format_is_used_and_far_years_are_left_out() {
        let value = render(784_111_777).expect("a date of 1994");
        assert_eq!(value, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(render(253_402_300_799).is_some());
        assert!(render(253_402_300_800).is_none());
    }

    #[test]
    fn the_cached_value_is_that_of_its_second() {
        assert!(now().is_some());
        let (second, value) = CACHE.with_borrow(|cache| (cache.second, cache.value.clone()));
        assert_eq!(value, render(second.expect("rendered just now")));
    }
}
