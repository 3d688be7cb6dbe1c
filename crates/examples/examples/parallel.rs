//! Many things at once, and their shape kept: an array, a fixed pair, a map by name.
//!
//! `multi` awaits all the futures that it is given and puts their values where the futures were. Each page of the local
//! site takes 100 ms; several take hardly longer than one.
//!
//! Run it:
//!
//!     cargo run -p squall-examples --example parallel
//!
//! Type next, to fetch pages of your choice:
//!
//!     cargo run -p squall-examples --example parallel -- http://example.org/ http://example.com/
//!
//! Prints:
//!     start
//!     ~ array: 3 pages in
//!     ~ /page/wind: 200 OK
//!     ~ /page/rain: 200 OK
//!     ~ /page/hail: 200 OK
//!     ~ pair: 2 pages in
//!     ~ /page/wind: 200 OK
//!     ~ /page/rain: 200 OK
//!     ~ map: 3 pages in
//!     hail: 200 OK
//!     rain: 200 OK
//!     wind: 200 OK
//!     end

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use squall::client::Response;
use squall::{HttpClient, IoLoop, multi};
use squall_examples::{Pages, page_name, say};

/// Fetches the pages at the arguments, or three of a local site, in each of three shapes.
pub fn run(args: &[String]) -> squall::Result<()> {
    let pages = Pages::of(args, &["/page/wind", "/page/rain", "/page/hail"])?;

    say!("start");
    IoLoop::run_sync(fetch_in_parallel(pages.urls()))?;
    say!("end");
    Ok(())
}

async fn fetch_in_parallel(urls: &[String]) -> squall::Result<()> {
    let client = HttpClient::new();

    let begun = Instant::now();
    let responses: Vec<Response> = multi(urls.iter().map(|url| client.fetch(url))).await?;
    say!(
        "array: {} pages in {:.1?}",
        responses.len(),
        begun.elapsed()
    );
    for response in &responses {
        report(response.request.url(), response);
    }

    let begun = Instant::now();
    let [first, second] = multi([client.fetch(&urls[0]), client.fetch(&urls[1])]).await?;
    say!("pair: 2 pages in {:.1?}", begun.elapsed());
    report(first.request.url(), &first);
    report(second.request.url(), &second);

    let begun = Instant::now();
    let by_name: BTreeMap<&str, _> = urls
        .iter()
        .map(|url| (page_name(url), client.fetch(url)))
        .collect();
    let by_name: BTreeMap<&str, Response> = multi(by_name).await?;
    say!("map: {} pages in {:.1?}", by_name.len(), begun.elapsed());
    for (name, response) in &by_name {
        report(name, response);
    }
    Ok(())
}

fn report(what: impl std::fmt::Display, response: &Response) {
    say!("{what}: {} {}", response.code, response.reason);
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
