//! The files of a folder.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_web::testing::{TestClient, TestResponse};
use squall_web::{Application, Files, Problem};

use crate::run;

/// A folder `site` beside a file that nobody may see; gone with its test.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let name = format!("squall-web-{name}-{}", std::process::id());
        let outer = std::env::temp_dir().join(name);
        fs::create_dir_all(outer.join("site/sub")).expect("made");
        let site = Self(outer);
        fs::write(site.0.join("secret.txt"), "secret").expect("written");
        site.write("hello.txt", "Hello, file!");
        site.write("index.html", "<h1>Index");
        site.write("sub/index.html", "<h1>Sub");
        site.write("sub/a b.css", "a{}");
        site.write(".hidden", "secret");
        site
    }

    fn folder(&self) -> PathBuf {
        self.0.join("site")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder().join(name), content).expect("written");
    }

    fn modify(&self, name: &str, when: SystemTime) {
        let file = File::options().append(true).open(self.folder().join(name));
        file.and_then(|file| file.set_modified(when)).expect("set");
    }

    fn client(&self) -> TestClient {
        TestClient::new(Application::new().static_files("/static", self.folder()))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed is the temporary folder's affair.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A time that every file system can hold: 2001-09-09 01:46:40.
fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

const THEN: &str = "Sun, 09 Sep 2001 01:46:40 GMT";

async fn with(client: &TestClient, fields: &[(&str, &str)]) -> TestResponse {
    let mut request = client.get("/static/hello.txt");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.await
}

#[test]
fn a_file_comes_with_what_identifies_it() {
    run(async {
        let site = Site::new("plain");
        site.modify("hello.txt", then());
        let client = site.client();
        let response = client.get("/static/hello.txt").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.text(), "Hello, file!");
        assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("accept-ranges"), "bytes");
        assert_eq!(response.header("last-modified"), THEN);
        let etag = response.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with("-c\""), "{etag}");
        assert_eq!(client.head("/static/hello.txt").await.header("etag"), etag);
        let response = client.get("/%73tatic/sub/a%20b.css").await;
        assert_eq!(response.text(), "a{}");
        assert_eq!(response.header("content-type"), "text/css; charset=utf-8");
    });
}

#[test]
fn a_large_file_comes_whole_and_in_parts() {
    run(async {
        let site = Site::new("large");
        let bytes: Vec<u8> = (0..300_000u32).flat_map(u32::to_be_bytes).collect();
        site.write("large.bin", &bytes);
        let client = site.client();
        let response = client.get("/static/large.bin").await;
        assert!(
            response.bytes() == &bytes,
            "{} bytes",
            response.bytes().len()
        );
        assert_eq!(response.header("content-type"), "application/octet-stream");
        let request = client.get("/static/large.bin");
        let response = request.header("range", "bytes=100000-1099999").await;
        assert_eq!(response.status(), 206);
        assert!(response.bytes() == &bytes[100_000..1_100_000]);
    });
}

#[test]
fn folders_show_their_index_and_are_never_listed() {
    run(async {
        let site = Site::new("folders");
        fs::create_dir(site.folder().join("empty")).expect("made");
        let client = site.client();
        for (path, text) in [("/static/", "<h1>Index"), ("/static/sub/", "<h1>Sub")] {
            let response = client.get(path).await;
            assert_eq!(response.text(), text, "{path}");
            assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
        }
        let response = client.get("/static/sub?a=b").await;
        assert_eq!(response.status(), 308);
        assert_eq!(response.header("location"), "/static/sub/?a=b");
        for path in [
            "/static/empty/",
            "/static/hello.txt/",
            "/static/none",
            "/static",
        ] {
            assert_eq!(client.get(path).await.status(), 404, "{path}");
        }
    });
}

