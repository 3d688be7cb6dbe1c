//! A small database of tags, embedded or on a server.

mod address;
// The same module twice: with the driver, and without it only the way to get it.
#[cfg_attr(not(feature = "mongodb"), path = "tags/no_mongo.rs")]
mod mongo;
mod sqlite;

use crate::failure::Failure;
use address::Address;
use mongo::Mongo;
use sqlite::Sqlite;

/// A collection of tags that `run_sync` adds to: a table of an SQLite file, or a collection of a MongoDB server.
///
/// The database belongs to the loop that opened it. SQLite blocks, so it works on a thread of its own.
#[derive(Debug)]
pub struct Tags {
    store: Store,
}

#[derive(Debug)]
enum Store {
    Mongo(Mongo),
    Sqlite(Sqlite),
}

impl Tags {
    /// Opens a database: the path of an SQLite file, which is made if it is not there, or a `mongodb://` address, which
    /// needs the feature `mongodb`; without an address the file `squall-tags.sqlite` in the system's temporary folder.
    ///
    /// # Errors
    ///
    /// When the address is neither, the file cannot be opened or is no database, or the server does not answer within
    /// 3 seconds. The message never repeats the password of an address.
    ///
    /// # Panics
    ///
    /// Off a loop, with a `mongodb://` address.
    pub async fn open(address: Option<&str>) -> Result<Self, Failure> {
        let store = match Address::parse(address)? {
            Address::File(path) => Store::Sqlite(Sqlite::open(path).await?),
            Address::Mongo(url) => Store::Mongo(Mongo::open(&url).await?),
        };
        Ok(Self { store })
    }

    /// Adds a tag and returns the id that the database has given it.
    ///
    /// # Errors
    ///
    /// When the database refuses, or its server has gone away.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the tag may have been added or not.
    pub async fn insert(&self, tag: &str) -> Result<String, Failure> {
        match &self.store {
            Store::Mongo(mongo) => mongo.insert(tag).await,
            Store::Sqlite(sqlite) => sqlite.insert(tag).await,
        }
    }

    /// Counts the tags that there are.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub async fn count(&self) -> Result<u64, Failure> {
        match &self.store {
            Store::Mongo(mongo) => mongo.count().await,
            Store::Sqlite(sqlite) => sqlite.count().await,
        }
    }
}
