//! The page as a web application: its files, and the patterns, each run at a POST and told as it happens.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;
use squall::ioloop::{Signal, locks};
use squall::web::sse::{self, EventStream};
use squall::web::{Html, HttpError};
use squall::{Application, HttpServer, IoLoop, Json, Path, Query, State, with_timeout};
use squall_examples::causes;

use crate::event::{Event, Omitted};
use crate::guard::Guard;
use crate::page::{self, Language};
use crate::patterns::{self, Input, Pattern};
use crate::show::{AT_ONCE, NotStarted, Show, Stage};
use crate::{log, terminal};

/// How long a pattern may run on the page. Then it is stopped, and the visitor told.
const LIMIT: Duration = Duration::from_secs(60);
/// How long those who watch get to see the end when the tour is asked to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How many words an input may have, and how many bytes each. More is a 400.
const WORDS: usize = 16;
const WORD: usize = 2_000;
/// How long a request's body may be, in bytes. More is a 413.
const BODY: usize = 64 * 1024;

/// A type of the page's files and the file.
type File = ([(&'static str, &'static str); 1], &'static str);

macro_rules! file {
    ($kind:literal, $name:literal) => {
        || async {
            let file: File = (
                [("content-type", $kind)],
                include_str!(concat!("../page/", $name)),
            );
            file
        }
    };
}

/// Serves the page until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// A sentence for the user.
pub(crate) fn serve(port: u16) -> Result<(), String> {
    log::init(log::Watched::Printed);
    IoLoop::run_sync(serve_until_asked(port)).map_err(|err| causes(err.as_ref()))
}

async fn serve_until_asked(port: u16) -> squall::Result<()> {
    let stage = Stage::default();
    let server = HttpServer::new(move || Guard(application(stage.clone())))
        .listen((Ipv4Addr::LOCALHOST, port))
        .map_err(|err| not_listening(port, &err))?;
    let asked = Rc::new(locks::Event::new());
    for signal in [Signal::Interrupt, Signal::Terminate] {
        let asked = Rc::clone(&asked);
        // Caught until the end of the process, so nobody needs the task.
        drop(IoLoop::current().add_signal_callback(signal, move || asked.set())?);
    }
    let serving = server.serve()?;
    // Said last: whoever has read it may ask the tour for anything, also to end.
    terminal::print(&format!(
        "Squall's tour is at http://{}/\nCtrl-C ends it.\n",
        serving.local_addr()
    ))?;
    asked.wait().await;
    serving.stop(STOP_TIMEOUT).await;
    Ok(())
}

fn not_listening(port: u16, err: &io::Error) -> String {
    if err.kind() != ErrorKind::AddrInUse {
        return err.to_string();
    }
    let other = port.checked_add(1).unwrap_or(0);
    format!(
        "port {port} is taken by another program (perhaps a tour that still runs); end that one, or choose another port: \
         cargo run --release -- --port {other}"
    )
}

fn application(stage: Stage) -> Application {
    Application::new()
        .state(stage)
        .state(Pages {
            english: page::render(Language::English).into(),
            chinese: page::render(Language::Chinese).into(),
        })
        .body_limit(BODY)
        .get("/", home)
        .get("/tour.css", file!("text/css; charset=utf-8", "tour.css"))
        .get("/icon.svg", file!("image/svg+xml", "icon.svg"))
        .get(
            "/settings.js",
            file!("text/javascript; charset=utf-8", "settings.js"),
        )
        .get(
            "/tour.js",
            file!("text/javascript; charset=utf-8", "tour.js"),
        )
        .get("/run.js", file!("text/javascript; charset=utf-8", "run.js"))
        .get(
            "/timeline.js",
            file!("text/javascript; charset=utf-8", "timeline.js"),
        )
        .get(
            "/words.js",
            file!("text/javascript; charset=utf-8", "words.js"),
        )
        .post("/run/{pattern}", run)
}

/// The page, once for each language that it can begin with.
struct Pages {
    english: Rc<str>,
    chinese: Rc<str>,
}

async fn home(
    Query(query): Query<HashMap<String, String>>,
    State(pages): State<Pages>,
) -> Html<String> {
    let asked = query.get("lang").and_then(|tag| Language::named(tag));
    let page = match asked {
        Some(Language::Chinese) => &pages.chinese,
        Some(Language::English) | None => &pages.english,
    };
    Html(page.to_string())
}

async fn run(
    Path(name): Path<String>,
    State(stage): State<Stage>,
    Json(args): Json<Vec<String>>,
) -> Result<EventStream, HttpError> {
    let pattern = patterns::find(&name)
        .ok_or_else(|| HttpError::not_found(format!("there is no pattern `{name}`")))?;
    check(pattern, &args).map_err(HttpError::bad_request)?;
    let show = stage.start(pattern, args).map_err(not_started)?;
    Ok(EventStream::new(async move |events| {
        tell(show, &events).await
    }))
}

/// What the page may not ask for, in words for the visitor.
fn check(pattern: &Pattern, args: &[String]) -> Result<(), String> {
    if args.len() > WORDS || args.iter().any(|arg| arg.len() > WORD) {
        return Err(format!("at most {WORDS} words of {WORD} bytes"));
    }
    match pattern.input {
        Input::None if !args.is_empty() => Err("this pattern takes no input".to_owned()),
        // The terminal's user may name any file; a page, which can be left open, had better not.
        Input::Database if args.iter().any(|arg| !arg.starts_with("mongodb://")) => Err(
            "here the address begins with mongodb://; files are for the terminal: \
             cargo run --release -- run run_sync tags.sqlite"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn not_started(reason: NotStarted) -> HttpError {
    match reason {
        NotStarted::Full => HttpError::new(StatusCode::SERVICE_UNAVAILABLE).message(format!(
            "{AT_ONCE} patterns are running already, as many as may at once; try again when one has ended"
        )),
        NotStarted::Io(err) => HttpError::from(err),
    }
}

/// Tells what happens. When the visitor leaves, this is dropped, and the run with it, which stops it.
async fn tell(mut show: Show, events: &sse::EventSender) -> squall::web::Result<()> {
    let io_loop = IoLoop::current();
    let deadline = io_loop.time() + LIMIT;
    loop {
        let left = deadline.saturating_duration_since(io_loop.time());
        let event = match with_timeout(left, show.next()).await {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(()),
            Err(_) => Event::End {
                at: LIMIT,
                error: Some(format!(
                    "stopped after {LIMIT:?}, as long as a pattern may run here"
                )),
                omitted: Omitted::default(),
            },
        };
        events
            .send(sse::Event::new().event(event.name()).json(&event.data())?)
            .await?;
        if matches!(event, Event::End { .. }) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use squall::web::IntoResponse as _;

    use super::*;
    use crate::patterns::find;

    #[test]
    fn the_routes_are_sound() {
        application(Stage::default())
            .check()
            .expect("no route is wrong");
    }

    #[test]
    fn a_taken_port_comes_with_its_remedy() {
        let taken = not_listening(8888, &ErrorKind::AddrInUse.into());
        assert!(
            taken.contains("port 8888 is taken") && taken.contains("--port 8889"),
            "{taken}"
        );
        let last = not_listening(65535, &ErrorKind::AddrInUse.into());
        assert!(last.contains("--port 0"), "{last}");
    }

    #[test]
    fn a_run_that_takes_too_long_is_stopped() -> squall::Result<()> {
        let _paused = IoLoop::with_paused_clock()?;
        let (_sender, show) = Show::silent();
        let told = IoLoop::run_sync(async {
            let stream = EventStream::new(async move |events| tell(show, &events).await);
            let body = stream.into_response().into_body();
            Ok::<_, squall::Error>(body.collect(BODY).await?)
        })?;
        let told = String::from_utf8_lossy(&told);
        assert!(
            told.contains("event: end") && told.contains("stopped after 60s"),
            "{told}"
        );
        Ok(())
    }

    #[test]
    fn what_the_page_may_ask_for() {
        let allowed = |name: &str, args: &[&str]| {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            check(find(name).expect("a pattern"), &args).is_ok()
        };
        assert!(allowed("promise", &[]));
        assert!(!allowed("promise", &["a"]));
        assert!(allowed("run_sync", &["mongodb://127.0.0.1/"]));
        assert!(!allowed("run_sync", &["/srv/app/tags.sqlite"]));
        assert!(allowed("parallel", &["a"; WORDS]));
        assert!(!allowed("parallel", &["a"; WORDS + 1]));
        assert!(!allowed("parallel", &[&"a".repeat(WORD + 1)]));
    }
}
