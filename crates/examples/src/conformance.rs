//! A server to point test suites at: it answers whatever is asked, and every limit of it can be set.
//!
//! | path | answer |
//! |---|---|
//! | `/plaintext` | `Hello, World!`, 13 bytes |
//! | `/json` | a small object |
//! | `/inspect` | the request as JSON: method, target, version, header fields, body in base64, trailer fields |
//! | `/static/…` | a file of the folder `--static`, see [`squall::web::files`] |
//! | `/slow?ms=N` | a line, after so many milliseconds; 60,000 at most |
//! | `/stream?n=N` | so many lines, a piece each; 1,000,000 at most |
//! | `/mirror` | the body of the request, piece by piece as it comes |
//! | `/ws`, `/ws-limits`, … | a WebSocket; the module `sockets` says which |
//! | anything else | the body of the request once it is whole, or a line when there is none |
//!
//! Each answers any method but CONNECT, which asks for a tunnel that is not there (405).

mod answers;
mod inspect;
mod options;
mod peer;
mod secure;
mod sockets;

use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Once, OnceLock};

use squall::server::{Answer, Request, Service};
use squall::web::Files;
use squall::{Application, HttpServer, IoLoop};

use crate::{Failure, say};
use answers::Site;
use options::{Asked, Options};

/// Serves as `args` say until Ctrl-C or SIGTERM, and prints a line with the address once it accepts.
///
/// Without arguments, and with `--help`, prints what there is instead.
///
/// # Errors
///
/// When an argument is not understood, a port is taken, or the server cannot run.
pub fn run(args: &[String]) -> squall::Result<()> {
    let options = match Options::parse(args).map_err(Failure::new)? {
        Asked::Help => {
            say!("{}", options::help().trim_end());
            return Ok(());
        }
        Asked::Autobahn(url, options) => {
            return IoLoop::run_sync(peer::autobahn(url, options));
        }
        Asked::Check(url, options) => {
            return IoLoop::run_sync(async {
                peer::check(url, options).await;
                Ok(())
            });
        }
        Asked::Serve(options) => *options,
    };
    serve(options)
}

/// What answers on a loop: an application for WebSockets, and no framework at all for everything else.
struct Conformance {
    sockets: Application,
    site: Rc<Site>,
}

impl Service for Conformance {
    fn call(&self, request: Request) -> Answer {
        match request.path() {
            "/ws" | "/ws-talk" | "/ws-limits" | "/ws-limits-talk" => self.sockets.call(request),
            _ => {
                let answer = answers::answer(Rc::clone(&self.site), request.into());
                Answer::Later(Box::pin(async { answer.await.into() }))
            }
        }
    }

    fn check(&self) -> Result<(), Box<dyn std::error::Error>> {
        Service::check(&self.sockets)
    }
}

fn serve(options: Options) -> squall::Result<()> {
    let files = options.folder.as_deref().map(files_of).transpose()?;
    let body_limit = usize::try_from(options.config.limits.body_bytes).unwrap_or(usize::MAX);
    let lines = Arc::new(OnceLock::<Vec<String>>::new());
    let limited = options.limited;
    let factory = {
        let (lines, told) = (Arc::clone(&lines), Arc::new(Once::new()));
        move || {
            // Told here and not before, because by now a signal ends the server cleanly.
            told.call_once(|| {
                for line in lines.get().into_iter().flatten() {
                    say!("{line}");
                }
            });
            let site = Rc::new(Site {
                files: files.clone(),
                body_limit,
            });
            let sockets = sockets::application(&limited);
            Conformance { sockets, site }
        }
    };
    let mut server = HttpServer::new(factory).config(options.config);
    if let Some(loops) = options.loops {
        server = server.loops(loops);
    }
    if let Some(port) = options.http {
        server = server.listen(("127.0.0.1", port))?;
    }
    if let Some(tls) = &options.tls {
        server = secure::listen(server, tls)?;
    }
    let plain = usize::from(options.http.is_some());
    let addresses = server.addresses()?;
    let schemes = ["http"; 1].into_iter().take(plain).chain(["https"]);
    let told = schemes
        .zip(&addresses)
        .map(|(scheme, address)| format!("{scheme}://{address}"));
    // The factory runs for the first time after this.
    let _ = lines.set(told.collect());
    Ok(server.run()?)
}

fn files_of(folder: &Path) -> Result<Files, Failure> {
    Files::new(folder).map_err(|err| {
        Failure::new(format!("cannot show the folder `{}`", folder.display())).because(err)
    })
}
