//! Files without waiting for a disk.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use squall_ioloop::files::{is_cached, open_beneath, open_cached, read_cached, send_file};

/// A folder that is gone with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("squall-files-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> File {
        fs::write(self.0.join(name), bytes).expect("written");
        File::open(self.0.join(name)).expect("there")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is the temporary folder's affair.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn kind<T>(outcome: io::Result<T>) -> io::ErrorKind {
    outcome.err().expect("an error").kind()
}

#[test]
fn what_was_just_written_is_read_at_once() {
    let folder = Folder::new("read");
    let file = folder.file("a", b"hello");
    let mut buffer = [0; 16];
    // Not every file system can tell; one that can tells the truth.
    if let Some(count) = read_cached(&file, &mut buffer, 1).expect("read") {
        assert_eq!(&buffer[..count], b"ello");
        let end = read_cached(&file, &mut buffer, 5).expect("read");
        assert_eq!(end, Some(0), "the end needs no waiting");
        assert!(is_cached(&file, 0, 5).expect("asked"));
    }
    assert!(is_cached(&file, 0, 0).expect("asked"), "of no bytes");
    assert!(is_cached(&file, u64::MAX, 1).is_err(), "no such place");
}

#[test]
fn a_part_beyond_two_gibibytes_is_sent_by_the_system() {
    const FAR: u64 = 5 << 30;
    let folder = Folder::new("far");
    let mut file = File::create_new(folder.0.join("far")).expect("made");
    // All but the end is a hole, which takes no room on the disk.
    file.seek(SeekFrom::Start(FAR)).expect("sought");
    file.write_all(b"far away").expect("written");
    let file = File::open(folder.0.join("far")).expect("there");
    let (near, mut far) = UnixStream::pair().expect("a pair");
    assert_eq!(
        send_file(near.as_fd(), &file, FAR + 4, 100).expect("sent"),
        4
    );
    let mut buffer = [0; 16];
    assert_eq!(far.read(&mut buffer).expect("read"), 4);
    assert_eq!(&buffer[..4], b"away");
    let end = send_file(near.as_fd(), &file, FAR + 8, 100);
    assert_eq!(end.expect("no error"), 0, "the end of the file");
}

#[test]
fn a_socket_without_room_says_so_and_one_without_a_peer_is_an_error() {
    let folder = Folder::new("full");
    let file = folder.file("much", &[7; 1 << 20]);
    let (near, mut far) = UnixStream::pair().expect("a pair");
    near.set_nonblocking(true).expect("set");
    let mut at = 0;
    let full = loop {
        match send_file(near.as_fd(), &file, at % (1 << 20), 65_536) {
            Ok(count) => at += count as u64,
            Err(err) => break err.kind(),
        }
    };
    assert_eq!(full, io::ErrorKind::WouldBlock);
    let mut got = vec![0; usize::try_from(at).expect("a few of them")];
    far.read_exact(&mut got).expect("all that was sent");
    assert!(at > 0 && got.iter().all(|byte| *byte == 7));
    drop(far);
    let gone = kind(send_file(near.as_fd(), &file, 0, 10));
    assert_eq!(gone, io::ErrorKind::BrokenPipe);
}

#[test]
fn a_folder_cannot_be_left() {
    let folder = Folder::new("beneath");
    folder.file("in", b"in");
    let inner = folder.0.join("inner");
    fs::create_dir(&inner).expect("made");
    fs::write(inner.join("file"), "here").expect("written");
    symlink("../in", inner.join("out")).expect("linked");
    symlink("file", inner.join("near")).expect("linked");
    symlink("/etc/passwd", inner.join("absolute")).expect("linked");
    let root = File::open(&inner).expect("a folder");
    for name in ["file", "near"] {
        let mut text = String::new();
        if let Some(mut file) = open_beneath(&root, Path::new(name)).expect(name) {
            file.read_to_string(&mut text).expect("read");
            assert_eq!(text, "here", "{name}");
            // Now that it was looked up, nothing has to be waited for.
            let again = open_cached(&root, Path::new(name)).expect(name);
            assert!(again.is_some(), "{name}");
        }
    }
    for name in ["out", "absolute", "../in", "/etc/passwd"] {
        match open_beneath(&root, Path::new(name)) {
            Ok(opened) => assert!(opened.is_none(), "{name} was opened"),
            Err(err) => assert_eq!(err.kind(), io::ErrorKind::CrossesDevices, "{name}"),
        }
    }
    let none = kind(open_beneath(&root, Path::new("nobody")));
    assert_eq!(none, io::ErrorKind::NotFound);
    assert!(open_beneath(&root, Path::new("a\0b")).is_err(), "a zero");
}
