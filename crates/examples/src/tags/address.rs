//! Where a database is.

use std::env;
use std::path::PathBuf;

use crate::failure::Failure;

/// The file in the temporary folder that is used when no address is given.
const DEFAULT_FILE: &str = "squall-tags.sqlite";

/// What an address can be.
#[derive(Debug, PartialEq)]
pub(super) enum Address {
    File(PathBuf),
    Mongo(String),
}

impl Address {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = text else {
            return Ok(Self::File(env::temp_dir().join(DEFAULT_FILE)));
        };
        match text.split_once("://") {
            None if text.is_empty() => Err(unknown("nothing")),
            None => Ok(Self::File(text.into())),
            Some(("mongodb", _)) => Ok(Self::Mongo(text.to_owned())),
            // Only the scheme is repeated: what follows may hold a password.
            Some((scheme, _)) => Err(unknown(&format!(
                "an address that begins with `{scheme}://`"
            ))),
        }
    }
}

fn unknown(found: &str) -> Failure {
    Failure::new(format!(
        "expected the path of an SQLite file or an address such as mongodb://127.0.0.1:27017, found {found}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file() {
        for path in ["tags.sqlite", "./a:b", "/tmp/mongodb"] {
            assert_eq!(
                Address::parse(Some(path)).unwrap(),
                Address::File(path.into())
            );
        }
        let Address::File(path) = Address::parse(None).unwrap() else {
            panic!("the default is a file");
        };
        assert!(path.ends_with(DEFAULT_FILE));
    }

    #[test]
    fn a_mongodb_address_is_a_server() {
        let url = "mongodb://me:secret@127.0.0.1/";
        assert_eq!(
            Address::parse(Some(url)).unwrap(),
            Address::Mongo(url.to_owned())
        );
    }

    #[test]
    fn others_are_named_without_their_secrets() {
        for (text, found) in [
            ("", "found nothing"),
            (
                "postgres://me:secret@127.0.0.1/",
                "begins with `postgres://`",
            ),
            (
                "mongodb+srv://me:secret@example.org/",
                "begins with `mongodb+srv://`",
            ),
        ] {
            let message = Address::parse(Some(text)).unwrap_err().to_string();
            assert!(
                message.contains(found) && !message.contains("secret"),
                "{message}"
            );
        }
    }
}
