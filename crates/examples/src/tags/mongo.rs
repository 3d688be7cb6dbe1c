//! Tags on a MongoDB server, through the official driver.

use std::future::IntoFuture;
use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};
use squall::with_timeout;

use crate::failure::Failure;

/// The database, when the address names none.
const DATABASE: &str = "squall";
const COLLECTION: &str = "tags";
/// How long a server is looked for. The driver's own default is 30 s, which looks like a hang.
const LIMIT: Duration = Duration::from_secs(3);
/// How long a server that was found may take for one operation, being looked for included; the driver would wait for ever.
const PATIENCE: Duration = Duration::from_secs(4);

/// A collection on a server that has answered.
#[derive(Debug)]
pub(super) struct Mongo {
    tags: Collection<Document>,
    /// The server's host and port, for messages.
    server: String,
}

impl Mongo {
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let mut options = ClientOptions::parse(url)
            .await
            .map_err(|err| Failure::new("not a MongoDB address").because(text(&err)))?;
        options.server_selection_timeout = Some(LIMIT);
        options.connect_timeout = Some(LIMIT);
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        let server = hosts.join(", ");
        let database = options.default_database.clone();
        let client = Client::with_options(options)
            .map_err(|err| Failure::new("not a MongoDB address").because(text(&err)))?;
        let database = client.database(database.as_deref().unwrap_or(DATABASE));
        let tags = database.collection(COLLECTION);
        Ok(Self { tags, server })
    }

    pub(super) async fn insert(&self, tag: &str) -> Result<String, Failure> {
        let inserted = self.run(self.tags.insert_one(doc! { "tag": tag })).await?;
        match inserted.inserted_id {
            Bson::ObjectId(id) => Ok(id.to_hex()),
            id => Ok(id.to_string()),
        }
    }

    pub(super) async fn count(&self) -> Result<u64, Failure> {
        self.run(self.tags.count_documents(doc! {})).await
    }

    /// Awaits an operation, but not for ever.
    async fn run<T>(
        &self,
        operation: impl IntoFuture<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        match with_timeout(PATIENCE, operation.into_future()).await {
            Ok(done) => done.map_err(|err| self.failure(&err)),
            Err(_) => Err(Failure::new(format!(
                "the MongoDB server at {} has not answered within {PATIENCE:?}",
                self.server
            ))),
        }
    }

    fn failure(&self, err: &Error) -> Failure {
        let server = &self.server;
        match *err.kind {
            // The driver's text is a dump of all it knows of its servers.
            ErrorKind::ServerSelection { .. } => Failure::new(format!(
                "no MongoDB server answered at {server} within {LIMIT:?}; is one running there?"
            )),
            _ => Failure::new(format!("the MongoDB server at {server} failed")).because(text(err)),
        }
    }
}

/// What the driver says, without the labels that it adds for retrying.
fn text(err: &Error) -> String {
    match &*err.kind {
        ErrorKind::InvalidArgument { message, .. } => message.clone(),
        kind => kind.to_string(),
    }
}
