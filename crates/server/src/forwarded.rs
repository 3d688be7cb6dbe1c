//! The client behind the proxies: `Forwarded` (RFC 7239) and the older `X-Forwarded-*` fields.
//!
//! Anybody can write these fields, so they are believed only as far as they were written by proxies of one's own: from the
//! right, each address that is trusted vouches for the one to its left, and the first that is not trusted is the client. What
//! that says of others is its own tale.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderName};
use squall_http::h1::RequestHead;
use squall_net::Address;

use crate::service::ConnectInfo;
use crate::trusted::Trusted;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Most proxies in a row that are looked at; a longer list ends there.
const MOST: usize = 32;

/// Whose forwarding is believed, and which fields they write.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Forwarding {
    /// The proxies of one's own. Default: none, so no field is believed.
    pub trusted: Trusted,
    /// Which fields they write; others are not looked at, for a proxy that does not write a field hands on what a client has
    /// put there. Default: `X-Forwarded-*`.
    pub fields: ForwardedFields,
}

/// The fields by which proxies tell of their clients.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ForwardedFields {
    /// `Forwarded` (RFC 7239).
    Standard,
    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[default]
    XForwarded,
}

impl Forwarding {
    /// Believes these proxies, who write `X-Forwarded-*`.
    pub fn new(trusted: Trusted) -> Self {
        let fields = ForwardedFields::default();
        Self { trusted, fields }
    }

    /// Sets which fields the proxies write.
    #[must_use]
    pub fn fields(mut self, fields: ForwardedFields) -> Self {
        self.fields = fields;
        self
    }
}

/// The client as the trusted proxies tell of it, or as the connection does where there are none.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Where the request comes from; the port is 0 when a proxy has not told it.
    pub address: Address,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// The host that the client asked for, with its port if it named one; not checked against anything.
    pub host: Option<String>,
}

impl ClientInfo {
    pub(crate) fn of(head: &RequestHead, info: &ConnectInfo) -> Self {
        let host = head
            .values(&http::header::HOST)
            .next()
            .and_then(|value| std::str::from_utf8(value).ok())
            .map(str::to_owned);
        let mut client = Self {
            address: info.source().clone(),
            scheme: if info.tls.is_some() { "https" } else { "http" },
            host,
        };
        let Some(forwarding) = info.forwarding.as_deref() else {
            return client;
        };
        let trusted = &forwarding.trusted;
        if !trusted.has(&client.address) {
            return client;
        }
        let hop = match forwarding.fields {
            ForwardedFields::Standard => {
                let values: Vec<&[u8]> = head.values(&FORWARDED).collect();
                client_of(&elements(&values), trusted)
            }
            ForwardedFields::XForwarded => client_of(&x_forwarded(head), trusted),
        };
        client.address = hop.address.map_or(client.address, Address::Tcp);
        client.scheme = hop.scheme.unwrap_or(client.scheme);
        client.host = hop.host.or(client.host);
        client
    }
}

/// What one proxy says of whoever came to it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Hop {
    /// `None` if it does not say, or says nothing that is an address.
    address: Option<SocketAddr>,
    scheme: Option<&'static str>,
    host: Option<String>,
}

/// The client among hops, the nearest proxy's last. A trusted one has written the last of them.
fn client_of(hops: &[Hop], trusted: &Trusted) -> Hop {
    let mut client = Hop::default();
    for hop in hops.iter().rev().take(MOST) {
        // What a hop does not tell stays as the one before told it.
        client.address = hop.address.or(client.address);
        client.scheme = hop.scheme.or(client.scheme);
        client.host = hop.host.clone().or(client.host);
        // Nobody vouches for what is to the left of one who is not trusted, or not told.
        if !hop.address.is_some_and(|addr| trusted.has_ip(addr.ip())) {
            break;
        }
    }
    client
}

fn x_forwarded(head: &RequestHead) -> Vec<Hop> {
    let list = |name: &HeaderName| -> Vec<String> {
        head.values(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(|word| String::from_utf8_lossy(word.trim_ascii()).into_owned())
            .collect()
    };
    let (addresses, schemes, hosts) = (list(&FOR), list(&PROTO), list(&HOST));
    let count = addresses.len().max(1);
    // A list that is as long as the addresses goes with them; of any other, the nearest proxy has written the last.
    let at = |words: &[String], place: usize| {
        let place = if words.len() == count {
            Some(place)
        } else {
            words.len().checked_sub(1)
        };
        place.and_then(|place| words.get(place).cloned())
    };
    (0..count)
        .map(|place| Hop {
            address: addresses.get(place).and_then(|word| address(word)),
            scheme: at(&schemes, place).and_then(|word| scheme(&word)),
            host: at(&hosts, place).and_then(host),
        })
        .collect()
}

/// The elements of `Forwarded` fields (RFC 7239 §4); none if any of them is not well-formed.
fn elements(values: &[&[u8]]) -> Vec<Hop> {
    let mut hops = Vec::new();
    for value in values {
        let Some(found) = std::str::from_utf8(value).ok().and_then(elements_of) else {
            return Vec::new();
        };
        hops.extend(found);
    }
    hops
}

fn elements_of(mut text: &str) -> Option<Vec<Hop>> {
    let mut hops = vec![Hop::default()];
    loop {
        text = text.trim_start_matches([' ', '\t']);
        let end = text.find(['=', ',', ';']).unwrap_or(text.len());
        let name = text[..end].trim_end_matches([' ', '\t']);
        text = &text[end..];
        if let Some(rest) = text.strip_prefix('=') {
            let (value, rest) = value(rest)?;
            text = rest.trim_start_matches([' ', '\t']);
            let hop = hops.last_mut()?;
            match name.to_ascii_lowercase().as_str() {
                "for" => hop.address = address(&value),
                "proto" => hop.scheme = scheme(&value),
                "host" => hop.host = host(value),
                _ => {}
            }
        } else if !name.is_empty() {
            return None;
        }
        match text.chars().next() {
            None => return Some(hops),
            Some(',') => hops.push(Hop::default()),
            Some(';') => {}
            Some(_) => return None,
        }
        text = &text[1..];
    }
}

/// A token or a quoted string (RFC 9110 §5.6), and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        return (!text[..end].contains('"')).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[place + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// An IP address, with or without brackets and a port; nobody for `unknown` and names made up to hide one.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = bare.unwrap_or(text).parse::<IpAddr>();
    let found = match ip {
        Ok(ip) => Some(SocketAddr::new(ip, 0)),
        Err(_) => text.parse().ok(),
    };
    found.map(|addr| SocketAddr::new(addr.ip().to_canonical(), addr.port()))
}

fn scheme(text: &str) -> Option<&'static str> {
    ["http", "https"]
        .into_iter()
        .find(|scheme| text.eq_ignore_ascii_case(scheme))
}

/// A host that could be one: nothing in it may end a line, a word or a URL's authority.
fn host(text: String) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    (!text.is_empty() && text.len() <= 255 && text.bytes().all(allowed)).then_some(text)
}

#[cfg(test)]
mod tests;
