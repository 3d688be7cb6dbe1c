use std::sync::Arc;

use http::Request as HttpRequest;
use squall_http::Body;

use super::*;
use crate::request::Request;

/// The client of a request with these fields that came from `peer`, as address, scheme and host.
fn client(peer: &str, fields: ForwardedFields, head: &[(&str, &str)]) -> String {
    let mut request = HttpRequest::get("/").header("host", "inner");
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    let mut request = Request::from(request.body(Body::empty()).unwrap());
    let peer: SocketAddr = peer.parse().unwrap();
    let local: SocketAddr = "10.0.0.9:80".parse().unwrap();
    let trusted = "10.0.0.0/8 fd00::/8".parse().unwrap();
    let mut info = ConnectInfo::new(local, peer);
    info.forwarding = Some(Arc::new(Forwarding::new(trusted).fields(fields)));
    request.extensions_mut().insert(info);
    let client = request.client_info().unwrap();
    let host = client.host.unwrap_or_default();
    format!("{} {} {host}", client.address, client.scheme)
}

fn x_forwarded_for(value: &str) -> String {
    let told = client(
        "10.0.0.1:5",
        ForwardedFields::XForwarded,
        &[("x-forwarded-for", value)],
    );
    told.split(' ').next().unwrap().to_owned()
}

fn standard(value: &str) -> String {
    client(
        "10.0.0.1:5",
        ForwardedFields::Standard,
        &[("forwarded", value)],
    )
}

#[test]
fn the_client_is_the_rightmost_that_is_not_trusted() {
    for (value, expected) in [
        ("192.0.2.1", "192.0.2.1:0"),
        // Whatever a client sends itself is to the left of its own address.
        ("127.0.0.1, 192.0.2.1", "192.0.2.1:0"),
        ("10.0.0.7, 192.0.2.1", "192.0.2.1:0"),
        ("6.6.6.6, 192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1:0"),
        ("192.0.2.1,10.0.0.2", "192.0.2.1:0"),
        ("10.0.0.4, 10.0.0.3", "10.0.0.4:0"),
        ("192.0.2.1:4711", "192.0.2.1:4711"),
        ("2001:db8::1", "[2001:db8::1]:0"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("6.6.6.6, ::ffff:192.0.2.1", "192.0.2.1:0"),
        ("6.6.6.6, ::ffff:10.0.0.2", "6.6.6.6:0"),
        // What is no address ends the list: the last who is known is the answer.
        ("6.6.6.6, unknown", "10.0.0.1:5"),
        ("6.6.6.6, garbage, 10.0.0.2", "10.0.0.2:0"),
        ("6.6.6.6, ", "10.0.0.1:5"),
        ("", "10.0.0.1:5"),
        ("1.2.3.4.5", "10.0.0.1:5"),
        ("127.1", "10.0.0.1:5"),
        ("192.0.2.1\u{e9}", "10.0.0.1:5"),
    ] {
        assert_eq!(x_forwarded_for(value), expected, "{value:?}");
    }
}

#[test]
fn several_fields_are_one_list() {
    let head = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let told = client("10.0.0.1:5", ForwardedFields::XForwarded, &head);
    assert_eq!(told, "192.0.2.1:0 http inner");
}

#[test]
fn nothing_is_believed_of_one_who_is_not_trusted() {
    let head = [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;proto=https;host=evil"),
    ];
    for fields in [ForwardedFields::Standard, ForwardedFields::XForwarded] {
        assert_eq!(
            client("192.0.2.9:5", fields, &head),
            "192.0.2.9:5 http inner"
        );
    }
}

#[test]
fn only_the_fields_that_the_proxy_writes_are_looked_at() {
    let standard = [
        ("forwarded", "for=6.6.6.6;host=evil"),
        ("x-real-ip", "6.6.6.6"),
    ];
    let told = client("10.0.0.1:5", ForwardedFields::XForwarded, &standard);
    assert_eq!(told, "10.0.0.1:5 http inner");
    let older = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-host", "evil")];
    let told = client("10.0.0.1:5", ForwardedFields::Standard, &older);
    assert_eq!(told, "10.0.0.1:5 http inner");
}

#[test]
fn scheme_and_host_go_with_the_client_and_must_be_some() {
    let told = |proto: &str, host: &str| {
        let head = [
            ("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2"),
            ("x-forwarded-proto", proto),
            ("x-forwarded-host", host),
        ];
        client("10.0.0.1:5", ForwardedFields::XForwarded, &head)
    };
    for (proto, host, expected) in [
        ("https", "site.test", "https site.test"),
        ("HTTPS", "site.test:8443", "https site.test:8443"),
        // The nearest proxy has written the last.
        ("ftp, https", "evil, site.test", "https site.test"),
        ("javascript", "a b", "http inner"),
        ("https", "site.test/evil", "https inner"),
        ("https", "user@evil", "https inner"),
        // As many as addresses: the second is the client's.
        (
            "ftp, https, http",
            "evil, site.test, proxy",
            "https site.test",
        ),
    ] {
        assert_eq!(
            told(proto, host),
            format!("192.0.2.1:0 {expected}"),
            "{proto} {host}"
        );
    }
}

#[test]
fn elements_of_the_standard_field() {
    for (value, expected) in [
        ("for=192.0.2.1", "192.0.2.1:0 http inner"),
        (
            "For=\"[2001:db8::1]:4711\"",
            "[2001:db8::1]:4711 http inner",
        ),
        (
            "for=192.0.2.1;proto=https;by=10.0.0.1;host=site.test",
            "192.0.2.1:0 https site.test",
        ),
        (
            "for=6.6.6.6, for=192.0.2.1;proto=https, for=10.0.0.2",
            "192.0.2.1:0 https inner",
        ),
        (
            "for=\"6.6.6.6, for=10.0.0.2\", for=192.0.2.1",
            "192.0.2.1:0 http inner",
        ),
        (
            "host=\"si\\te.test\";for=192.0.2.1",
            "192.0.2.1:0 http site.test",
        ),
        ("for=_hidden;proto=https", "10.0.0.1:5 https inner"),
        (
            "for=6.6.6.6, for=unknown, for=10.0.0.2",
            "10.0.0.2:0 http inner",
        ),
        ("for=192.0.2.1;;proto=https , ", "10.0.0.1:5 http inner"),
        // Not well-formed: nothing of it is believed.
        ("for=6.6.6.6, for=\"192.0.2.1", "10.0.0.1:5 http inner"),
        ("for=192.0.2.1 for=6.6.6.6", "10.0.0.1:5 http inner"),
        ("for=19\"2.0.2.1", "10.0.0.1:5 http inner"),
        ("nonsense", "10.0.0.1:5 http inner"),
        ("=;=,=", "10.0.0.1:5 http inner"),
    ] {
        assert_eq!(standard(value), expected, "{value}");
    }
}

#[test]
fn no_text_makes_it_panic_and_long_lists_end() {
    let alphabet = [
        "for", "=", "\"", "\\", ",", ";", " ", "[", "]", ":", "1", ".", "\u{fc}",
    ];
    let mut seed = 7_u32;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += alphabet[(seed >> 16) as usize % alphabet.len()];
        }
        let _ = elements(&[text.as_bytes()]);
        let _ = address(&text);
    }
    let long = format!("6.6.6.6{}", ", 10.0.0.2".repeat(100));
    assert_eq!(x_forwarded_for(&long), "10.0.0.2:0");
}
