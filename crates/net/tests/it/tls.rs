//! TLS between our own ends, in memory; other programs are the server's tests.

use std::fs;
use std::io;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedKey, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use squall_ioloop::{multi, spawn};
use squall_net::tls::{ClientTls, Pem, ServerTls};
use squall_net::{HandshakeError, IoStream, duplex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::folder::Folder;
use crate::on_loop;

/// Signs the certificates of a test.
pub(crate) struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, key }
    }

    pub(crate) fn pem(&self) -> Pem {
        Pem::bytes(self.certificate.pem())
    }

    pub(crate) fn sign(&self, name: &str) -> CertifiedKey {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key_pair = KeyPair::generate().expect("a key");
        let cert = params
            .signed_by(&key_pair, &self.certificate, &self.key)
            .expect("a certificate");
        CertifiedKey { cert, key_pair }
    }
}

pub(crate) fn chain(made: &CertifiedKey) -> Pem {
    Pem::bytes(made.cert.pem())
}

pub(crate) fn key(made: &CertifiedKey) -> Pem {
    Pem::bytes(made.key_pair.serialize_pem())
}

/// Both ends of a handshake over a duplex that holds `limit` bytes.
async fn shake(
    server: &ServerTls,
    client: &ClientTls,
    host: &str,
    limit: usize,
) -> (io::Result<IoStream>, Result<IoStream, HandshakeError>) {
    let (near, far) = duplex(limit);
    let server = server.clone();
    let accepting = spawn(async move { server.accept(far).await });
    let connected = client.connect(host, near).await;
    (connected, accepting.await.expect("it does not panic"))
}

#[test]
fn bytes_go_both_ways_and_the_ends_know_of_each_other() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(authority.pem())?;
        // A transport that holds less than a record makes it come in pieces.
        for limit in [3000, 64 * 1024] {
            let (near, far) = shake(&server, &client, "squall.test", limit).await;
            let (mut near, mut far) = (near?, far?);
            let sent: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
            let expected = sent.clone();
            let writing = spawn(async move {
                near.write_all(&sent).await?;
                near.shutdown().await?;
                let mut answer = String::new();
                near.read_to_string(&mut answer).await?;
                Ok::<_, io::Error>((answer, near))
            });
            let mut received = Vec::new();
            far.read_to_end(&mut received).await?;
            assert!(received == expected);
            far.write_all(b"thanks").await?;
            far.shutdown().await?;
            let (answer, near) = writing.await??;
            assert_eq!(answer, "thanks");

            let info = far.tls().ok_or("it is secured")?;
            assert_eq!(info.version, "TLSv1.3");
            assert!(info.cipher_suite.starts_with("TLS13_"), "{info:?}");
            assert_eq!(info.server_name.as_deref(), Some("squall.test"));
            assert_eq!(info.alpn.as_deref(), Some("http/1.1"));
            assert!(info.certificates.is_empty());
            let seen = near.tls().ok_or("it is secured")?;
            assert_eq!(seen.certificates, [made.cert.der().to_vec()]);
            assert_eq!(near.peer_addr()?.to_string(), "memory");
        }
        Ok(())
    });
}

#[test]
fn an_end_without_the_closing_alert_is_an_error() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(authority.pem())?;
        let (near, far) = shake(&server, &client, "squall.test", 64 * 1024).await;
        let (mut near, mut far) = (near?, far?);
        near.write_all(b"half").await?;
        near.flush().await?;
        // As a wire that is cut: the transport ends, and TLS says nothing.
        drop(near);
        let mut received = Vec::new();
        let err = far
            .read_to_end(&mut received)
            .await
            .expect_err("it was cut");
        assert_eq!(received, b"half");
        assert_eq!(err.kind(), io::ErrorKind::UnexpectedEof);
        assert!(err.to_string().contains("closing alert"), "{err}");
        Ok(())
    });
}

#[test]
fn what_is_decrypted_already_counts_as_unread() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(authority.pem())?;
        let (near, far) = shake(&server, &client, "squall.test", 64 * 1024).await;
        let (mut near, mut far) = (near?, far?);
        assert!(!far.has_unread());
        near.write_all(b"two").await?;
        near.flush().await?;
        assert!(far.has_unread());
        assert_eq!(far.read_u8().await?, b't');
        assert!(far.has_unread(), "the rest is in no socket any more");
        assert_eq!(far.read_u16().await?, u16::from_be_bytes(*b"wo"));
        assert!(!far.has_unread());
        near.shutdown().await?;
        assert_eq!(far.read(&mut [0]).await?, 0);
        Ok(())
    });
}

