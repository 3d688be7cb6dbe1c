//! The requests of a case: as exchanges for counting, and as files for the load program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::exchange::Exchange;
use crate::process;
use crate::servers::Setting;
use crate::suite::{Case, Route};
use crate::wire::{
    BROADCAST, BROADCAST_JSON, Customer, HELLO, Line, MESSAGE, Order, Post, item, receipt,
};

/// How many routes there are when routing is asked for.
const ROUTES: usize = 1000;
/// The parameter of every request for a route.
const ID: u64 = 42;
/// Bytes of the file.
const FILE_BYTES: usize = 1 << 20;
/// Seconds that one broadcast may take.
const SLOWEST_BROADCAST: &str = "50";
/// Bytes of what is posted.
const POSTED_BYTES: usize = 1024;

/// A request in parts.
#[derive(Debug)]
struct Question {
    method: &'static str,
    path: String,
    posted: Option<Vec<u8>>,
    status: u16,
    body: Option<Vec<u8>>,
}

impl Question {
    fn get(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            posted: None,
            status: 200,
            body: Some(body.into()),
        }
    }

    /// With the headers that the load program sends too, so that both cost a server the same.
    fn exchange(&self, close: bool) -> Exchange {
        let mut request = format!(
            "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n",
            self.method, self.path
        );
        if close {
            request += "Connection: close\r\n";
        }
        let posted = self.posted.as_deref().unwrap_or_default();
        if self.posted.is_some() {
            request += "Content-Type: application/json\r\n";
            request += &format!("Content-Length: {}\r\n", posted.len());
        }
        request += "\r\n";
        Exchange {
            request: [request.as_bytes(), posted].concat(),
            status: self.status,
            body: self.body.clone(),
        }
    }
}

/// What a case asks for, in turn.
pub(crate) fn of(case: &Case) -> Vec<Exchange> {
    let exchange = |question: &Question| question.exchange(case.close);
    questions(case.route).iter().map(exchange).collect()
}

/// How a server is to be started for a case, with the files in `work`.
pub(crate) fn setting(case: &Case, work: &Path) -> io::Result<Setting> {
    let mut setting = Setting::default();
    match case.route {
        Route::Routing => setting.routes = ROUTES,
        Route::File => {
            let path = work.join("file");
            fs::write(&path, file())?;
            setting.file = Some(path);
        }
        Route::Tls => {
            let folder = work.join("tls");
            certificate(&folder)?;
            setting.tls = Some(folder);
        }
        Route::Block
        | Route::Broadcast
        | Route::BroadcastDeflated
        | Route::BroadcastJson
        | Route::Echo
        | Route::EchoDeflated
        | Route::Loop
        | Route::Json
        | Route::Plaintext
        | Route::PostJson
        | Route::PostMessage
        | Route::PostNote => {}
    }
    Ok(setting)
}

/// A certificate for this machine, in `folder`.
fn certificate(folder: &Path) -> io::Result<()> {
    if folder.join("cert.pem").exists() {
        return Ok(());
    }
    process::undisturbed(|| fs::create_dir_all(folder))?;
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    fs::write(folder.join("key.pem"), made.key_pair.serialize_pem())?;
    fs::write(folder.join("cert.pem"), made.cert.pem())
}

/// Bytes that do not repeat soon, and no two machines have others.
fn file() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..FILE_BYTES / 8)
        .flat_map(|_| next().to_le_bytes())
        .collect()
}

/// What a server must also answer rightly to take part in a case: that a route which is not there is
/// not found shows that the others are looked for.
pub(crate) fn probes(case: &Case) -> Vec<Exchange> {
    let mut probes: Vec<Exchange> = of(case).into_iter().step_by(97).collect();
    if case.route == Route::Routing {
        let missing = Question {
            status: 404,
            body: None,
            ..Question::get(path(ROUTES), Vec::new())
        };
        probes.push(missing.exchange(true));
    }
    probes
}

fn questions(route: Route) -> Vec<Question> {
    match route {
        Route::Plaintext | Route::Tls => vec![Question::get("/plaintext", HELLO)],
        Route::File => vec![Question::get("/file", file())],
        Route::Block => vec![Question::get("/block/0", "done")],
        Route::Loop => vec![Question {
            body: None,
            ..Question::get("/loop", Vec::new())
        }],
        Route::Json => vec![Question::get("/json", encoded(&MESSAGE))],
        Route::PostJson => {
            let order = encoded(&order());
            vec![Question {
                method: "POST",
                posted: Some(order.clone()),
                ..Question::get("/json", order)
            }]
        }
        Route::PostMessage => vec![posting(&post())],
        Route::PostNote => vec![posting(&note())],
        // What is said over WebSockets is no request; the load program has its own words for it.
        Route::Broadcast
        | Route::BroadcastDeflated
        | Route::BroadcastJson
        | Route::Echo
        | Route::EchoDeflated => Vec::new(),
        Route::Routing => (0..ROUTES)
            .map(|n| Question::get(path(n), item(ID)))
            .collect(),
    }
}

