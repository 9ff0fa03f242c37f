//! Over real sockets.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use super::*;
use crate::model::{StoreTally, Tally, WallTime};

fn exposed() -> Arc<Exposed> {
    Arc::new(Exposed {
        version: "1.2.3",
        probe_mode: Some("tracepoint"),
        tracing_since: WallTime { unix_ns: 1_500_000_000 },
        tally: Tally::default(),
        store: StoreTally::default(),
        usage: None,
        gpus: None,
    })
}

fn start() -> (Server, Publisher) {
    Server::start((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    // So that a server that never answers fails the test and does not hang it.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Head and body of the answer to `request`, which ends with the connection.
fn ask(server: &Server, request: &str) -> (String, String) {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn get(server: &Server, path: &str, accept: &str) -> (String, String) {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n"))
}

#[test]
fn before_the_first_is_published_it_says_so() {
    let (server, publisher) = start();
    for path in ["/metrics", "/healthz"] {
        let (head, body) = get(&server, path, "*/*");
        assert!(head.starts_with("http/1.1 503"), "{head}");
        assert!(body.contains("ask again"), "{body}");
    }
    publisher.publish(exposed());
    assert!(get(&server, "/healthz", "*/*").0.starts_with("http/1.1 200"));
}

#[test]
fn who_reads_open_metrics_gets_it_and_others_plain_text() {
    let (server, publisher) = start();
    publisher.publish(exposed());
    // As Prometheus 2.42 asks.
    let prometheus = "application/openmetrics-text;version=1.0.0,\
                      application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5,*/*;q=0.1";
    let (head, body) = get(&server, "/metrics", prometheus);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n") && body.contains("# TYPE genome_events counter\n"), "{body}");
    for other in ["*/*", "text/plain", "application/openmetrics-text;q=0, text/plain"] {
        let (head, body) = get(&server, "/metrics", other);
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        assert!(body.contains("# TYPE genome_events_total counter\n"), "{body}");
        assert!(body.contains("version=\"1.2.3\",probe_mode=\"tracepoint\"} 1\n"), "{body}");
        assert!(!body.contains("EOF") && !body.contains("UNIT"), "{body}");
    }
}

#[test]
fn what_is_published_last_is_served() {
    let (server, publisher) = start();
    publisher.publish(exposed());
    let mut later = Exposed::clone(&exposed());
    later.store.stored = 4711;
    publisher.publish(Arc::new(later));
    let (_, body) = get(&server, "/metrics", "*/*");
    assert!(body.contains("\ngenome_store_items_total 4711\n"), "{body}");
}

#[test]
fn the_root_points_there_and_nothing_else_is_found_or_allowed() {
    let (server, _publisher) = start();
    assert!(get(&server, "/", "*/*").1.contains("/metrics"));
    assert!(get(&server, "/secret", "*/*").0.starts_with("http/1.1 404"));
    let post = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    assert!(ask(&server, post).0.starts_with("http/1.1 405"));
}

#[test]
fn what_is_no_request_or_too_long_harms_nobody() {
    let (server, publisher) = start();
    publisher.publish(exposed());
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    for request in ["\r\n\0\0\u{7f}\r\n\r\n", long.as_str()] {
        let mut stream = connect(&server);
        // The server may have hung up by then.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
    assert!(get(&server, "/healthz", "*/*").0.starts_with("http/1.1 200"));
}

/// Those who connect and say nothing are let go, and then the next is served.
#[test]
fn the_silent_do_not_keep_others_out_for_good() {
    let (server, publisher) = start();
    publisher.publish(exposed());
    let silent: Vec<_> = (0..connections::CONNECTIONS + 2).map(|_| connect(&server)).collect();
    assert!(get(&server, "/healthz", "*/*").0.starts_with("http/1.1 200"));
    drop(silent);
}

#[test]
fn a_port_that_is_taken_is_told_in_one_sentence() {
    let (server, _publisher) = start();
    let error = Server::start(server.address()).err().map(|error| format!("{error:#}")).unwrap();
    assert!(error.starts_with(&format!("cannot serve metrics at {}", server.address())), "{error}");
    assert!(error.contains("--listen") && !error.contains('\n'), "{error}");
}

#[test]
fn the_end_frees_the_port() {
    let (server, publisher) = start();
    let address = server.address();
    let silent = connect(&server);
    drop(server);
    publisher.publish(exposed());
    drop(silent);
    assert!(TcpStream::connect(address).is_err());
}
