//! The failure for everyday use.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;

use super::{Note, chain};
use crate::extract::known_failure;
use crate::{IntoResponse, Response};

/// What a handler returns: a value, or any error.
pub type Result<T, E = HttpError> = std::result::Result<T, E>;

/// A status, a text for the peer, and a cause for the log.
///
/// Every error becomes one through `?`: status 500, the error as its cause, and nothing for the peer to read but the
/// name of the status. The rejections of this crate's extractors keep their own status and text.
///
/// It does not implement [`std::error::Error`] itself, so that the conversion from every error can exist.
///
/// # Examples
///
/// ```
/// use squall_web::{HttpError, Path, Result};
///
/// async fn article(Path(name): Path<String>) -> Result<String> {
///     if name.starts_with('.') {
///         return Err(HttpError::not_found("there is no such article"));
///     }
///     let text = std::fs::read_to_string(name)?; // an error is a 500; why is for the log alone
///     Ok(text)
/// }
/// # let _ = article;
/// ```
pub struct HttpError {
    status: StatusCode,
    message: Cow<'static, str>,
    cause: Option<Box<dyn Error>>,
}

impl HttpError {
    /// An error with this status; the peer reads the status's name.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            message: Cow::Borrowed(""),
            cause: None,
        }
    }

    /// 400 with a text for the peer.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST).message(message)
    }

    /// 403 with a text for the peer.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN).message(message)
    }

    /// 404 with a text for the peer.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND).message(message)
    }

    /// Sets the text for the peer.
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Sets the cause, for the log alone.
    pub fn cause(mut self, cause: impl Into<Box<dyn Error>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The cause, if there is one.
    pub fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref()
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for HttpError {
    fn from(error: E) -> Self {
        let cause = error.into();
        let error = match known_failure(&*cause) {
            Some(failure) => Self::new(failure.status()).message(failure.message()),
            None => Self::new(StatusCode::INTERNAL_SERVER_ERROR),
        };
        Self {
            cause: Some(cause),
            ..error
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let cause = self.cause.map(|cause| chain(&*cause));
        Note::new(self.message, cause).response(self.status)
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpError")
            .field("status", &self.status)
            .field("message", &self.message)
            .field("cause", &self.cause)
            .finish()
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::BodyRejection;

    fn fails<T>(error: impl Into<Box<dyn Error>>) -> Result<T> {
        Err(error.into())?
    }

    #[test]
    fn any_error_is_a_500_with_its_cause_kept() {
        let boxed: Box<dyn Error> = "no table `users`".into();
        let error = fails::<()>(boxed).expect_err("it failed");
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(error.to_string(), "500 Internal Server Error");
        let cause = error.source().expect("a cause").to_string();
        assert_eq!(cause, "no table `users`");
    }

    #[test]
    fn a_rejection_keeps_its_status_and_text() {
        let error = fails::<()>(BodyRejection::TooLarge { limit: 8 }).expect_err("it failed");
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(error.to_string().contains("8 bytes"), "{error}");
    }
}