fn posting(post: &Post) -> Question {
    Question {
        method: "POST",
        posted: Some(encoded(post)),
        ..Question::get("/messages", encoded(&receipt(post)))
    }
}

fn path(n: usize) -> String {
    format!("/route/{n}/item/{ID}")
}

fn encoded(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the types of the wire serialize")
}

/// A message of exactly [`POSTED_BYTES`] as JSON.
fn post() -> Post {
    let text = "Short report from the migration, since some of you asked:\n\
        - all 41 rooms are on the new store since 09:20, and nobody had to sign in again\n\
        - Søren's script says \"0 messages lost\", and I counted three rooms by hand to be sure\n\
        - reading is faster than before, writing about the same; the graphs are in the usual place\n\
        - the two old machines stay until Friday, in case we want to compare something\n\
        What is left: the search index is being built and will need until tonight, so older messages may not be found \
        until then. Please do not restart it, it begins from the start when you do. And the café list is still \
        from last year; whoever goes there first, take a picture of the new one. \
        I will write again when the index is complete, and tomorrow at ten we can go through what went well and \
        what did not. Thanks to everybody who stayed late on Tuesday, that was the hard part 🎉";
    let mut post = Post {
        id: 7_216_004_551_202_816,
        room: "operations".to_owned(),
        author: Some("Ada Márquez".to_owned()),
        sent: Some(1_764_061_200_123),
        reply_to: Some(7_216_004_550_990_331),
        text: text.to_owned(),
    };
    let missing = POSTED_BYTES.saturating_sub(encoded(&post).len());
    post.text += &".".repeat(missing);
    post
}

/// A message of exactly [`POSTED_BYTES`] with only what it needs: one text in ASCII without line ends or quotations.
fn note() -> Post {
    let text = "Short report from the migration, since some of you asked: all 41 rooms are on the new store since 09:20, \
        and nobody had to sign in again. The test of the afternoon counted every message, none was lost, and I counted \
        three rooms by hand to be sure. Reading is faster than before, writing about the same; the graphs are in the \
        usual place. The two old machines stay until Friday, in case we want to compare something. What is left: the \
        search index is being built and will need until tonight, so older messages may not be found until then. Please \
        do not restart it, it begins from the start when you do. And the list for lunch is still from last year; whoever \
        goes there first, take a picture of the new one. I will write again when the index is complete, and tomorrow at \
        ten we can go through what went well and what did not. Thanks to everybody who stayed late on Tuesday, that was \
        the hard part, and it is done now. Ask me if a room looks odd to you.";
    let mut post = Post {
        id: 41_827,
        room: "operations".to_owned(),
        author: None,
        sent: None,
        reply_to: None,
        text: text.to_owned(),
    };
    let missing = POSTED_BYTES.saturating_sub(encoded(&post).len());
    post.text += &".".repeat(missing);
    post
}

/// An order of exactly [`POSTED_BYTES`] as JSON.
fn order() -> Order {
    let line = |n: u32| Line {
        article: format!("Sturmlaterne Nr. {n}, verzinkt"),
        count: n * 3 + 1,
        cents: 1_999 + i64::from(n) * 250,
    };
    let mut order = Order {
        id: 9_007_199_254_740_991,
        paid: true,
        customer: Customer {
            name: "Søren Ångström".to_owned(),
            email: Some("soren@example.org".to_owned()),
            tags: ["wholesale", "net-30", "north"].map(str::to_owned).to_vec(),
        },
        lines: (0..8).map(line).collect(),
        note: "Please ring \"twice\".\nLeave it at the door.".to_owned(),
    };
    let missing = POSTED_BYTES.saturating_sub(encoded(&order).len());
    order.note += &".".repeat(missing);
    order
}

