//! The files that a run is asked to write: looked at before anything is measured, written after every suite.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::arguments::Options;
use crate::process;
use crate::report::{Report, html, json, markdown};

/// Makes sure that everything can be written that was asked for; better now than after an hour.
///
/// # Errors
///
/// A sentence that names the first file that cannot be, or that two things are to go to.
pub(crate) fn check(options: &Options, blank: &Report) -> Result<(), String> {
    let new = options.json.iter().chain(&options.html);
    let all: Vec<&Path> = new
        .clone()
        .chain(&options.markdown)
        .map(AsRef::as_ref)
        .collect();
    for (index, path) in all.iter().enumerate() {
        if all[..index].contains(path) {
            return Err(format!("{} is to be written twice", path.display()));
        }
    }
    for path in new {
        create(path).map_err(|err| cannot(path, &err))?;
    }
    for path in &options.markdown {
        refreshed(path, blank)?;
        let open = OpenOptions::new().append(true).open(path);
        open.map_err(|err| cannot(path, &err))?;
    }
    Ok(())
}

/// Writes what there is so far, all of it that can be.
///
/// # Errors
///
/// A sentence that names the last file that could not be written.
pub(crate) fn write(options: &Options, report: &Report) -> Result<(), String> {
    let mut outcome = Ok(());
    let mut put = |path: &Path, text: Result<String, String>| {
        let written = text.and_then(|text| {
            // Whoever interrupts the run now is not to find half a file.
            process::undisturbed(|| fs::write(path, text)).map_err(|err| cannot(path, &err))
        });
        if written.is_err() {
            outcome = written;
        }
    };
    if let Some(path) = &options.json {
        put(path, Ok(format!("{:#}\n", json::report(report))));
    }
    if let Some(path) = &options.html {
        put(path, Ok(html::report(report)));
    }
    for path in &options.markdown {
        put(path, refreshed(path, report));
    }
    outcome
}

/// Creates a file, and takes it away again if it was not there: a run that ends before it has measured anything
/// leaves none behind.
fn create(path: &Path) -> io::Result<()> {
    match File::create_new(path) {
        Ok(_) => fs::remove_file(path),
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).open(path).map(drop)
        }
        Err(err) => Err(err),
    }
}

fn refreshed(path: &Path, report: &Report) -> Result<String, String> {
    let page =
        fs::read_to_string(path).map_err(|err| format!("cannot read {}: {err}", path.display()))?;
    markdown::refresh(&page, report)
        .map_err(|err| format!("cannot rewrite {}: {err}", path.display()))
}

fn cannot(path: &Path, err: &io::Error) -> String {
    format!("cannot write {}: {err}", path.display())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::report::tests_support::report;

    /// A folder that is gone when the test is over.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("squall-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_cannot_be_written_is_named_before_anything_is_measured() {
        let folder = Folder::new("targets-refused");
        let report = report(&[]);
        let fails = |options: Options| check(&options, &report).unwrap_err();
        let absent = folder.path("absent/file");
        for options in [
            Options {
                json: Some(absent.clone()),
                ..Options::default()
            },
            Options {
                html: Some(absent.clone()),
                ..Options::default()
            },
        ] {
            let message = fails(options);
            assert!(
                message.starts_with("cannot write ") && message.contains("absent/file: No such")
            );
        }
        let page = |path: &Path| Options {
            markdown: vec![path.to_owned()],
            ..Options::default()
        };
        assert!(fails(page(&absent)).starts_with("cannot read "));
        let bare = folder.path("bare.md");
        fs::write(&bare, "# Page\n").unwrap();
        assert!(fails(page(&bare)).contains("no section to write to"));
        assert_eq!(fs::read_to_string(&bare).unwrap(), "# Page\n");
        let twice = Options {
            json: Some(bare.clone()),
            html: Some(bare),
            ..Options::default()
        };
        assert!(fails(twice).ends_with("is to be written twice"));
    }

    #[test]
    fn looking_changes_nothing() {
        let folder = Folder::new("targets-looked-at");
        let (new, old) = (folder.path("new"), folder.path("old"));
        fs::write(&old, "before").unwrap();
        let options = Options {
            json: Some(new.clone()),
            html: Some(old.clone()),
            ..Options::default()
        };
        check(&options, &report(&[])).unwrap();
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(&old).unwrap(), "before");
    }

    #[test]
    fn one_file_that_cannot_be_written_does_not_keep_the_others_back() {
        let folder = Folder::new("targets-written");
        let page = folder.path("page.html");
        let options = Options {
            json: Some(folder.path("absent/file")),
            html: Some(page.clone()),
            ..Options::default()
        };
        let message = write(&options, &report(&["plaintext"])).unwrap_err();
        assert!(message.contains("absent/file"), "{message}");
        assert!(
            fs::read_to_string(&page)
                .unwrap()
                .contains("<h2>plaintext</h2>")
        );
    }
}
