//! How two ends come to agree (RFC 7692 section 7.1).

use std::fmt;

use http::HeaderValue;

use super::extension::{Extension, NAME, Terms, each_extension};
use super::{DeflateOptions, DeflateParams, ExtensionError, LARGEST_WINDOW};

impl DeflateOptions {
    /// Chooses, as a server, among the offers of a client: the values of `Sec-WebSocket-Extensions` in their order.
    /// Returns what is agreed on, and the value of that field in the response; `None` if no offer can be accepted.
    ///
    /// Other extensions are passed over, and so are offers whose parameters are not known, are repeated, or have
    /// values that they cannot have: there may be a simpler offer behind.
    ///
    /// # Errors
    ///
    /// [`ExtensionError::Syntax`] if a value is malformed, whatever extension that is in.
    pub fn accept<'a>(
        &self,
        offers: impl IntoIterator<Item = &'a HeaderValue>,
    ) -> Result<Option<(DeflateParams, HeaderValue)>, ExtensionError> {
        let mut accepted = None;
        for line in offers {
            each_extension(line.as_bytes(), |extension| {
                accepted = accepted.or(extension.terms);
                Ok(())
            })?;
        }
        Ok(accepted.map(|offer| {
            let (params, response) = self.answer(offer);
            (params, header_value(response))
        }))
    }

    /// Returns, as a client, the value of `Sec-WebSocket-Extensions` in the request.
    pub fn offer(&self) -> HeaderValue {
        match self.offers() {
            (offer, None) => header_value(offer),
            (offer, Some(fallback)) => header_value(format_args!("{offer}, {fallback}")),
        }
    }

    /// Reads, as a client, the response to [`offer`](Self::offer): the values of `Sec-WebSocket-Extensions` in their
    /// order. `None` if the server does without compression.
    ///
    /// # Errors
    ///
    /// Whatever is no answer to the offer. The connection has to fail then (RFC 7692 section 5.1).
    pub fn read_response<'a>(
        &self,
        response: impl IntoIterator<Item = &'a HeaderValue>,
    ) -> Result<Option<DeflateParams>, ExtensionError> {
        let mut agreed = None;
        for line in response {
            each_extension(line.as_bytes(), |Extension { name, terms }| {
                if name != NAME {
                    return Err(ExtensionError::Unasked);
                }
                let terms = terms.ok_or(ExtensionError::Parameters)?;
                // Only an offer may leave the value out (RFC 7692 section 7.1.2.2).
                if terms.client_max_window_bits == Some(None) {
                    return Err(ExtensionError::Parameters);
                }
                match agreed.replace(terms) {
                    None => Ok(()),
                    Some(_) => Err(ExtensionError::Repeated),
                }
            })?;
        }
        let Some(agreed) = agreed else {
            return Ok(None);
        };
        let (offer, fallback) = self.offers();
        offer
            .met_by(agreed)
            .or_else(|| fallback?.met_by(agreed))
            .map(Some)
            .ok_or(ExtensionError::Unmet)
    }

    /// What a server makes of an offer, and what it answers.
    fn answer(&self, offer: Terms) -> (DeflateParams, Terms) {
        let server_bits = offer.server_max_window_bits.unwrap_or(LARGEST_WINDOW);
        let client_bits = offer.client_max_window_bits.flatten();
        let mut params = DeflateParams {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits.unwrap_or(LARGEST_WINDOW),
        };
        let mut response = Terms::default();
        if let Some(bits) = self.mode.window() {
            params.server_no_context_takeover = offer.server_no_context_takeover;
            params.server_max_window_bits = server_bits.min(bits);
            // A client that cannot bound its window would have us remember more than we want to.
            params.client_no_context_takeover = offer.client_no_context_takeover
                || (offer.client_max_window_bits.is_none() && bits < LARGEST_WINDOW);
            if !params.client_no_context_takeover {
                params.client_max_window_bits = params.client_max_window_bits.min(bits);
                response.client_max_window_bits = (params.client_max_window_bits < LARGEST_WINDOW)
                    .then_some(Some(params.client_max_window_bits));
            }
        }
        response.server_no_context_takeover = params.server_no_context_takeover;
        response.client_no_context_takeover = params.client_no_context_takeover;
        // Who asks for a bound must be told one; who does not is spared a parameter that it may not know.
        response.server_max_window_bits = offer
            .server_max_window_bits
            .map(|_| params.server_max_window_bits);
        (params, response)
    }

    /// What a client asks for, and what it would take in its place.
    fn offers(&self) -> (Terms, Option<Terms>) {
        let open = Terms {
            client_max_window_bits: Some(None),
            ..Terms::default()
        };
        match self.mode.window() {
            None => {
                let alone = Terms {
                    server_no_context_takeover: true,
                    client_no_context_takeover: true,
                    ..open
                };
                // Tornado's server agrees to an offer and leaves out that it goes without contexts. With a second offer
                // it has agreed to that one, and the messages can be read.
                let theirs = Terms {
                    server_no_context_takeover: false,
                    ..alone
                };
                (alone, Some(theirs))
            }
            Some(LARGEST_WINDOW) => (open, None),
            Some(bits) => {
                let narrow = Terms {
                    client_max_window_bits: Some(Some(bits)),
                    ..open
                };
                // Not every server has windows of other sizes. Without a context none has to be remembered.
                let bounded = Terms {
                    server_max_window_bits: Some(bits),
                    ..narrow
                };
                let alone = Terms {
                    server_no_context_takeover: true,
                    ..narrow
                };
                (bounded, Some(alone))
            }
        }
    }
}

impl Terms {
    /// What is agreed on if `response` is an answer to this offer.
    fn met_by(self, response: Terms) -> Option<DeflateParams> {
        if self.server_no_context_takeover && !response.server_no_context_takeover {
            return None;
        }
        let server_bits = response.server_max_window_bits;
        if let Some(most) = self.server_max_window_bits
            && server_bits.is_none_or(|bits| bits > most)
        {
            return None;
        }
        // The value that was offered holds even if the server does not repeat it.
        let most = self
            .client_max_window_bits
            .flatten()
            .unwrap_or(LARGEST_WINDOW);
        let client_bits = match response.client_max_window_bits.flatten() {
            Some(_) if self.client_max_window_bits.is_none() => return None,
            Some(bits) if bits > most => return None,
            bits => bits.unwrap_or(most),
        };
        Some(DeflateParams {
            server_no_context_takeover: response.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || response.client_no_context_takeover,
            server_max_window_bits: server_bits.unwrap_or(LARGEST_WINDOW),
            client_max_window_bits: client_bits,
        })
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(None) => f.write_str("; client_max_window_bits"),
            Some(Some(bits)) => write!(f, "; client_max_window_bits={bits}"),
        }
    }
}

/// Makes the value of a field out of what is printable.
fn header_value(terms: impl fmt::Display) -> HeaderValue {
    HeaderValue::try_from(terms.to_string()).expect("names, numbers and punctuation")
}