#[test]
fn whatever_leads_out_of_the_folder_is_not_found() {
    run(async {
        let site = Site::new("out");
        let (inside, folder) = (|name: &str| site.folder().join(name), site.folder());
        symlink("../secret.txt", inside("out.txt")).expect("linked");
        symlink("/etc", inside("etc")).expect("linked");
        symlink(site.0.join("secret.txt"), inside("whole.txt")).expect("linked");
        symlink("hello.txt", inside("near.txt")).expect("linked");
        symlink(folder.join("hello.txt"), inside("back.txt")).expect("linked");
        let client = site.client();
        for path in [
            "/static/../secret.txt",
            "/static/sub/../../secret.txt",
            "/static/..%2fsecret.txt",
            "/static/%2e%2e/secret.txt",
            "/static/%2e%2e%2fsecret.txt",
            "/static/..%5csecret.txt",
            "/static/a/c:/windows/x",
            "/static/%5c%5c?%5cc:",
            "/static//etc/passwd",
            "/static/%2fetc/passwd",
            "/static/hello.txt%00.html",
            "/static/%c0%ae%c0%ae/secret.txt",
            "/static/.hidden",
            "/static/./hello.txt",
            "/static/sub/.",
            "/static/out.txt",
            "/static/etc/passwd",
            "/static/whole.txt",
            "/static/con",
        ] {
            let response = client.get(path).await;
            assert_eq!(response.status(), 404, "{path}");
            assert!(!response.text().contains("secret"), "{path}");
        }
        for path in ["/static/near.txt", "/static/back.txt"] {
            assert_eq!(client.get(path).await.text(), "Hello, file!", "{path}");
        }
    });
}

#[test]
fn a_root_that_is_the_whole_site_cannot_be_taken_for_a_host() {
    run(async {
        let site = Site::new("root");
        let client = TestClient::new(Application::new().static_files("/", site.folder()));
        assert_eq!(client.get("/").await.text(), "<h1>Index");
        assert_eq!(client.get("/sub").await.header("location"), "/sub/");
        for path in ["//sub", "//example.com/..", "/%2f/sub", "/sub/%2e%2e/sub"] {
            let response = client.get(path).await;
            assert_eq!(response.status(), 404, "{path}");
            assert_eq!(response.header("location"), "", "{path}");
        }
    });
}

#[test]
fn pipes_are_neither_served_nor_waited_for() {
    run(async {
        let site = Site::new("pipe");
        let made = Command::new("mkfifo")
            .arg(site.folder().join("pipe"))
            .status();
        assert!(made.expect("there is a `mkfifo`").success());
        assert_eq!(site.client().get("/static/pipe").await.status(), 404);
    });
}

#[test]
fn other_methods_are_refused_whatever_they_ask_for() {
    run(async {
        let site = Site::new("methods");
        let client = site.client();
        for request in [client.post("/static/hello.txt"), client.put("/static/none")] {
            let response = request.header("range", "bytes=0-1").await;
            assert_eq!(response.status(), 405);
            assert!(response.header("allow").contains("GET"), "{response:?}");
        }
        let other = Application::new()
            .static_files("/static", site.folder())
            .get("/static/own", async || "own");
        let client = TestClient::new(other);
        assert_eq!(client.get("/static/own").await.text(), "own");
        assert_eq!(client.get("/static/hello.txt").await.status(), 200);
    });
}

#[test]
fn conditions_in_the_order_of_the_standard() {
    run(async {
        let site = Site::new("conditions");
        site.modify("hello.txt", then());
        let client = site.client();
        let etag = with(&client, &[]).await.header("etag").to_owned();
        let weak = format!("\"x\", W/{etag}");
        let (before, after) = (
            "Sun, 09 Sep 2001 01:46:39 GMT",
            "Sun, 09 Sep 2001 01:46:41 GMT",
        );
        let cases: &[(u16, &[(&str, &str)])] = &[
            (304, &[("if-none-match", &etag)]),
            (304, &[("if-none-match", &weak)]),
            (304, &[("if-none-match", "*")]),
            (200, &[("if-none-match", "\"x\"")]),
            (304, &[("if-modified-since", THEN)]),
            (304, &[("if-modified-since", after)]),
            (200, &[("if-modified-since", before)]),
            (200, &[("if-modified-since", "yesterday")]),
            // The tag decides where both are there.
            (
                200,
                &[("if-none-match", "\"x\""), ("if-modified-since", after)],
            ),
            (200, &[("if-match", &etag)]),
            (412, &[("if-match", &weak)]),
            (412, &[("if-match", "\"x\"")]),
            (200, &[("if-match", "*")]),
            (412, &[("if-unmodified-since", before)]),
            (200, &[("if-unmodified-since", THEN)]),
            (200, &[("if-match", &etag), ("if-unmodified-since", before)]),
            (412, &[("if-match", "\"x\""), ("if-none-match", &etag)]),
            (304, &[("if-none-match", &etag), ("range", "bytes=0-1")]),
        ];
        for (status, fields) in cases {
            let response = with(&client, fields).await;
            assert_eq!(response.status(), *status, "{fields:?}");
            if *status == 304 {
                assert_eq!(response.header("etag"), etag);
                assert!(response.bytes().is_empty());
            }
        }
    });
}