#[test]
fn each_name_gets_its_certificate_and_strangers_the_first() {
    on_loop(async {
        let authority = Authority::new();
        let first = authority.sign("first.test");
        let second = authority.sign("*.second.test");
        let server = ServerTls::builder(chain(&first), key(&first))
            .certificate(chain(&second), key(&second))
            .build()?;
        let client = ClientTls::trusting(authority.pem())?;
        for (host, made) in [("first.test", &first), ("www.second.test", &second)] {
            let (near, _far) = shake(&server, &client, host, 64 * 1024).await;
            let near = near?;
            let info = near.tls().ok_or("it is secured")?;
            assert_eq!(info.certificates, [made.cert.der().to_vec()], "{host}");
        }
        let (near, _far) = shake(&server, &client, "stranger.test", 64 * 1024).await;
        let err = near.expect_err("the first certificate is not for that name");
        assert!(err.to_string().contains("stranger.test"), "{err}");
        assert!(err.to_string().contains("not valid for name"), "{err}");
        Ok(())
    });
}

#[test]
fn a_client_that_does_not_know_the_authority_says_so_and_the_server_hears_it() {
    on_loop(async {
        let made = Authority::new().sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(Authority::new().pem())?;
        let (near, far) = shake(&server, &client, "squall.test", 64 * 1024).await;
        let err = near.expect_err("it is somebody else's").to_string();
        assert!(
            err.contains("the certificate of squall.test is not accepted"),
            "{err}"
        );
        let err = far.expect_err("the client refused");
        assert!(err.to_string().contains("refused with the alert"), "{err}");
        assert!(!err.is_plain());
        Ok(())
    });
}

#[test]
fn client_certificates_are_asked_for_or_required() {
    on_loop(async {
        let authority = Authority::new();
        let (made, own) = (authority.sign("squall.test"), authority.sign("client.test"));
        let strange = Authority::new().sign("client.test");
        let without = ClientTls::trusting(authority.pem())?;
        let with = ClientTls::with_certificate(authority.pem(), chain(&own), key(&own))?;
        let stranger =
            ClientTls::with_certificate(authority.pem(), chain(&strange), key(&strange))?;
        let builder = || ServerTls::builder(chain(&made), key(&made));
        let asking = builder()
            .ask_for_client_certificates(authority.pem())
            .build()?;
        let requiring = builder()
            .require_client_certificates(authority.pem())
            .build()?;

        for server in [&asking, &requiring] {
            let (_near, far) = shake(server, &with, "squall.test", 64 * 1024).await;
            let far = far?;
            let info = far.tls().ok_or("it is secured")?;
            assert_eq!(info.certificates, [own.cert.der().to_vec()]);
            let (_near, far) = shake(server, &stranger, "squall.test", 64 * 1024).await;
            let err = far.expect_err("it is of another authority").to_string();
            assert!(err.contains("certificate is not accepted"), "{err}");
        }
        let (_near, far) = shake(&asking, &without, "squall.test", 64 * 1024).await;
        assert!(far?.tls().is_some_and(|info| info.certificates.is_empty()));
        let (_near, far) = shake(&requiring, &without, "squall.test", 64 * 1024).await;
        let err = far.expect_err("one is required").to_string();
        assert!(err.contains("shown no certificate"), "{err}");
        Ok(())
    });
}

#[test]
fn an_ip_address_is_verified_too() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("127.0.0.1");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(authority.pem())?;
        let (near, far) = shake(&server, &client, "127.0.0.1", 64 * 1024).await;
        near?;
        assert_eq!(far?.tls().and_then(|info| info.server_name.clone()), None);
        let (near, _far) = shake(&server, &client, "[::1]", 64 * 1024).await;
        assert!(near.is_err());
        let (near, _far) = duplex(64);
        let err = client.connect("no name", near).await.expect_err("a space");
        assert!(
            err.to_string().contains("no name that a certificate"),
            "{err}"
        );
        Ok(())
    });
}

