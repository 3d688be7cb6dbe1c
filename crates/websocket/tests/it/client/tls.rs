//! `wss://`, directly and through a proxy.

use squall_ioloop::spawn;
use squall_net::TcpListener;
use squall_net::tls::{ClientTls, Pem, ServerTls};
use squall_websocket::{CloseCode, WebSocketOptions, websocket_connect};
use tokio::io::AsyncWriteExt;

use super::{peer, talk};
use crate::{Outcome, on_loop};

struct Identity {
    chain: Pem,
    server: ServerTls,
}

fn identity() -> Result<Identity, Box<dyn std::error::Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let chain = Pem::bytes(made.cert.pem());
    let server = ServerTls::new(chain.clone(), Pem::bytes(made.key_pair.serialize_pem()))?;
    Ok(Identity { chain, server })
}

#[test]
fn messages_go_through_tls() {
    on_loop(async { secured().await });
}

async fn secured() -> Outcome {
    let Identity { chain, server } = identity()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let serving = spawn(async move {
        let (stream, _peer) = listener.accept().await?;
        let stream = server.accept(stream).await.map_err(std::io::Error::from)?;
        talk::echo(talk::accept(stream, WebSocketOptions::default()).await?).await
    });
    let url = format!("wss://localhost:{port}/");
    let mut ws = websocket_connect(url)
        .tls(ClientTls::trusting(chain)?)
        .await?;
    for text in ["hello".to_owned(), "long ".repeat(100_000)] {
        ws.send(&text)?;
        assert_eq!(ws.next().await?, Some(text.into()));
    }
    ws.close(CloseCode::NORMAL, "");
    assert_eq!(ws.next().await?, None);
    let frame = serving.await??.close_frame().ok_or("no frame")?;
    assert_eq!(frame.code, CloseCode::NORMAL);
    Ok(())
}

#[test]
fn tls_goes_through_a_tunnel_and_to_a_proxy_that_is_secured_itself() {
    on_loop(async {
        tunnelled("http").await?;
        tunnelled("https").await
    });
}

async fn tunnelled(scheme: &'static str) -> Outcome {
    let Identity { chain, server } = identity()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let serving = spawn(async move {
        let (mut stream, _peer) = listener.accept().await?;
        if scheme == "https" {
            stream = server.accept(stream).await?;
        }
        let head = peer::head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        stream.flush().await?;
        let mut stream = server.accept(stream).await?;
        peer::accept(&mut stream).await?;
        Ok::<_, std::io::Error>(head)
    });
    let connect = websocket_connect("wss://localhost/")
        .proxy(format!("{scheme}://localhost:{port}"))
        .tls(ClientTls::trusting(chain)?);
    drop(connect.await?);
    let head = serving.await??;
    assert!(
        head.starts_with("CONNECT localhost:443 HTTP/1.1\r\n"),
        "{head}"
    );
    Ok(())
}

#[test]
fn a_server_that_browsers_do_not_trust_is_refused() {
    on_loop(async { unknown().await });
}

async fn unknown() -> Outcome {
    let Identity { server, .. } = identity()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let serving = spawn(async move {
        let (stream, _peer) = listener.accept().await?;
        server.accept(stream).await.map(drop).map_err(Into::into)
    });
    let connected = websocket_connect(format!("wss://localhost:{port}/")).await;
    let err = connected.expect_err("nobody knows it");
    assert!(
        err.is_connect() && err.to_string().contains("certificate of localhost"),
        "{err}"
    );
    let outcome: std::io::Result<()> = serving.await?;
    assert!(outcome.is_err());
    Ok(())
}
