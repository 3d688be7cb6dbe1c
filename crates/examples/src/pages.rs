//! The addresses that a program fetches.

use std::io;

use crate::site::LocalSite;

/// The addresses to fetch: those of the command line, or pages of a [`LocalSite`] that lives as long as this does.
#[derive(Debug)]
pub struct Pages {
    urls: Vec<String>,
    /// Stopped with the pages; `None` when the addresses came from the command line.
    _site: Option<LocalSite>,
}

impl Pages {
    /// Takes the addresses in `args`; without any, starts a site and takes its pages at `paths`.
    ///
    /// Addresses that are fewer than `paths` are used again from the first one on, so there are at least as many.
    ///
    /// # Errors
    ///
    /// When the site cannot be started.
    pub fn of(args: &[String], paths: &[&str]) -> io::Result<Self> {
        if args.is_empty() {
            let site = LocalSite::start()?;
            return Ok(Self {
                urls: paths.iter().map(|path| site.url(path)).collect(),
                _site: Some(site),
            });
        }
        let count = paths.len().max(args.len());
        Ok(Self {
            urls: args.iter().cycle().take(count).cloned().collect(),
            _site: None,
        })
    }

    /// All addresses.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.urls
    }
}

/// The name of a page: the last word of its path, or the whole address where it has none.
///
/// ```
/// # use squall_examples::page_name;
/// assert_eq!(page_name("http://127.0.0.1:8888/page/wind?hard"), "wind");
/// assert_eq!(page_name("http://example.org/"), "example.org");
/// ```
#[must_use]
pub fn page_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/')
        .find(|word| !word.is_empty())
        .unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_addresses_are_used_again() {
        let args = ["http://a/".to_owned(), "http://b/".to_owned()];
        let pages = Pages::of(&args, &["/1", "/2", "/3"]).unwrap();
        assert_eq!(pages.urls(), ["http://a/", "http://b/", "http://a/"]);
        let pages = Pages::of(&args, &["/1"]).unwrap();
        assert_eq!(pages.urls(), args);
    }

    #[test]
    fn a_name_is_never_empty() {
        assert_eq!(page_name("http://"), "http:");
        assert_eq!(page_name("///"), "///");
        assert_eq!(page_name(""), "");
    }
}
