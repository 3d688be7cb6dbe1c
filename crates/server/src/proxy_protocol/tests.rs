use super::*;

/// Reads as the server does: as many bytes as are asked for, or fewer; returns what is left.
fn read(wire: &[u8], most_at_once: usize) -> Result<Option<(Header, &[u8])>, ProxyError> {
    let mut end = 0;
    loop {
        match parse(&wire[..end])? {
            Parsed::Header(header) => return Ok(Some((header, &wire[end..]))),
            Parsed::More(more) => {
                assert!(more > 0, "it asks for nothing after {end}");
                if end == wire.len() {
                    return Ok(None);
                }
                end = (end + more.min(most_at_once)).min(wire.len());
            }
        }
    }
}

/// The outcome, which must be the same however the bytes come, and must leave what follows alone.
fn whole(header: &[u8]) -> Result<Header, ProxyError> {
    let wire = [header, b"GET / HTTP/1.1\r\n"].concat();
    let outcome = read(&wire, usize::MAX).map(|read| read.expect("it is complete"));
    for at_once in 1..=header.len() {
        let again = read(&wire, at_once).map(|read| read.expect("it is complete"));
        assert_eq!(again, outcome, "{at_once} bytes at a time");
    }
    if outcome.is_ok() {
        for cut in 0..header.len() {
            assert_eq!(read(&header[..cut], usize::MAX), Ok(None), "cut at {cut}");
        }
    }
    outcome.map(|(header, rest)| {
        assert_eq!(rest, b"GET / HTTP/1.1\r\n");
        header
    })
}

fn tcp(source: &str, destination: &str) -> Header {
    let end = |text: &str| Address::Tcp(text.parse().unwrap());
    Header::Forwarded(end(source), end(destination))
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut wire = SIGNATURE.to_vec();
    wire.extend([0x20 | command, family]);
    wire.extend((rest.len() as u16).to_be_bytes());
    wire.extend(rest);
    wire
}

#[test]
fn lines_of_version_1() {
    let longest = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
        ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    let far = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    for (line, expected) in [
        (
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
            tcp("192.0.2.1:56324", "192.0.2.2:443"),
        ),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 0 0\r\n",
            tcp("1.1.1.1:0", "2.2.2.2:0"),
        ),
        (
            "PROXY TCP6 ::1 fd00::2 1 2\r\n",
            tcp("[::1]:1", "[fd00::2]:2"),
        ),
        (longest, tcp(far, far)),
        ("PROXY UNKNOWN\r\n", Header::Local),
        ("PROXY UNKNOWN whatever it says 1 2\r\n", Header::Local),
    ] {
        assert_eq!(whole(line.as_bytes()), Ok(expected), "{line}");
    }
}

#[test]
fn bad_lines_of_version_1() {
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
    for (line, expected) in [
        (
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 9\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY TCP4 192.0.2.1 192.0.2.2 +1 443\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY TCP4 192.0.2.1  192.0.2.2 1 443\r\n",
            ProxyError::BadAddress,
        ),
        ("PROXY TCP4 ::1 ::1 1 443\r\n", ProxyError::BadAddress),
        (
            "PROXY TCP6 1.1.1.1 1.1.1.1 1 443\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY TCP5 1.1.1.1 1.1.1.1 1 443\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY TCP4 192.0.2.1\t192.0.2.2 1 443\r\n",
            ProxyError::BadAddress,
        ),
        (
            "PROXY \u{e9}TCP4 1.1.1.1 1.1.1.1 1 2\r\n",
            ProxyError::BadAddress,
        ),
        ("GET / HTTP/1.1\r\n", ProxyError::NotAHeader),
        ("PROXYTCP4 1.1.1.1", ProxyError::NotAHeader),
        ("proxy TCP4 1.1.1.1 1.1.1.1 1 2\r\n", ProxyError::NotAHeader),
        (&long, ProxyError::TooLong),
    ] {
        assert_eq!(whole(line.as_bytes()), Err(expected), "{line}");
    }
}

#[test]
fn headers_of_version_2() {
    let v4 = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0x01, 0xbb];
    let expected = tcp("192.0.2.1:56324", "192.0.2.2:443");
    assert_eq!(whole(&version_2(1, 0x11, &v4)), Ok(expected.clone()));
    let with_more = [&v4[..], &[4, 0, 3, b'x', b'y', b'z']].concat();
    assert_eq!(whole(&version_2(1, 0x11, &with_more)), Ok(expected));

    let mut v6 = [0; 36];
    (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 3, 4);
    assert_eq!(
        whole(&version_2(1, 0x21, &v6)),
        Ok(tcp("[::1]:3", "[::2]:4"))
    );

    let mut paths = [0; 216];
    paths[..5].copy_from_slice(b"/from");
    let Ok(Header::Forwarded(source, destination)) = whole(&version_2(1, 0x31, &paths)) else {
        panic!("paths are addresses");
    };
    assert_eq!(
        (source.to_string(), destination.to_string()),
        ("unix:/from".into(), "unix".into())
    );

    for local in [
        version_2(0, 0x00, &[]),
        version_2(0, 0x11, &v4),
        version_2(1, 0x00, b"xy"),
    ] {
        assert_eq!(whole(&local), Ok(Header::Local));
    }
    assert_eq!(
        whole(&version_2(0, 0, &[0; LONGEST_REST])),
        Ok(Header::Local)
    );
}

#[test]
fn bad_headers_of_version_2() {
    let mut other_version = version_2(1, 0x11, &[0; 12]);
    other_version[12] = 0x11;
    for (wire, expected) in [
        (other_version, ProxyError::BadCommand),
        (version_2(2, 0x11, &[0; 12]), ProxyError::BadCommand),
        (version_2(1, 0x11, &[0; 11]), ProxyError::BadAddress),
        (version_2(1, 0x21, &[0; 35]), ProxyError::BadAddress),
        (version_2(1, 0x31, &[0; 215]), ProxyError::BadAddress),
        (version_2(1, 0x41, &[0; 216]), ProxyError::BadAddress),
        (version_2(0, 0, &[0; LONGEST_REST + 1]), ProxyError::TooLong),
        (b"\r\n\r\nGET / HTTP/1.1".to_vec(), ProxyError::NotAHeader),
    ] {
        assert_eq!(whole(&wire), Err(expected), "{wire:?}");
    }
}