#[test]
fn a_client_without_tls_gets_its_stream_back_untouched() {
    on_loop(async {
        let made = Authority::new().sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let (mut near, far) = duplex(64);
        near.write_all(b"GET / HTTP/1.1\r\n").await?;
        let err = server.accept(far).await.expect_err("it is no TLS");
        assert!(err.is_plain());
        assert!(err.to_string().contains("http instead of https"), "{err}");
        let mut plain = err.into_plain().ok_or("the stream")?;
        plain.write_all(b"sorry").await?;
        drop(plain);
        let mut said = String::new();
        near.read_to_string(&mut said).await?;
        assert_eq!(said, "sorry", "nothing else was said before");
        Ok(())
    });
}

#[test]
fn a_client_that_leaves_or_babbles_is_told_apart() {
    on_loop(async {
        let made = Authority::new().sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        for (bytes, closed) in [
            (&b""[..], true),
            (b"\x16", true),
            (b"\x16\x03\x01\x00\xc8\x01\x00\x00", true),
            (b"\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff\xff", false),
            (b"\x16\xff\xff\xff\xff\xff\xff\xff", false),
        ] {
            let (mut near, far) = duplex(64 * 1024);
            near.write_all(bytes).await?;
            near.shutdown().await?;
            let err = server.accept(far).await.expect_err("it is no handshake");
            assert_eq!(err.is_closed(), closed, "{bytes:?}: {err}");
            assert!(!err.is_plain());
        }
        Ok(())
    });
}

#[test]
fn a_greeting_that_never_gets_complete_is_refused_in_bounded_memory() {
    on_loop(async {
        let made = Authority::new().sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let (near, far) = duplex(64 * 1024);
        let (mut reading, mut writing) = tokio::io::split(near);
        let accepting = spawn(async move { server.accept(far).await });
        let reading = spawn(async move { reading.read_to_end(&mut Vec::new()).await });
        // A hello of 16 MiB announced, in records of a byte.
        writing
            .write_all(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff")
            .await?;
        let mut sent = 0_usize;
        while writing.write_all(b"\x16\x03\x01\x00\x01x").await.is_ok() {
            sent += 1;
            assert!(sent < 1_000_000, "it is never refused");
        }
        let err = accepting.await?.expect_err("it is too large");
        assert!(!err.is_closed(), "{err}");
        reading.cancel();
        Ok(())
    });
}

#[test]
fn no_common_protocol_is_refused_and_no_offer_is_fine() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("squall.test");
        let client = ClientTls::trusting(authority.pem())?;
        let other = ServerTls::builder(chain(&made), key(&made))
            .alpn(["other"])
            .build()?;
        let (near, far) = shake(&other, &client, "squall.test", 64 * 1024).await;
        assert!(near.is_err());
        let err = far.expect_err("nothing in common").to_string();
        assert!(err.contains("ALPN"), "{err}");
        let none = ServerTls::builder(chain(&made), key(&made))
            .alpn([""; 0])
            .build()?;
        let (_near, far) = shake(&none, &client, "squall.test", 64 * 1024).await;
        assert_eq!(far?.tls().and_then(|info| info.alpn.clone()), None);
        Ok(())
    });
}

#[test]
fn a_second_connection_resumes_the_session() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(authority.pem())?;
        for resumed in [false, true] {
            let (near, far) = shake(&server, &client, "squall.test", 64 * 1024).await;
            let (mut near, mut far) = (near?, far?);
            assert_eq!(far.tls().map(|info| info.resumed), Some(resumed));
            // The tickets come with the first bytes.
            far.write_all(b"x").await?;
            far.flush().await?;
            near.read_u8().await?;
        }
        Ok(())
    });
}

