//! The servers that are compared, and how one is started.

mod prepare;
mod roster;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use prepare::Places;
pub(crate) use roster::{FLOOR, ROSTER, SQUALL, Server};

use crate::drive::last_line;
use crate::pin;
use crate::process::{self, Process};
use roster::Kind;

/// How long a server may take to listen; Tornado under valgrind needs most of a minute.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks whether it listens.
const GLANCE: Duration = Duration::from_millis(2);
/// How often a server is started anew when somebody else took its port.
const ATTEMPTS: usize = 3;

/// A server that has been built or found.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) server: &'static Server,
    /// Of the machine where the package manager chose it, else the pinned one.
    pub(crate) version: String,
    program: PathBuf,
}

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    /// The core it runs on; any when there is none.
    pub(crate) core: Option<usize>,
    /// Routes that it has besides the usual ones.
    pub(crate) routes: usize,
    /// Threads that answer; 0 is the same as 1.
    pub(crate) loops: usize,
    /// The folder of its certificate, when it speaks TLS.
    pub(crate) tls: Option<PathBuf>,
    /// What `GET /file` answers.
    pub(crate) file: Option<PathBuf>,
}

impl Setting {
    /// As `wire` says; nothing is said of what is not wanted, for not every server knows all of it.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        if self.routes > 0 {
            add("--routes", self.routes.to_string());
        }
        if self.loops > 1 {
            add("--loops", self.loops.to_string());
        }
        if let Some(folder) = &self.tls {
            add("--tls", folder.display().to_string());
        }
        if let Some(file) = &self.file {
            add("--file", file.display().to_string());
        }
        arguments
    }

    /// The same for nginx, whose file has words in capitals where something is to be filled in.
    fn configure(&self, text: &str) -> String {
        let (listen, tls) = match &self.tls {
            None => ("", String::new()),
            Some(folder) => {
                let folder = folder.display();
                let tls = format!(
                    "ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;"
                );
                ("ssl", tls)
            }
        };
        let file = self.file.as_deref().unwrap_or(Path::new("/dev/null"));
        text.lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(|line| line.to_owned() + "\n")
            .collect::<String>()
            .replace("LISTEN", listen)
            .replace("LOOPS", &self.loops.max(1).to_string())
            .replace("FILE", &file.display().to_string())
            .replace("TLS", &tls)
    }
}

/// How one learns where a server listens.
#[derive(Debug)]
enum Whereabouts {
    /// Its first line says so.
    Announced,
    /// It was told where, and makes a file once it does: that somebody listens there would not be enough, for
    /// somebody else may have been faster.
    Told { address: SocketAddr, sign: PathBuf },
}

impl Whereabouts {
    /// The address, once the server has it.
    fn address(&self, out: &Path) -> Option<SocketAddr> {
        match self {
            Self::Announced => announced(out),
            Self::Told { address, sign } => sign.exists().then_some(*address),
        }
    }

    /// For a complaint: where it was to listen may be why it does not.
    fn told(&self) -> String {
        match self {
            Self::Announced => String::new(),
            Self::Told { address, .. } => format!(", told to listen at {address},"),
        }
    }
}

/// A server that listens; ends when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// Where its standard error goes.
    pub(crate) err: PathBuf,
}

impl Ready {
    /// Starts it as `setting` says; `wrap` may put another program around it.
    ///
    /// # Errors
    ///
    /// A sentence with the last line that the server wrote.
    pub(crate) fn start(
        &self,
        setting: &Setting,
        places: &Places,
        wrap: impl Fn(Command) -> Command,
    ) -> Result<Running, String> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            match self.attempt(setting, places, &wrap) {
                Ok(running) => return Ok(running),
                Err(err) => last = err,
            }
        }
        Err(last)
    }

    fn attempt(
        &self,
        setting: &Setting,
        places: &Places,
        wrap: impl Fn(Command) -> Command,
    ) -> Result<Running, String> {
        let name = self.server.name;
        let cannot = |err: std::io::Error| format!("{name} does not start: {err}");
        let folder = places.work.join(name);
        process::undisturbed(|| fs::create_dir_all(&folder)).map_err(cannot)?;
        let (command, whereabouts) = self.command(setting, places, &folder).map_err(cannot)?;
        let (out, err) = (folder.join("out"), folder.join("err"));
        let mut process = pin::on(setting.core, || {
            Process::start_into(&mut wrap(command), &out, &err)
        })
        .map_err(cannot)?;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = whereabouts.address(&out)
                && TcpStream::connect_timeout(&address, PATIENCE).is_ok()
            {
                return Ok(Running {
                    process,
                    address,
                    err,
                });
            }
            if let Some(status) = process.ended().map_err(cannot)? {
                let complaint = last_line(&err);
                let place = whereabouts.told();
                return Err(format!("{name}{place} ended with {status}: {complaint}"));
            }
            if Instant::now() > until {
                return Err(format!("{name} did not listen within {PATIENCE:?}"));
            }
            thread::sleep(GLANCE);
        }
    }

    /// The command, and how to learn the address.
    fn command(
        &self,
        setting: &Setting,
        places: &Places,
        folder: &Path,
    ) -> std::io::Result<(Command, Whereabouts)> {
        let mut command = Command::new(&self.program);
        command.current_dir(folder);
        match self.server.kind {
            Kind::Own(_) | Kind::Peer(_) => {}
            Kind::Bun(script) => {
                command.arg(places.peers.join("node").join(script));
            }
            Kind::Node(script) => {
                command
                    .arg(places.peers.join("node").join(script))
                    .env("NODE_PATH", places.node_modules());
            }
            Kind::Tornado => {
                command.arg(places.peers.join("tornado/server.py"));
            }
            Kind::Nginx => {
                let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
                let text = fs::read_to_string(places.peers.join("nginx/nginx.conf"))?;
                let text = setting
                    .configure(&text)
                    .replace("PORT", &address.port().to_string())
                    .replace("FOLDER", &folder.display().to_string());
                let file = folder.join("nginx.conf");
                fs::write(&file, text)?;
                command.arg("-p").arg(folder).arg("-c").arg(file);
                // Otherwise it complains about the log it cannot open before it has read the file.
                command.args(["-e", "error.log"]);
                let sign = folder.join("nginx.pid");
                // That of the round before, which was killed.
                if sign.exists() {
                    fs::remove_file(&sign)?;
                }
                return Ok((command, Whereabouts::Told { address, sign }));
            }
        }
        command.args(["--port", "0"]).args(self.server.words);
        command.args(setting.arguments());
        Ok((command, Whereabouts::Announced))
    }
}

/// The address in the first line of a server's output, once that line is complete.
fn announced(out: &Path) -> Option<SocketAddr> {
    let text = fs::read_to_string(out).ok()?;
    let (line, _) = text.split_once('\n')?;
    let rest = line
        .strip_prefix("http://")
        .or(line.strip_prefix("https://"))?;
    rest.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_at_the_address_is_not_taken_for_the_server() {
        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let folder = std::env::temp_dir().join(format!("squall-sign-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (sign, out) = (folder.join("pid"), folder.join("out"));
        let told = Whereabouts::Told {
            address: stranger.local_addr().unwrap(),
            sign: sign.clone(),
        };
        let before = told.address(&out);
        fs::write(&sign, "7").unwrap();
        let after = told.address(&out);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((before, after), (None, stranger.local_addr().ok()));
    }
}
