//! Metrics over HTTP, for who asks. A thread of its own answers from the latest
//! that was published, so nobody who asks holds up the tracer.

mod answer;
mod connections;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::Context as _;
use tokio::sync::oneshot;

use crate::model::Exposed;

/// The latest that was published.
#[derive(Clone, Default)]
struct Latest(Arc<Mutex<Option<Arc<Exposed>>>>);

impl Latest {
    fn get(&self) -> Option<Arc<Exposed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, exposed: Arc<Exposed>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(exposed);
    }
}

/// Where what is to be served is put.
#[derive(Clone)]
pub struct Publisher {
    latest: Latest,
}

impl Publisher {
    /// Serves this from now on. It is made into text when somebody asks, by
    /// the server's thread.
    pub fn publish(&self, exposed: Arc<Exposed>) {
        self.latest.set(exposed);
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins to answer at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be listened at, or there is no thread to be had.
    pub fn start(address: SocketAddr) -> anyhow::Result<(Self, Publisher)> {
        let (listener, address) = listen(address)
            .with_context(|| format!("cannot serve metrics at {address}: {}", remedy(address)))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .context("cannot make the event loop that serves metrics")?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)
                .with_context(|| format!("cannot wait for connections at {address}"))?
        };
        let latest = Latest::default();
        let routes = answer::routes(latest.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        never = connections::accept(listener, routes) => match never {},
                        // Also when the sender is gone.
                        _ = stopped => {}
                    }
                });
            })
            .context("cannot start the thread that serves metrics")?;
        Ok((Self { address, stop: Some(stop), thread: Some(thread) }, Publisher { latest }))
    }

    /// Where it answers.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends with the channel; a panic of it was told by itself.
            let _ = thread.join();
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn remedy(address: SocketAddr) -> String {
    if address.port() != 0 && address.port() < 1024 {
        "give --listen another port, one from 1024 on; lower ones need CAP_NET_BIND_SERVICE"
            .to_owned()
    } else {
        "give --listen a port that is free and an address of this machine (ss -ltnp shows who \
         listens)"
            .to_owned()
    }
}

#[cfg(test)]
mod tests;
