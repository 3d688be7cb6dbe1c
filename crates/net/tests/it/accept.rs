use std::thread;

use squall_ioloop::IoLoop;
use squall_net::{BindOptions, IoStream, ListenSocket, Listener, bind_sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::on_loop;

#[test]
fn a_connection_may_be_served_on_another_thread() {
    on_loop(async {
        let socket = bind_sockets("127.0.0.1:0", &BindOptions::default())?.remove(0);
        let addr = socket.local_addr()?;
        let listener = Listener::adopt(socket)?;
        let mut client = IoStream::connect_addr(addr).await?;
        let accepted = listener.accept().await?;
        assert_eq!(accepted.peer(), &client.local_addr()?);
        let other = thread::spawn(move || {
            IoLoop::run_sync(async move {
                let mut server = accepted.adopt()?;
                let word = server.read_u32().await?;
                server.write_u32(word + 1).await
            })
        });
        client.write_u32(41).await?;
        assert_eq!(client.read_u32().await?, 42);
        other.join().expect("it does not panic")?;
        Ok(())
    });
}

#[test]
fn only_a_socket_that_shares_has_siblings() -> std::io::Result<()> {
    for (shared, siblings) in [(true, true), (false, false)] {
        let options = BindOptions {
            shared,
            ..BindOptions::default()
        };
        let socket = ListenSocket::from(bind_sockets("127.0.0.1:0", &options)?.remove(0));
        let sibling = socket.sibling(&options)?;
        assert_eq!(sibling.is_some(), siblings);
        if let Some(sibling) = sibling {
            assert_eq!(sibling.local_addr()?, socket.local_addr()?);
        }
    }
    Ok(())
}
