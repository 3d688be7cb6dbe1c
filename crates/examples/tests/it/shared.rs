//! The shared helpers.

use std::net::TcpStream;

use squall::IoLoop;
use squall_examples::{Countdown, LocalSite, Pages, say};

use crate::support::play;

#[test]
fn a_countdown_says_so_and_stops_after_the_last_callback() {
    let played = play(
        |_| {
            let countdown = Countdown::of(3)?;
            for n in 1..=5 {
                let counted = countdown.clone();
                countdown.io_loop().call_later(
                    std::time::Duration::from_millis(n * 20),
                    move || {
                        say!("{n}");
                        counted.count();
                    },
                );
            }
            countdown.start();
            Ok(())
        },
        &[],
    );
    let said = "(the loop starts, and stops after 3 callbacks)";
    assert_eq!(played.lines, [said, "1", "2", "3"]);
}

#[test]
fn a_countdown_of_none_runs_one_turn() {
    let countdown = Countdown::of(0).unwrap();
    countdown.start();
}

#[test]
fn a_countdown_takes_the_loop_of_its_thread() {
    let io_loop = IoLoop::new().unwrap();
    assert_eq!(Countdown::of(1).unwrap().io_loop(), &io_loop);
}

#[test]
fn a_site_stops_when_it_is_dropped() {
    let site = LocalSite::start().unwrap();
    let url = site.url("");
    let address = url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).unwrap();
    drop(site);
    TcpStream::connect(address).unwrap_err();
}

#[test]
fn pages_are_those_of_a_site_that_lives_as_long() {
    let pages = Pages::of(&[], &["/", "/page/a"]).unwrap();
    let [first, second] = pages.urls() else {
        panic!("two pages: {pages:?}");
    };
    assert!(second.ends_with("/page/a"));
    let address = first
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    TcpStream::connect(&address).unwrap();
    drop(pages);
    TcpStream::connect(&address).unwrap_err();
}
