//! The parts of the request that need no decoding, and all of it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use http::{HeaderMap, Method, StatusCode, Uri};
use squall_server::{ClientInfo, ConnectInfo};

use super::{BodyRejection, Needs};
use crate::{Context, Failure, FromRequest, Request};

/// The method; `HEAD` also where the handler was added for `GET`.
impl FromRequest for Method {
    type Rejection = Infallible;

    async fn from_request(cx: &mut Context) -> Result<Self, Infallible> {
        Ok(cx.method().clone())
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

/// The target of the request.
impl FromRequest for Uri {
    type Rejection = Infallible;

    async fn from_request(cx: &mut Context) -> Result<Self, Infallible> {
        Ok(cx.uri().clone())
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

/// All header fields.
impl FromRequest for HeaderMap {
    type Rejection = Infallible;

    async fn from_request(cx: &mut Context) -> Result<Self, Infallible> {
        Ok(cx.headers().clone())
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

/// The whole request, its body as it arrives: no limit but the server's holds for it.
///
/// The head is copied, so that extractors after it see it too.
impl FromRequest for Request {
    type Rejection = BodyRejection;

    async fn from_request(cx: &mut Context) -> Result<Self, BodyRejection> {
        let body = cx.take_body()?;
        let request = cx.request();
        let mut own = request.head().clone().into_request(body);
        *own.extensions_mut() = request.extensions().clone();
        if let Some(info) = request.connect_info() {
            own.extensions_mut().insert(info.clone());
        }
        Ok(own)
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }

    fn needs(needs: &mut Needs) {
        needs.body::<Self>();
    }
}

/// The two ends of the connection.
impl FromRequest for ConnectInfo {
    type Rejection = MissingConnectInfo;

    async fn from_request(cx: &mut Context) -> Result<Self, MissingConnectInfo> {
        cx.request()
            .connect_info()
            .cloned()
            .ok_or(MissingConnectInfo)
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

/// The client as the proxies tell of it that the server trusts, or else as the connection does: see
/// [`Config::forwarding`](squall_server::Config::forwarding).
impl FromRequest for ClientInfo {
    type Rejection = MissingConnectInfo;

    async fn from_request(cx: &mut Context) -> Result<Self, MissingConnectInfo> {
        cx.request().client_info().ok_or(MissingConnectInfo)
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

/// The request did not come from a server of this project, or not over a connection: status 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingConnectInfo;

impl Failure for MissingConnectInfo {
    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }
}

impl fmt::Display for MissingConnectInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request carries no `ConnectInfo`")
    }
}

impl Error for MissingConnectInfo {}
