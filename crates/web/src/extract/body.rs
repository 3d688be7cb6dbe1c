//! The whole body, in memory.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use squall_http::{Body, BodyError};

use super::Needs;
use crate::{Context, Failure, FromRequest};

/// Takes and reads the whole body, up to the application's limit.
pub(crate) async fn collect(cx: &mut Context) -> Result<Bytes, BodyRejection> {
    let limit = cx.body_limit();
    match cx.take_body()? {
        // Most have come together with the head.
        Body::Full(bytes) if bytes.len() <= limit => Ok(bytes),
        body => body.collect(limit).await.map_err(|err| match err {
            BodyError::TooLarge { limit } => BodyRejection::TooLarge { limit },
            err => BodyRejection::Failed(err),
        }),
    }
}

/// The body, up to [`Application::body_limit`](crate::Application::body_limit) bytes (default 2 MiB).
impl FromRequest for Bytes {
    type Rejection = BodyRejection;

    async fn from_request(cx: &mut Context) -> Result<Self, BodyRejection> {
        collect(cx).await
    }

    fn is_ready(cx: &Context) -> bool {
        cx.has_whole_body()
    }

    fn needs(needs: &mut Needs) {
        needs.body::<Self>();
    }
}

/// The body as UTF-8, whatever its `Content-Type` says, up to
/// [`Application::body_limit`](crate::Application::body_limit) bytes (default 2 MiB).
impl FromRequest for String {
    type Rejection = BodyRejection;

    async fn from_request(cx: &mut Context) -> Result<Self, BodyRejection> {
        let bytes = collect(cx).await?;
        String::from_utf8(bytes.into()).map_err(|_| BodyRejection::NotUtf8)
    }

    fn is_ready(cx: &Context) -> bool {
        cx.has_whole_body()
    }

    fn needs(needs: &mut Needs) {
        needs.body::<Self>();
    }
}

/// The body could not be had.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BodyRejection {
    /// It did not arrive whole; the status is [`BodyError::status`].
    Failed(BodyError),
    /// It is not UTF-8: status 400.
    NotUtf8,
    /// Another extractor has taken it, which is the application's mistake: status 500.
    Taken,
    /// It has more bytes than the application allows: status 413.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Failure for BodyRejection {
    fn status(&self) -> StatusCode {
        match self {
            Self::Failed(err) => err.status(),
            Self::NotUtf8 => StatusCode::BAD_REQUEST,
            Self::Taken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Failed(_) => Cow::Borrowed("the body did not arrive whole"),
            Self::NotUtf8 => Cow::Borrowed("the body is not UTF-8"),
            Self::Taken => Cow::Borrowed(""),
            Self::TooLarge { limit } => format!("the body may have at most {limit} bytes").into(),
        }
    }
}

impl fmt::Display for BodyRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(_) => f.write_str("the body did not arrive whole"),
            Self::NotUtf8 => f.write_str("the body is not UTF-8"),
            Self::Taken => f.write_str("two extractors of one handler take the body"),
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "the body is larger than `Application::body_limit`, {limit} bytes"
                )
            }
        }
    }
}

impl Error for BodyRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(err) => Some(err),
            _ => None,
        }
    }
}