#[test]
fn a_reload_is_for_new_connections_and_a_failed_one_changes_nothing() {
    on_loop(async {
        let authority = Authority::new();
        let (old, new) = (authority.sign("squall.test"), authority.sign("squall.test"));
        let folder = Folder::new();
        let (chain, key) = (folder.path("cert.pem"), folder.path("key.pem"));
        let write = |made: &CertifiedKey| {
            fs::write(&chain, made.cert.pem())?;
            fs::write(&key, made.key_pair.serialize_pem())
        };
        write(&old)?;
        let server = ServerTls::new(&chain, &key)?;
        let client = ClientTls::trusting(authority.pem())?;
        let (near, far) = shake(&server, &client, "squall.test", 64 * 1024).await;
        let (mut near, mut far) = (near?, far?);

        fs::write(&chain, new.cert.pem())?;
        let err = server
            .clone()
            .reload()
            .expect_err("the key is the old one's");
        assert!(err.to_string().contains("does not fit"), "{err}");
        let (again, _far) = shake(&server, &client, "squall.test", 64 * 1024).await;
        assert!(
            again?
                .tls()
                .is_some_and(|info| info.certificates == [old.cert.der().to_vec()])
        );

        write(&new)?;
        server.clone().reload()?;
        let (again, _far) = shake(&server, &client, "squall.test", 64 * 1024).await;
        let again = again?;
        let info = again.tls().ok_or("it is secured")?;
        assert_eq!(info.certificates, [new.cert.der().to_vec()]);
        assert!(!info.resumed, "a session of before is not resumed");

        far.write_all(b"still here").await?;
        far.shutdown().await?;
        let mut text = String::new();
        near.read_to_string(&mut text).await?;
        assert_eq!(text, "still here");
        Ok(())
    });
}

#[test]
fn each_mistake_with_the_files_is_told_with_its_name() -> io::Result<()> {
    let folder = Folder::new();
    let authority = Authority::new();
    let (made, other) = (authority.sign("squall.test"), authority.sign("squall.test"));
    let file = |name: &str, text: &str| {
        let path = folder.path(name);
        fs::write(&path, text).map(|()| path)
    };
    let chain = file("cert.pem", &made.cert.pem())?;
    let key = file("key.pem", &made.key_pair.serialize_pem())?;
    let other = file("other.pem", &other.key_pair.serialize_pem())?;
    let empty = file("empty.pem", "")?;
    let cut = file("cut.pem", &made.cert.pem()[..100])?;
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = file("encrypted.pem", encrypted)?;
    let missing = folder.path("missing.pem");
    ServerTls::new(&chain, &key)?;
    for (chain, key, place, reason) in [
        (&missing, &key, "missing.pem", "there is no such file"),
        (&chain, &missing, "missing.pem", "there is no such file"),
        (&key, &key, "key.pem", "has no certificate in it"),
        (&chain, &chain, "cert.pem", "has no private key in it"),
        (&empty, &key, "empty.pem", "has no certificate in it"),
        (&chain, &empty, "empty.pem", "has no private key in it"),
        (&cut, &key, "cut.pem", "is not a PEM file"),
        (&chain, &encrypted, "encrypted.pem", "decrypt it first"),
        (
            &chain,
            &other,
            "other.pem",
            "does not fit the first certificate of",
        ),
    ] {
        let text = ServerTls::new(chain, key).expect_err(reason).to_string();
        assert!(text.contains(place) && text.contains(reason), "{text}");
    }
    let err = ServerTls::builder(&chain, &key)
        .require_client_certificates(&missing)
        .build()
        .expect_err("no authorities");
    assert!(
        err.to_string()
            .contains("missing.pem: there is no such file"),
        "{err}"
    );
    Ok(())
}

#[test]
fn a_key_is_never_printed() {
    let made = Authority::new().sign("squall.test");
    let builder = ServerTls::builder(chain(&made), key(&made));
    let text = format!("{builder:?} {:?}", builder.clone().build());
    assert!(
        !text.contains("BEGIN") && text.contains("PEM text"),
        "{text}"
    );
}

#[test]
fn many_handshakes_at_once_all_end_well() {
    on_loop(async {
        let authority = Authority::new();
        let made = authority.sign("squall.test");
        let server = ServerTls::new(chain(&made), key(&made))?;
        let client = ClientTls::trusting(authority.pem())?;
        let all = (0..20).map(|_| {
            let (server, client) = (server.clone(), client.clone());
            async move {
                let (near, far) = shake(&server, &client, "squall.test", 3000).await;
                Ok::<_, io::Error>((near?, far?))
            }
        });
        assert_eq!(multi(all.collect::<Vec<_>>()).await?.len(), 20);
        Ok(())
    });
}
