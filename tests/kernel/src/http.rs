//! Asking somebody on this machine over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use anyhow::{Context as _, ensure};

use crate::Deadline;

/// An address of this machine that nobody listens at.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    listener.local_addr().context("find a free port")
}

/// The body of the answer to a GET of that path, which must be a good one.
pub fn get(address: SocketAddr, path: &str, deadline: &Deadline) -> anyhow::Result<String> {
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    let left = deadline.remaining(format_args!("an answer of {address}"))?;
    stream.set_read_timeout(Some(left))?;
    // By HTTP/1.0, so that the answer comes in one piece and ends with the
    // connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("read {path} of {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
    let status = head.split(' ').nth(1);
    ensure!(status == Some("200"), "{path} of {address}: {head}: {body}");
    Ok(body.to_owned())
}
