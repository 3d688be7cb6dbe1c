//! What programs make of their arguments, good and bad.

use std::fs;

use squall_examples::LocalSite;

use crate::source::{done_callback, parallel, run_sync, thread_pool};
use crate::support::{folder, free_port, play};

#[test]
fn a_given_page_is_fetched() {
    let site = LocalSite::start().unwrap();
    let url = site.url("/slow/1");
    let played = play(done_callback::run, &[&url]);
    assert_eq!(played.error, None);
    assert!(
        played.lines.contains(&format!("url: {url}")),
        "{:#?}",
        played.lines
    );
}

#[test]
fn one_given_page_makes_a_pair() {
    let site = LocalSite::start().unwrap();
    let url = site.url("/page/mist");
    let played = play(parallel::run, &[&url]);
    assert_eq!(played.error, None);
    let whole = format!("{url}: 200 OK");
    let times = played.lines.iter().filter(|line| **line == whole).count();
    assert_eq!(times, 3 + 2, "{:#?}", played.lines);
    assert!(
        played.lines.contains(&"mist: 200 OK".to_owned()),
        "{:#?}",
        played.lines
    );
}

#[test]
fn a_refused_connection_is_told() {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}/");
    for run in [done_callback::run, parallel::run] {
        let played = play(run, &[&url]);
        let error = played.failure();
        assert!(
            error.contains(&address) && error.contains("refused"),
            "{error}"
        );
    }
}

#[test]
fn the_callback_runs_also_when_the_fetch_fails() {
    let url = format!("http://127.0.0.1:{}/", free_port());
    let lines = play(done_callback::run, &[&url]).lines;
    assert_eq!(lines.first().unwrap(), "start");
    assert_eq!(lines[2..], ["callback", "no page", "end"]);
}

#[test]
fn a_bad_url_is_told() {
    for url in ["not a url", "http://", "ftp://127.0.0.1/", ""] {
        let played = play(done_callback::run, &[url]);
        assert!(!played.failure().is_empty(), "{url}");
    }
}

#[test]
fn a_bad_number_of_seconds_is_told() {
    for arg in ["x", "-1", "1.5", "61", ""] {
        let played = play(thread_pool::run, &[arg]);
        let told = format!("expected whole seconds from 0 to 60, found `{arg}`");
        assert_eq!(played.failure(), told);
    }
}

#[test]
fn a_bad_database_address_is_told() {
    let played = play(run_sync::run, &["postgres://me:secret@127.0.0.1/"]);
    let error = played.failure();
    assert!(
        error.contains("`postgres://`") && !error.contains("secret"),
        "{error}"
    );
    assert!(
        play(run_sync::run, &[""])
            .failure()
            .contains("found nothing")
    );
}

#[test]
fn a_file_that_cannot_be_a_database_is_told() {
    let folder = folder("a_file_that_cannot_be_a_database");
    let missing = folder.join("missing").join("tags.sqlite");
    let text = folder.join("text");
    fs::write(
        &text,
        "a text, longer than what any header may be, is no database\n".repeat(20),
    )
    .unwrap();
    for (path, cause) in [
        (&missing, "unable to open database file"),
        (&folder, "unable to open database file"),
        (&text, "file is not a database"),
    ] {
        let path = path.to_str().unwrap();
        let played = play(run_sync::run, &[path]);
        let error = played.failure();
        assert!(error.contains(path) && error.contains(cause), "{error}");
    }
    assert_eq!(
        fs::read_to_string(&text).unwrap().lines().count(),
        20,
        "left alone"
    );
}

#[cfg(not(feature = "mongodb"))]
#[test]
fn without_the_driver_it_says_how_to_get_it() {
    let played = play(run_sync::run, &["mongodb://me:secret@127.0.0.1/"]);
    let error = played.failure();
    assert!(
        error.contains("--features mongodb") && !error.contains("secret"),
        "{error}"
    );
}
