//! Start the loop, run one thing, stop, give me its value: a one-off change of a database.
//!
//! A migration or a cron job has no server; it wants to await a few things and to end. `run_sync` makes the loop, runs
//! the future on it, and hands out its value or its error.
//!
//! Run it, on an SQLite file in the temporary folder, or on one of your own:
//!
//!     cargo run -p squall-examples --example run_sync
//!     cargo run -p squall-examples --example run_sync -- tags.sqlite
//!
//! Type next, where a MongoDB server runs:
//!
//!     cargo run -p squall-examples --features mongodb --example run_sync -- mongodb://127.0.0.1:27017
//!
//! Prints:
//!     start
//!     ~ inserted storm, its id is
//!     ~ inserted squall, its id is
//!     ~ inserted tornado, its id is
//!     ~ tags now
//!     end

use std::process::ExitCode;

use squall::IoLoop;
use squall_examples::{Tags, say};

/// Adds tags to the database at the first argument, or to a file in the temporary folder.
pub fn run(args: &[String]) -> squall::Result<()> {
    let address = args.first().map(String::as_str);

    say!("start");
    let count = IoLoop::run_sync(insert_tags(address))?;
    say!("the database has {count} tags now");
    say!("end");
    Ok(())
}

async fn insert_tags(address: Option<&str>) -> squall::Result<u64> {
    let tags = Tags::open(address).await?;
    for tag in ["storm", "squall", "tornado"] {
        let id = tags.insert(tag).await?;
        say!("inserted {tag}, its id is {id}");
    }
    Ok(tags.count().await?)
}

fn main() -> ExitCode {
    squall_examples::main(run)
}
