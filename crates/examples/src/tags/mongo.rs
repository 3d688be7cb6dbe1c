//! Tags on a MongoDB server, through the official driver.

use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};

use crate::failure::Failure;

/// The database, when the address names none.
const DATABASE: &str = "squall";
const COLLECTION: &str = "tags";
/// How long a server is looked for. The driver's own default is 30 s, which looks like a hang.
const LIMIT: Duration = Duration::from_secs(3);

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
        let inserted = self.tags.insert_one(doc! { "tag": tag }).await;
        match inserted.map_err(|err| self.failure(&err))?.inserted_id {
            Bson::ObjectId(id) => Ok(id.to_hex()),
            id => Ok(id.to_string()),
        }
    }

    pub(super) async fn count(&self) -> Result<u64, Failure> {
        let counted = self.tags.count_documents(doc! {}).await;
        counted.map_err(|err| self.failure(&err))
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
