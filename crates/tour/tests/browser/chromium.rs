//! Chromium, driven through its debugging pipe: JSON messages with a NUL after each, no WebSocket and no driver needed.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything here takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a click is tried.
const CLICKS: u32 = 5;
/// What the browser is called, best first.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Without a screen, without the sandbox (which a container cannot have), and without calls home.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
];

/// A browser with one page open. Dropping it ends it.
pub(crate) struct Page {
    browser: Child,
    profile: PathBuf,
    requests: ChildStdin,
    messages: Receiver<Value>,
    /// The number of the last request.
    last: u64,
    /// The page, once there is one.
    session: Option<String>,
    problems: Vec<String>,
}

impl Page {
    /// Starts the browser; without one, prints so and gives nothing.
    pub(crate) fn open() -> Option<Self> {
        let Some(program) = find() else {
            skipped(&format!(
                "no browser is installed; looked for {}",
                NAMES.join(", ")
            ));
            return None;
        };
        let profile = env::temp_dir().join(format!("squall-tour-browser-{}", std::process::id()));
        // The browser reads from descriptor 3 and writes to 4; the shell puts our pipes there.
        let mut browser = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(&program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let requests = browser.stdin.take().expect("it is a pipe");
        let mut answers = BufReader::new(browser.stdout.take().expect("it is a pipe"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut text = Vec::new();
            while answers
                .read_until(0, &mut text)
                .is_ok_and(|count| count > 0)
            {
                text.pop();
                let message = serde_json::from_slice(&text).expect("the browser writes JSON");
                if sender.send(message).is_err() {
                    return;
                }
                text.clear();
            }
        });
        let mut page = Self {
            browser,
            profile,
            requests,
            messages,
            last: 0,
            session: None,
            problems: Vec::new(),
        };
        page.attach();
        Some(page)
    }

    fn attach(&mut self) {
        let made = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": made["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", attach);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        self.resize(1280, 900);
    }

    /// Loads an address and waits until its scripts have run.
    pub(crate) fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
        let begun = Instant::now();
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.expect("the page loads in time");
            self.note(&message);
            if message["method"] == "Page.loadEventFired" {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{url} does not load");
        }
    }

    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Evaluates an expression in the page, waiting for it if it is a promise.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", params);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["value"].take()
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        match self.eval(expression) {
            Value::String(text) => text,
            other => panic!("{expression} is no text but {other}"),
        }
    }

    pub(crate) fn count(&mut self, expression: &str) -> u64 {
        let value = self.eval(expression);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{expression} is no count but {value}"))
    }

    /// Clicks with the mouse into the middle of an element, and sees to it that the element was what was clicked.
    ///
    /// The page moves while runs write into it, so a click that went past is tried again, as a person would.
    pub(crate) fn click(&mut self, selector: &str) {
        let hit = (0..CLICKS).any(|_| self.try_click(selector));
        assert!(hit, "{selector} was not hit with {CLICKS} clicks");
    }

    /// Clicks once the element stands still; whether it was hit.
    fn try_click(&mut self, selector: &str) -> bool {
        let middle = self.eval(&format!(
            "(async () => {{
                const element = document.querySelector('{selector}');
                const place = () => {{
                    element.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                    const box = element.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }};
                let before, now = place();
                do {{
                    before = now;
                    await new Promise((done) => setTimeout(done, 50));
                    now = place();
                }} while (now[0] !== before[0] || now[1] !== before[1]);
                window.clicked = new Promise((done) => {{
                    document.addEventListener('click', ({{ target }}) => done(element.contains(target)), {{ once: true }});
                }});
                return now;
            }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
        // A press and a release on two different things is no click at all.
        let hit =
            "Promise.race([window.clicked, new Promise((done) => setTimeout(done, 2000, false))])";
        self.eval(hit) == true
    }

    /// Presses and releases a key that has a name.
    pub(crate) fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key});
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Everything that the console or the log of the page complained about.
    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut request = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        let mut text = request.to_string().into_bytes();
        text.push(0);
        self.requests.write_all(&text).expect("the browser reads");
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let mut message = message.unwrap_or_else(|err| panic!("{method}: {err}"));
            self.note(&message);
            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
        }
    }

    /// Keeps what a message complains about.
    fn note(&mut self, message: &Value) {
        let params = &message["params"];
        let is_problem = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => params["type"] == "error",
            Some("Log.entryAdded") => params["entry"]["level"] == "error",
            _ => false,
        };
        if is_problem {
            self.problems.push(params.to_string());
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Asked to end, it takes its helpers along. Errors mean that it has ended already.
        let _ = self
            .requests
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        while self.messages.recv_timeout(Duration::from_secs(5)).is_ok() {}
        let _ = self.browser.kill();
        let _ = self.browser.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// The browser of this machine, if it has one.
fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}