/// The options that make the load program ask for a case; its files are written to `folder`.
pub(crate) fn options(case: &Case, folder: &Path) -> io::Result<Vec<String>> {
    if case.route.is_websocket() {
        return socket_options(case, folder);
    }
    let questions = questions(case.route);
    let first = questions.first().expect("every route has a question");
    let mut options: Vec<String> = vec![
        "--method".to_owned(),
        first.method.to_owned(),
        "--expect-status".to_owned(),
        first.status.to_string(),
    ];
    let mut file = |option: &str, name: &str, bytes: &[u8]| -> io::Result<()> {
        let path: PathBuf = folder.join(name);
        fs::write(&path, bytes)?;
        options.push(option.to_owned());
        options.push(path.display().to_string());
        Ok(())
    };
    if let Some(body) = &first.body {
        file("--expect-body-file", "expected", body)?;
    }
    if let Some(posted) = &first.posted {
        file("--body-file", "posted", posted)?;
    }
    if questions.len() > 1 {
        let paths: Vec<&str> = questions.iter().map(|one| one.path.as_str()).collect();
        file(
            "--paths-file",
            "paths",
            (paths.join("\n") + "\n").as_bytes(),
        )?;
    } else {
        options.extend(["--path".to_owned(), first.path.clone()]);
    }
    if first.posted.is_some() {
        options.extend(["--content-type".to_owned(), "application/json".to_owned()]);
    }
    Ok(options)
}

/// Where WebSockets of a route are.
pub(crate) fn socket_path(route: Route) -> &'static str {
    match route {
        Route::Broadcast => "/broadcast",
        Route::BroadcastDeflated | Route::BroadcastJson => "/broadcast-json",
        _ => "/echo",
    }
}

fn socket_options(case: &Case, folder: &Path) -> io::Result<Vec<String>> {
    let mut options: Vec<String> = Vec::new();
    let mut add = |name: &str, value: &str| options.extend([name.to_owned(), value.to_owned()]);
    add("--path", socket_path(case.route));
    let message = match case.route {
        Route::Broadcast => Some(BROADCAST),
        Route::BroadcastDeflated | Route::BroadcastJson => Some(BROADCAST_JSON),
        _ => None,
    };
    if let Some(message) = message {
        let path = folder.join("expected");
        fs::write(&path, message)?;
        add("--websocket", "broadcast");
        add("--expect-body-file", &path.display().to_string());
        add("--publish", &case.fan.publish.to_string());
        add("--stalled", &case.fan.stalled.to_string());
        // Slow servers take seconds for one broadcast, and are to be measured, not failed.
        add("--timeout", SLOWEST_BROADCAST);
    } else {
        add("--websocket", "echo");
    }
    if matches!(case.route, Route::BroadcastDeflated | Route::EchoDeflated) {
        options.push("--deflate".to_owned());
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_a_kibibyte_and_comes_back_as_it_went() {
        let bytes = encoded(&order());
        assert_eq!(bytes.len(), POSTED_BYTES);
        let parsed: Order = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(parsed, order());
    }

    #[test]
    fn the_message_is_a_kibibyte_of_mostly_text_and_its_receipt_is_as_short_as_the_suite_says() {
        let bytes = encoded(&post());
        assert_eq!(bytes.len(), POSTED_BYTES);
        let parsed: Post = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(parsed, post());
        let dots = parsed.text.len() - parsed.text.trim_end_matches('.').len();
        assert!(dots < 40, "{dots} of padding");
        assert_eq!(encoded(&receipt(&parsed)).len(), 36);
    }

    #[test]
    fn the_note_is_a_kibibyte_of_plain_text() {
        let bytes = encoded(&note());
        assert_eq!(bytes.len(), POSTED_BYTES);
        assert!(bytes.is_ascii() && !bytes.contains(&b'\\'));
        let parsed: Post = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(parsed, note());
        let dots = parsed.text.len() - parsed.text.trim_end_matches('.').len();
        assert!(dots < 40, "{dots} of padding");
    }

    #[test]
    fn a_posted_question_is_framed() {
        let case = Case::rate("x", Route::PostJson);
        let exchanges = of(&case);
        let text = String::from_utf8(exchanges[0].request.clone()).unwrap();
        assert!(text.starts_with("POST /json HTTP/1.1\r\nHost: 127.0.0.1\r\n"));
        assert!(text.contains("\r\nContent-Length: 1024\r\n\r\n{\"id\":"));
    }

    #[test]
    fn the_messages_to_all_have_their_sizes_and_a_number() {
        assert_eq!((BROADCAST.len(), BROADCAST_JSON.len()), (64, 1024));
        let second = crate::wire::numbered(BROADCAST, 0x1f);
        assert!(second.starts_with("{\"seq\":\"000000000000001f\""));
        let parsed: serde_json::Value = serde_json::from_str(BROADCAST_JSON).unwrap();
        assert_eq!(parsed["seq"], crate::wire::ZEROS);
        assert_eq!(crate::wire::published("publish:16"), Some(16));
        assert_eq!(crate::wire::published("publish it"), None);
    }

    #[test]
    fn routing_asks_for_every_route_and_probes_one_that_is_missing() {
        let case = Case::rate("x", Route::Routing);
        assert_eq!(of(&case).len(), ROUTES);
        assert_eq!(probes(&case).last().map(|probe| probe.status), Some(404));
    }
}
