//! Bytes to a server and back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long the server may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends bytes on a new connection and returns all that comes until the server closes it.
///
/// # Errors
///
/// When the server cannot be reached, resets the connection or does not close it.
pub(super) fn exchange(address: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let exchange = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(bytes)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    exchange().map_err(|err| {
        format!(
            "{address} did not answer `{}` to its end: {err}",
            bytes.escape_ascii()
        )
    })
}
