//! Connections: few at a time, and none for long, whoever is at the other end.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};

/// Connections at a time; one more waits until one of them is done.
pub(super) const CONNECTIONS: usize = 16;
/// How long a request may take to come in.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection may last, whatever it does.
const CONNECTION: Duration = Duration::from_secs(15);
/// The most that is read of a request's head, in bytes.
const HEAD: usize = 16 << 10;
/// After an error that is ours, such as no descriptor being left.
const REST: Duration = Duration::from_millis(100);

/// Answers whoever connects.
pub(super) async fn accept(listener: TcpListener, routes: Router) -> Infallible {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            // It is never closed.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let routes = routes.clone();
                tokio::spawn(async move {
                    serve(stream, routes).await;
                    drop(permit);
                });
            }
            Err(_) => sleep(REST).await,
        }
    }
}

/// What goes wrong with a connection is the other end's affair.
async fn serve(stream: TcpStream, routes: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .keep_alive(false)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let _ = timeout(CONNECTION, connection).await;
}
