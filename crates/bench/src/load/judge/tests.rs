use super::super::options;
use super::*;

fn judge(more: &[&str]) -> Judge {
    let words = ["--addr", "127.0.0.1:1"].iter().chain(more);
    let options = options::parse(words.map(|word| (*word).to_owned())).unwrap();
    Judge::new(&options.unwrap())
}

fn answer(date: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nServer: x\r\nDate: {date}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const FIRST: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Mon, 07 Nov 1994 00:00:01 GMT";

const fn right(used: usize) -> Verdict {
    Verdict::Right {
        used,
        closes: false,
    }
}

/// Judges `wire` in pieces that end at `cuts`, and the end of the connection: the first verdict that
/// is not `More`; `More` for an answer that is cut off.
fn judged(judge: &mut Judge, wire: &[u8], cuts: &[usize]) -> Verdict {
    let mut progress = Progress::default();
    let end = wire.len();
    let ends = cuts.iter().chain([&end]);
    for (from, to) in [0].iter().chain(cuts).zip(ends) {
        if from == to {
            continue;
        }
        match judge.take(0, &mut progress, &wire[*from..*to]) {
            Verdict::More => {}
            Verdict::Right { used, closes } => {
                assert!(!progress.begun());
                return Verdict::Right {
                    used: from + used,
                    closes,
                };
            }
            other => return other,
        }
    }
    judge.end(0, &mut progress).unwrap_or(Verdict::More)
}

fn why(verdict: Verdict) -> String {
    match verdict {
        Verdict::Wrong { why, .. } | Verdict::Broken { why } => why,
        other => panic!("expected a wrong answer, found {other:?}"),
    }
}

#[test]
fn right_answers_are_right_wherever_they_are_cut() {
    for date in [FIRST, LATER] {
        let wire = answer(date, "Hello, World!");
        let mut pipelined = wire.clone();
        pipelined += "HTTP";
        for first in 0..wire.len() {
            for second in first..wire.len() {
                let mut judge = judge(&[]);
                let learned = answer(FIRST, "Hello, World!");
                assert_eq!(
                    judged(&mut judge, learned.as_bytes(), &[first]),
                    right(learned.len())
                );
                assert_eq!(
                    judged(&mut judge, pipelined.as_bytes(), &[first, second]),
                    right(wire.len()),
                    "{date} cut at {first} and {second}"
                );
            }
        }
    }
}

#[test]
fn any_byte_that_differs_is_found() {
    let right_wire = answer(FIRST, "Hello, World!");
    let dates = right_wire.find(FIRST).unwrap();
    for at in 0..right_wire.len() {
        let mut wire = right_wire.clone().into_bytes();
        wire[at] ^= 2;
        // Digits and letters of a date may be others; spaces, commas and colons may not.
        let in_date = (dates..dates + 26).contains(&at);
        if in_date && right_wire.as_bytes()[at].is_ascii_alphanumeric() {
            continue;
        }
        for cut in [0, 1, 20, dates + 3, dates + 40, wire.len() - 1] {
            let mut judge = judge(&[]);
            judged(&mut judge, right_wire.as_bytes(), &[]);
            judged(&mut judge, right_wire.as_bytes(), &[]);
            let verdict = judged(&mut judge, &wire, &[cut]);
            // `More` is cut off: the head or the body has become longer.
            let found = !matches!(verdict, Verdict::Right { .. });
            // Spaces around a value and the case of a name are not part of the answer's meaning.
            let harmless = wire.eq_ignore_ascii_case(right_wire.as_bytes());
            assert!(found || harmless, "byte {at}, cut {cut}: {verdict:?}");
        }
    }
}

#[test]
fn wrong_answers_say_what_is_wrong() {
    for (wire, words) in [
        (
            answer(FIRST, "Hello, World?"),
            "body differs at byte 12 of 13: \"?\" instead of \"!\"",
        ),
        (answer(FIRST, "Hello"), "body has 5 bytes instead of 13"),
        (
            answer(FIRST, "Hello, World!").replace("200 OK", "500 Oh"),
            "status 500 instead of 200, body \"Hello, World!\"",
        ),
        (
            answer(FIRST, "Hello, World!").replace("200 OK", "200 Ok"),
            "status line \"HTTP/1.1 200 Ok\" instead of",
        ),
        (
            answer(FIRST, "Hello, World!").replace("Server: x", "Server: y"),
            "field server \"y\" where the first answer has server \"x\"",
        ),
        (
            answer(FIRST, "Hello, World!").replace("\r\n\r\n", "\r\nA: b\r\n\r\n"),
            "3 fields instead of 2",
        ),
        (answer("now", "Hello, World!"), "the date is malformed"),
    ] {
        let mut judge = judge(&[]);
        judged(&mut judge, answer(FIRST, "Hello, World!").as_bytes(), &[]);
        let found = why(judged(&mut judge, wire.as_bytes(), &[]));
        assert!(found.contains(words), "{found}");
    }
}

#[test]
fn the_first_answer_is_held_to_the_arguments() {
    let wire = answer(FIRST, "Hello");
    let mut strict = judge(&["--expect-status", "404"]);
    assert!(why(judged(&mut strict, wire.as_bytes(), &[])).contains("200 instead of 404"));
    let mut strict = judge(&[]);
    strict.body = Some(b"Hellas".to_vec());
    assert!(why(judged(&mut strict, wire.as_bytes(), &[])).contains("byte 4 of 6"));
    strict.body = Some(b"Hello".to_vec());
    assert_eq!(
        judged(&mut strict, wire.as_bytes(), &[]),
        right(wire.len()),
        "a wrong first answer teaches nothing"
    );
}

#[test]
fn the_same_body_in_other_chunks_is_right() {
    let chunked = |chunks: &str| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
    };
    let mut judge = judge(&[]);
    let first = chunked("5\r\nHello\r\n");
    let other = chunked("2\r\nHe\r\n3\r\nllo\r\n");
    for wire in [&first, &other, &first] {
        for cut in 0..wire.len() {
            assert_eq!(
                judged(&mut judge, wire.as_bytes(), &[cut]),
                right(wire.len())
            );
        }
    }
    let wrong = chunked("2\r\nHe\r\n3\r\nlla\r\n");
    assert!(why(judged(&mut judge, wrong.as_bytes(), &[])).contains("body differs at byte 4"));
}

