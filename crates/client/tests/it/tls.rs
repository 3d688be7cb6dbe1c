//! `https://`, from a listener that is ours.

use squall_client::{ClientConfig, HttpClient, HttpRequest};
use squall_ioloop::spawn;
use squall_net::TcpListener;
use squall_net::tls::{ClientTls, Pem, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{Outcome, on_loop};

/// What one secured connection got, and gave; `whole` is whether it ends with the closing alert.
async fn fetch(answer: &'static str, whole: bool, body: Vec<u8>) -> Result<(u16, String), String> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let chain = Pem::bytes(made.cert.pem());
    let text = |err: std::io::Error| err.to_string();
    let server = ServerTls::new(chain.clone(), Pem::bytes(made.key_pair.serialize_pem()));
    let server = server.map_err(text)?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    let port = listener.local_addr().map_err(text)?.port();
    let length = body.len();
    let _serving = spawn(async move {
        let (stream, _peer) = listener.accept().await?;
        let mut stream = server.accept(stream).await?;
        let mut request = Vec::new();
        while !request.windows(4).any(|window| window == b"\r\n\r\n") {
            stream.read_buf(&mut request).await?;
        }
        let head = request.windows(4).position(|window| window == b"\r\n\r\n");
        let mut left = (head.unwrap_or(0) + 4 + length).saturating_sub(request.len());
        while left > 0 {
            left -= stream.read(&mut vec![0; left]).await?;
        }
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        if whole {
            stream.shutdown().await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let client = HttpClient::with_tls(
        ClientConfig::default(),
        ClientTls::trusting(chain).map_err(text)?,
    );
    let request = HttpRequest::post(format!("https://localhost:{port}/"), body);
    let response = client.fetch(request).await.map_err(|err| err.to_string())?;
    Ok((response.code, response.text().into_owned()))
}

#[test]
fn an_answer_comes_and_a_large_body_goes() {
    on_loop(async {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for bytes in [0, 3_000_000] {
            let fetched = fetch(answer, true, vec![b'x'; bytes]).await?;
            assert_eq!(fetched, (200, "hello".to_owned()));
        }
        Ok(())
    });
}

#[test]
fn a_body_until_the_close_is_whole_only_with_the_closing_alert() {
    on_loop(async {
        let answer = "HTTP/1.1 200 OK\r\n\r\nhello";
        assert_eq!(
            fetch(answer, true, Vec::new()).await?,
            (200, "hello".to_owned())
        );
        let err = fetch(answer, false, Vec::new())
            .await
            .expect_err("it was cut");
        assert!(err.contains("amid its answer"), "{err}");
        Ok(())
    });
}

#[test]
fn a_server_that_browsers_do_not_trust_is_refused() {
    on_loop(async { unknown().await });
}

async fn unknown() -> Outcome {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = Pem::bytes(made.key_pair.serialize_pem());
    let server = ServerTls::new(Pem::bytes(made.cert.pem()), key)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let serving = spawn(async move {
        let (stream, _peer) = listener.accept().await?;
        server.accept(stream).await.map(drop).map_err(Into::into)
    });
    let fetched = HttpClient::new()
        .fetch(format!("https://localhost:{port}/"))
        .await;
    let err = fetched.expect_err("nobody knows it");
    assert!(err.is_connect(), "{err}");
    assert!(
        err.to_string().contains("certificate of localhost"),
        "{err}"
    );
    let outcome: std::io::Result<()> = serving.await?;
    assert!(outcome.is_err());
    Ok(())
}