#[test]
fn one_range_is_answered_and_anything_else_is_passed_over() {
    run(async {
        let site = Site::new("ranges");
        site.modify("hello.txt", then());
        let client = site.client();
        let etag = with(&client, &[]).await.header("etag").to_owned();
        for (range, text, told) in [
            ("bytes=0-4", "Hello", "bytes 0-4/12"),
            ("bytes=7-", "file!", "bytes 7-11/12"),
            ("bytes=-5", "file!", "bytes 7-11/12"),
            (
                "bytes=0-99999999999999999999999",
                "Hello, file!",
                "bytes 0-11/12",
            ),
        ] {
            for current in [&*etag, THEN] {
                let response = with(&client, &[("range", range), ("if-range", current)]).await;
                assert_eq!((response.status().as_u16(), response.text()), (206, text));
                assert_eq!(response.header("content-range"), told, "{range}");
            }
            let response = with(&client, &[("range", range), ("if-range", "\"x\"")]).await;
            assert_eq!(
                (response.status().as_u16(), response.text()),
                (200, "Hello, file!")
            );
        }
        for range in ["bytes=12-", "bytes=-0", "bytes=99999999999999999999999-"] {
            let response = with(&client, &[("range", range)]).await;
            assert_eq!(response.status(), 416, "{range}");
            assert_eq!(response.header("content-range"), "bytes */12");
        }
        let many = format!("bytes={}", vec!["0-1"; 10_000].join(","));
        for range in ["", "bytes=", "bytes=5-1", "bytes=-", "lines=1-2", &many] {
            let response = with(&client, &[("range", range)]).await;
            assert_eq!(
                (response.status().as_u16(), response.text()),
                (200, "Hello, file!")
            );
        }
        let head = client
            .head("/static/hello.txt")
            .header("range", "bytes=0-1");
        assert_eq!(head.await.status(), 200, "ranges are for GET alone");
    });
}

#[test]
fn files_from_before_the_clock_and_from_the_future() {
    run(async {
        let site = Site::new("times");
        let client = site.client();
        let year = Duration::from_secs(365 * 24 * 3600);
        site.modify("hello.txt", UNIX_EPOCH - 10 * year);
        let old = with(&client, &[]).await;
        assert_eq!(old.header("last-modified"), "Thu, 01 Jan 1970 00:00:00 GMT");
        site.modify("hello.txt", SystemTime::now() + 100 * year);
        let new = with(&client, &[]).await;
        assert!(
            old.status() == 200 && new.status() == 200,
            "{old:?} {new:?}"
        );
        assert_ne!(old.header("etag"), new.header("etag"));
        let since = new.header("last-modified").to_owned();
        let date = httpdate(&since);
        assert!(date <= SystemTime::now(), "{since} is in the future");
    });
}

/// Reads the year alone, which is enough to see that it is not in a hundred years.
fn httpdate(text: &str) -> SystemTime {
    let year: u64 = text
        .split(' ')
        .nth(3)
        .and_then(|year| year.parse().ok())
        .expect(text);
    UNIX_EPOCH + Duration::from_secs((year - 1970) * 365 * 24 * 3600)
}

#[test]
fn a_folder_that_is_not_there_is_a_mistake() {
    let none = "/nobody/has/such/a/folder";
    let app = Application::new().static_files("/static", none);
    let err = app.check().expect_err("it is not there");
    assert!(matches!(err.problems(), [Problem::Folder { .. }]), "{err}");
    let text = err.to_string();
    for part in ["GET /static/{*path} (", "files.rs:", none, "No such file"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(Files::new(none).is_err());
    assert!(
        Files::new(std::env::current_exe().expect("own")).is_err(),
        "a file"
    );
}
