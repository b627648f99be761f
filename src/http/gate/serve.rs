//! The accept loop: a client that says nothing, or half a request, holds nobody else up.
//!
//! axum's own loop sets no limits, so this one does: time for the head of a request, and a number of
//! connections. Who comes when all are taken waits in the kernel until one ends.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a client is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the opening of a connection, or the end of an answer, to the end of the next request's head.
    pub head: Duration,
    /// Connections at the same time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Well below the 1,024 files that a process may open where nobody has changed it: ports and the
        // database need theirs.
        Self {
            head: Duration::from_secs(10),
            connections: 256,
        }
    }
}

/// Whose connection a request came over; none on a socket of this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

impl From<std::net::SocketAddr> for Peer {
    fn from(address: std::net::SocketAddr) -> Self {
        Self(Some(address.ip().to_canonical()))
    }
}

impl From<tokio::net::unix::SocketAddr> for Peer {
    fn from(_: tokio::net::unix::SocketAddr) -> Self {
        Self(None)
    }
}

/// Serves until told to stop; requests under way are answered.
pub async fn serve<L: Listener<Addr: Into<Peer>>>(
    mut listener: L,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(limits.connections));
    // Whoever drops this loop cuts the conversations with it.
    let mut open = JoinSet::new();
    while let Some(Ok(seat)) = stop
        .run_until_cancelled(Arc::clone(&seats).acquire_owned())
        .await
    {
        let Some((wire, address)) = stop.run_until_cancelled(listener.accept()).await else {
            break;
        };
        open.spawn(converse(
            TokioIo::new(wire),
            address.into(),
            router.clone(),
            limits,
            stop.clone(),
            seat,
        ));
        while open.try_join_next().is_some() {}
    }
    while open.join_next().await.is_some() {}
}

async fn converse<W>(
    wire: TokioIo<W>,
    peer: Peer,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
    seat: OwnedSemaphorePermit,
) where
    TokioIo<W>: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head);
    let router = TowerToHyperService::new(router);
    let routed = service_fn(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = http.serve_connection(wire, routed);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
    drop(seat);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, timeout};

    use super::*;

    const LIMITS: Limits = Limits {
        head: Duration::from_millis(300),
        connections: 4,
    };

    async fn start() -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(async || "here"));
        let serving = tokio::spawn(serve(listener, router, LIMITS, stop.clone()));
        (address, stop, serving)
    }

    /// Writes `head` and reads until the server closes or has said something.
    async fn said(stream: &mut TcpStream, head: &str) -> String {
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let read = timeout(Duration::from_secs(10), stream.read(&mut answer)).await;
        let count = read.expect("it does not hang").unwrap_or(0);
        String::from_utf8_lossy(&answer[..count]).into_owned()
    }

    #[tokio::test]
    async fn half_requests_and_silent_clients_make_room_for_others() {
        let (address, stop, serving) = start().await;
        let mut crowd = Vec::new();
        for number in 0..20 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if number % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nX").await.unwrap();
            }
            crowd.push(stream);
        }
        let begun = Instant::now();
        let mut late = TcpStream::connect(address).await.unwrap();
        let answer = said(&mut late, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.ends_with("here"), "{answer}");
        assert!(
            begun.elapsed() >= LIMITS.head,
            "it had to wait for its seat"
        );
        stop.cancel();
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_is_kept_and_not_used_is_closed() {
        let (address, stop, serving) = start().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..2 {
            let answer = said(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
            assert!(answer.ends_with("here"), "{answer}");
        }
        let end = said(&mut stream, "").await;
        assert!(!end.contains("200"), "{end}");
        stop.cancel();
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections_at_once() {
        let (address, stop, serving) = start().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        said(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        stop.cancel();
        timeout(LIMITS.head / 2, serving)
            .await
            .expect("it does not wait for the client")
            .unwrap();
    }
}