#[test]
fn the_last_answer_of_a_connection_may_say_so() {
    let mut judge = judge(&["--vary", "X-Request-Id"]);
    let wire = |more: &str| format!("HTTP/1.1 200 OK\r\n{more}Content-Length: 0\r\n\r\n");
    judged(&mut judge, wire("X-Request-Id: 1\r\n").as_bytes(), &[]);
    let last = wire("X-Request-Id: 2\r\nConnection: close\r\n");
    assert_eq!(
        judged(&mut judge, last.as_bytes(), &[]),
        Verdict::Right {
            used: last.len(),
            closes: true
        }
    );
}

#[test]
fn answers_that_end_with_the_connection_are_read_to_their_end() {
    let mut judge = judge(&[]);
    for (body, correct) in [("all", true), ("all", true), ("al", false)] {
        let mut progress = Progress::default();
        let wire = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
        assert_eq!(judge.take(0, &mut progress, wire.as_bytes()), Verdict::More);
        assert!(progress.begun());
        match judge.end(0, &mut progress) {
            Some(Verdict::Right { .. }) => assert!(correct),
            Some(Verdict::Wrong { why, .. }) => assert!(!correct && why.contains("2 bytes")),
            other => panic!("{other:?}"),
        }
    }
    let mut progress = Progress::default();
    judge.take(0, &mut progress, b"HTTP/1.1 2");
    assert_eq!(progress.length(), 10);
    assert!(judge.end(0, &mut progress).is_none());
}

/// Takes `wire` in two pieces as a row of which `outstanding` answers are to come: how many were completed,
/// `None` when a piece is no part of a row.
fn row(judge: &Judge, outstanding: u32, wire: &[u8], cut: usize) -> Option<u32> {
    let mut progress = Progress::default();
    let mut count = 0;
    for piece in [&wire[..cut], &wire[cut..]] {
        if !piece.is_empty() {
            count += judge.take_row(&mut progress, outstanding - count, piece)?;
        }
    }
    (!progress.begun()).then_some(count)
}

#[test]
fn a_row_is_right_wherever_it_is_cut_and_wrong_with_any_other_byte() {
    let mut judge = judge(&["--pipeline", "3"]);
    let wire = answer(FIRST, "abc");
    let three = wire.repeat(3).into_bytes();
    assert_eq!(row(&judge, 3, &three, 0), None, "nothing is known yet");
    assert_eq!(judged(&mut judge, wire.as_bytes(), &[]), right(wire.len()));
    for cut in 0..three.len() {
        assert_eq!(row(&judge, 3, &three, cut), Some(3), "cut at {cut}");
        assert_eq!(row(&judge, 2, &three, cut), None, "one more than asked for");
        let mut other = three.clone();
        other[cut] ^= 1;
        assert_eq!(row(&judge, 3, &other, 0), None, "another byte {cut}");
        assert_eq!(row(&judge, 3, &other, cut), None, "another byte {cut}");
    }
}

#[test]
fn a_row_follows_the_date() {
    let mut judge = judge(&["--pipeline", "2"]);
    let (first, later) = (answer(FIRST, "abc"), answer(LATER, "abc"));
    judged(&mut judge, first.as_bytes(), &[]);
    let two = later.repeat(2).into_bytes();
    assert_eq!(row(&judge, 2, &two, 0), None);
    judged(&mut judge, later.as_bytes(), &[]);
    assert_eq!(row(&judge, 2, &two, 0), Some(2));
    assert_eq!(row(&judge, 2, first.repeat(2).as_bytes(), 0), None);
}

#[test]
fn answers_that_differ_or_end_the_connection_make_no_row() {
    let wire = answer(FIRST, "abc");
    let mut each_alone = judge(&["--close"]);
    judged(&mut each_alone, wire.as_bytes(), &[]);
    assert_eq!(row(&each_alone, 1, wire.as_bytes(), 0), None);
    let mut judge = judge(&[]);
    let closes = wire.replace("Server: x", "Connection: close");
    judged(&mut judge, closes.as_bytes(), &[]);
    assert_eq!(row(&judge, 1, closes.as_bytes(), 0), None);
}

/// As of a file that was written in the second of the first answer: one date moves on, and the other stays.
#[test]
fn the_date_is_found_by_its_name() {
    let answer = |date| {
        let head = "HTTP/1.1 200 OK\r\nLast-Modified: ".to_owned() + FIRST;
        format!("{head}\r\ndate: {date}\r\nContent-Length: 2\r\n\r\nok")
    };
    let mut judge = judge(&[]);
    let (first, later) = (answer(FIRST), answer(LATER));
    assert_eq!(
        judged(&mut judge, first.as_bytes(), &[]),
        right(first.len())
    );
    let place = judge.expected[0].date;
    assert_eq!(&first[place - 6..place], "date: ");
    assert_eq!(
        judged(&mut judge, later.as_bytes(), &[]),
        right(later.len())
    );
}
