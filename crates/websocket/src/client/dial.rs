//! From a URL to a stream on which the handshake can begin.

use http::header::{PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, Method};
use squall_http::h1::{RequestStart, TargetForm};
use squall_net::{IoStream, Secure};

use super::error::Kind;
use super::exchange::exchange;
use super::url::Url;
use super::{AGENT, Stage};

/// Connects to a server, through a proxy if there is one. `stage` tells where an error happened.
pub(super) async fn dial(
    server: &Url,
    proxy: Option<&Url>,
    secure: &dyn Secure,
    stage: &Stage,
) -> Result<IoStream, Kind> {
    let stream = match proxy {
        None => connect(server).await?,
        Some(proxy) => {
            stage.enter_proxy();
            let stream = connect(proxy).await?;
            let stream = secured(proxy, secure, stream).await?;
            let stream = tunnel(stream, server, proxy).await?;
            stage.enter_server();
            stream
        }
    };
    secured(server, secure, stream).await
}

async fn connect(url: &Url) -> Result<IoStream, Kind> {
    IoStream::connect(&url.host, url.port)
        .await
        .map_err(Kind::Connect)
}

/// Secures a stream, if the URL says so.
pub(super) async fn secured(
    url: &Url,
    secure: &dyn Secure,
    stream: IoStream,
) -> Result<IoStream, Kind> {
    if !url.secure {
        return Ok(stream);
    }
    let securing = secure.secure(&url.host, stream).ok_or(Kind::Tls)?;
    securing.await.map_err(Kind::Connect)
}

/// Has a proxy connect to the server (RFC 9110 section 9.3.6), also where no TLS follows: a proxy that only passes requests
/// on would not know what to do with a WebSocket (RFC 6455 section 4.1, step 3).
async fn tunnel(mut stream: IoStream, server: &Url, proxy: &Url) -> Result<IoStream, Kind> {
    let target = server
        .tunnel()
        .map_err(|err| Kind::BadUrl(err.to_string()))?;
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, AGENT);
    if let Some(authorization) = &proxy.authorization {
        headers.insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    let start = RequestStart {
        method: &Method::CONNECT,
        target: &target,
        form: TargetForm::Authority,
        headers: &headers,
        length: Some(0),
        keep_alive: true,
    };
    let answer = exchange(&mut stream, &start).await?;
    if !answer.is_switch() || !answer.head.status.is_success() {
        return Err(Kind::refused(answer));
    }
    // Neither TLS nor a handshake begins with the server.
    if !answer.unread.is_empty() {
        return Err(Kind::Unasked);
    }
    Ok(stream)
}
