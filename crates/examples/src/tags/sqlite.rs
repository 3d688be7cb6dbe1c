//! Tags in an SQLite file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use squall::ThreadPoolExecutor;

use crate::failure::Failure;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS tags (id INTEGER PRIMARY KEY, tag TEXT NOT NULL)";
/// How long another program may hold the file.
const BUSY: Duration = Duration::from_secs(5);

/// An open file, and the thread that works on it: SQLite waits for the disk, which a loop must not.
#[derive(Debug)]
pub(super) struct Sqlite {
    thread: ThreadPoolExecutor,
    /// Locked by the one thread only; the lock is what lets it cross over.
    connection: Arc<Mutex<Connection>>,
}

impl Sqlite {
    pub(super) async fn open(path: PathBuf) -> Result<Self, Failure> {
        let thread = ThreadPoolExecutor::new(1);
        let what = format!("cannot use {} as an SQLite file", path.display());
        let opened = thread.submit(move || connect(&path)).await;
        let connection = flatten(&what, opened)?;
        Ok(Self {
            thread,
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    pub(super) async fn insert(&self, tag: &str) -> Result<String, Failure> {
        let tag = tag.to_owned();
        self.run("cannot insert a tag", move |connection| {
            connection.execute("INSERT INTO tags (tag) VALUES (?1)", [&tag])?;
            Ok(connection.last_insert_rowid().to_string())
        })
        .await
    }

    pub(super) async fn count(&self) -> Result<u64, Failure> {
        self.run("cannot count the tags", |connection| {
            let count: i64 =
                connection.query_row("SELECT count(*) FROM tags", [], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// Runs a job on the thread of the file.
    async fn run<T: Send + 'static>(
        &self,
        what: &str,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let connection = Arc::clone(&self.connection);
        let done = self.thread.submit(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            job(&connection)
        });
        flatten(what, done.await)
    }
}

fn connect(path: &PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.execute(TABLE, [])?;
    Ok(connection)
}

/// The thread's failures and the database's are one thing to the caller.
fn flatten<T>(
    what: &str,
    result: Result<rusqlite::Result<T>, squall::ioloop::ExecutorError>,
) -> Result<T, Failure> {
    match result {
        Ok(Ok(value)) => Ok(value),
        // As text: its own cause says the same once more, with a number.
        Ok(Err(err)) => Err(Failure::new(what).because(err.to_string())),
        Err(err) => Err(Failure::new(what).because(err)),
    }
}
