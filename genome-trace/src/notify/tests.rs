#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::model::{AlertChange, Persona, WallTime};

const NOW: WallTime = WallTime { unix_ns: 1_795_174_295_123_456_789 };
const LONG: Duration = Duration::from_secs(30);

fn message() -> Message {
    let mut alert = test_alert(NOW);
    alert.id = 7;
    alert.severity = Severity::Error;
    alert.text = "a <b> & \"c\"".to_owned();
    alert.advice = vec!["do <it>".to_owned(), "or not".to_owned()];
    alert.anomaly.persona =
        Some(Persona { name: "Code\nExpert".to_owned(), genome_id: Some("a3f9".to_owned()) });
    Message::new(alert, "box".into())
}

/// Answers as it is told, and says what it was asked.
struct Fake(Box<Answer>);

type Answer = dyn FnMut(&Message) -> Result<(), Failure> + Send;

impl Channel for Fake {
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        (self.0)(message)
    }
}

fn fake(
    least: Severity,
    answer: impl FnMut(&Message) -> Result<(), Failure> + Send + 'static,
) -> Configured {
    Configured { name: "fake".to_owned(), least, channel: Box::new(Fake(Box::new(answer))) }
}

fn quiet(_: &str) {}

#[test]
fn each_channel_gets_what_is_bad_enough_for_it_and_no_other_waits() {
    let (sent, got) = mpsc::channel();
    let (free, blocked) = mpsc::channel::<()>();
    let slow = fake(Severity::Warning, move |_| {
        let _ = blocked.recv();
        Ok(())
    });
    let errors = fake(Severity::Error, move |message| {
        sent.send((message.alert.id, message.alert.change)).unwrap();
        Ok(())
    });
    let notifier = Notifier::start("box", vec![slow, errors], quiet).unwrap();
    for (id, severity, change) in [
        (1, Severity::Warning, AlertChange::Raised),
        (1, Severity::Error, AlertChange::Escalated),
        (1, Severity::Error, AlertChange::GoesOn),
        (2, Severity::Critical, AlertChange::Raised),
        (1, Severity::Error, AlertChange::Ended),
    ] {
        let mut alert = message().alert;
        (alert.id, alert.severity, alert.change) = (id, severity, change);
        notifier.tell(&alert);
    }
    let told: Vec<_> = (0..3).map(|_| got.recv_timeout(LONG).unwrap()).collect();
    let wanted = [(1, AlertChange::Escalated), (2, AlertChange::Raised), (1, AlertChange::Ended)];
    assert_eq!(told, wanted);
    drop(free);
    notifier.end(LONG);
    assert!(got.try_recv().is_err());
}

#[test]
fn what_finds_no_room_or_fails_is_told_and_so_is_its_end() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn say(line: &str) {
        SAID.lock().unwrap().push(line.to_owned());
    }
    let (started, has_started) = mpsc::channel();
    let (free, blocked) = mpsc::channel::<()>();
    let mut count = 0;
    let channel = fake(Severity::Warning, move |_| {
        count += 1;
        if count == 1 {
            started.send(()).unwrap();
            let _ = blocked.recv();
        }
        match count {
            1..=3 => Err(Failure::Lasting("no".to_owned())),
            _ => Ok(()),
        }
    });
    let notifier = Notifier::start("box", vec![channel], say).unwrap();
    let alert = message().alert;
    notifier.tell(&alert);
    has_started.recv_timeout(LONG).unwrap();
    let begun = Instant::now();
    for _ in 0..queue::WAITING_MAX + 5 {
        notifier.tell(&alert);
    }
    assert!(begun.elapsed() < LONG, "it waited for the channel");
    drop(free);
    notifier.end(LONG);
    let said = SAID.lock().unwrap();
    let has = |words: &str| said.iter().any(|line| line.contains(words));
    assert!(has("fake failed: no; 1 in a row") && has("2 in a row") && !has("3 in a row"));
    assert!(has("fake is too slow: 5 found no room"), "{said:?}");
    assert!(has("fake works again; 3 did not go through"), "{said:?}");
}

#[test]
fn who_is_not_there_is_told_of_once() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn say(line: &str) {
        SAID.lock().unwrap().push(line.to_owned());
    }
    let channel = fake(Severity::Warning, |_| Err(Failure::Absent("gone".to_owned())));
    let notifier = Notifier::start("box", vec![channel], say).unwrap();
    for _ in 0..5 {
        notifier.tell(&message().alert);
    }
    notifier.end(LONG);
    assert_eq!(*SAID.lock().unwrap(), ["the alert channel fake has nobody to tell: gone"]);
}

#[test]
fn a_channel_that_hangs_does_not_hold_up_the_end() {
    let (_free, blocked) = mpsc::channel::<()>();
    let channel = fake(Severity::Warning, move |_| {
        let _ = blocked.recv();
        Ok(())
    });
    let notifier = Notifier::start("box", vec![channel], quiet).unwrap();
    notifier.tell(&message().alert);
    notifier.end(Duration::from_millis(10));
}

#[test]
fn what_passes_is_tried_again_and_what_lasts_is_not() {
    let attempts = Attempts { most: 3, pause: Duration::ZERO };
    let tried = |failure: fn() -> Failure, fails: u32| {
        let (sent, got) = mpsc::channel();
        let mut left = fails;
        let mut channel = fake(Severity::Warning, move |_| {
            sent.send(()).unwrap();
            if left == 0 {
                return Ok(());
            }
            left -= 1;
            Err(failure())
        });
        let outcome = channel.try_out(&message(), attempts);
        (outcome.is_ok(), got.try_iter().count())
    };
    let passing = || Failure::Passing(String::new());
    let lasting = || Failure::Lasting(String::new());
    assert_eq!(tried(passing, 2), (true, 3));
    assert_eq!(tried(passing, 3), (false, 3));
    assert_eq!(tried(lasting, 1), (false, 1));
}

#[test]
fn lines_and_bodies() {
    let message = message();
    assert_eq!(
        stderr::journal_line(&message, true),
        "<3>genome-trace: alert, error: a <b> & \"c\"\n"
    );
    assert!(stderr::journal_line(&message, false).starts_with("genome-trace: alert"));
    assert!(!stderr::terminal_line(&message, false).contains('\u{1b}'));
    assert!(stderr::terminal_line(&message, true).contains("\u{1b}[31m"));
    assert_eq!(desktop::summary(&message), "error: mass_create of Code\\nExpert");
    assert_eq!(desktop::body(&message), "error: a &lt;b&gt; &amp; \"c\"\ndo &lt;it&gt;");
    let mut over = message.clone();
    over.alert.change = AlertChange::Ended;
    over.alert.text = "a\u{1b}[31mb".to_owned();
    assert_eq!(
        stderr::journal_line(&over, true),
        "<6>genome-trace: alert, error ended: a\\x1b[31mb\n"
    );
}

#[test]
fn the_json_is_the_events_with_its_text_beside() {
    let value: serde_json::Value = serde_json::from_slice(&message().json()).unwrap();
    assert_eq!(value["kind"], "alert");
    assert_eq!(value["alert"]["id"], 7);
    assert_eq!(value["alert"]["severity"], "error");
    assert_eq!(value["persona"], "Code\nExpert");
    assert_eq!(value["text"], "error: a <b> & \"c\" on box");
}

/// Reads a request and gives its head and its body.
fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let length = head.to_ascii_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// A server that answers with these statuses, one a connection.
fn server(statuses: &'static [u16]) -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?token=s3cret", listener.local_addr().unwrap());
    let (sent, got) = mpsc::channel();
    thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            sent.send(request(&stream)).unwrap();
            let answer =
                format!("HTTP/1.1 {status} Word\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, got)
}

fn webhook(url: &str, timeout: Duration) -> Webhook {
    let headers = vec![("Authorization".to_owned(), "Bearer t".to_owned())];
    Webhook::new(WebhookOptions { url: url.to_owned(), headers, timeout, authorities: None })
        .unwrap()
}

#[test]
fn a_server_gets_the_alert() {
    let (url, got) = server(&[204]);
    assert_eq!(webhook(&url, LONG).send(&message()), Ok(()));
    let (head, body) = got.recv_timeout(LONG).unwrap();
    assert!(head.starts_with("POST /hook?token=s3cret HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("authorization: bearer t"), "{head}");
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(value["alert"]["rule"], "mass_create");
}

#[test]
fn what_a_server_answers_says_whether_to_try_again() {
    for (statuses, is_passing) in
        [(&[500_u16][..], true), (&[429], true), (&[404], false), (&[301], false)]
    {
        let (url, _got) = server(statuses);
        let failure = webhook(&url, LONG).send(&message()).unwrap_err();
        assert_eq!(matches!(failure, Failure::Passing(_)), is_passing, "{failure:?}");
        assert!(failure.reason().contains(&statuses[0].to_string()), "{failure:?}");
        assert!(!failure.reason().contains("s3cret"), "{failure:?}");
    }
}

#[test]
fn a_server_that_fails_once_gets_it_the_second_time() {
    let (url, got) = server(&[503, 200]);
    let mut configured = Configured {
        name: "webhook.x".to_owned(),
        least: Severity::Warning,
        channel: Box::new(webhook(&url, LONG)),
    };
    let attempts = Attempts { most: 2, pause: Duration::ZERO };
    assert_eq!(configured.try_out(&message(), attempts), Ok(()));
    assert_eq!(got.iter().count(), 2);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s3cret", listener.local_addr().unwrap());
    let failure = webhook(&url, Duration::from_millis(200)).send(&message()).unwrap_err();
    assert_eq!(failure, Failure::Passing("127.0.0.1 did not answer within 0.2 s".to_owned()));
    drop(listener);
    let failure = webhook(&url, LONG).send(&message()).unwrap_err();
    assert!(matches!(&failure, Failure::Passing(reason) if reason.contains("cannot be reached")));
    assert!(!failure.reason().contains("s3cret"), "{failure:?}");
}

#[test]
fn addresses_that_are_none_are_refused_without_being_told() {
    for url in ["", "hooks.example.com/s3cret", "ftp://h/s3cret", "http:///s3cret", "https://"] {
        let (url, headers) = (url.to_owned(), Vec::new());
        let options = WebhookOptions { url, headers, timeout: LONG, authorities: None };
        assert!(!format!("{options:?}").contains("s3cret"));
        let reason = Webhook::new(options).err().unwrap();
        assert!(!reason.contains("s3cret"), "{reason}");
    }
    let headers = vec![("a b".to_owned(), "x".to_owned())];
    let url = "http://h/".to_owned();
    let options = WebhookOptions { url, headers, timeout: LONG, authorities: None };
    assert!(Webhook::new(options.clone()).is_err());
    for (pem, words) in [("", "no certificate"), ("-----BEGIN CERTIFICATE-----\n", "no")] {
        let authorities = Some(pem.as_bytes().to_vec());
        let options = WebhookOptions { headers: Vec::new(), authorities, ..options.clone() };
        let reason = Webhook::new(options).err().unwrap();
        assert!(reason.contains(words), "{reason}");
    }
}

/// An authority of this test's own, and a server that has its certificate.
struct Tls {
    folder: tempfile::TempDir,
}

impl Tls {
    /// `None` where there is no openssl.
    fn new() -> Option<Self> {
        let tls = Self { folder: tempfile::tempdir().unwrap() };
        if std::process::Command::new("openssl").arg("version").output().is_err() {
            eprintln!("left out: there is no openssl");
            return None;
        }
        tls.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj \
             /CN=authority -keyout ca.key -out ca.pem",
        );
        Some(tls)
    }

    fn openssl(&self, words: &str) {
        let mut openssl = std::process::Command::new("openssl");
        let openssl = openssl.args(words.split_whitespace()).current_dir(self.folder.path());
        let ended = openssl.output().unwrap();
        assert!(ended.status.success(), "{words}: {ended:?}");
    }

    fn authority(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("ca.pem")).unwrap()
    }

    /// OpenSSL's server, for one connection, as that host; what it is sent
    /// comes out of its standard output.
    fn serve(&self, host: &str) -> (std::process::Child, String) {
        let names = format!("subjectAltName={host}\n");
        std::fs::write(self.folder.path().join("names"), names).unwrap();
        self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server \
             -keyout server.key -out server.csr",
        );
        self.openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \
             names -out server.pem",
        );
        let mut child = std::process::Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"])
            .args(["-cert", "server.pem", "-key", "server.key"])
            .current_dir(self.folder.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        (child, format!("https://{}/s3cret", address.unwrap()))
    }
}

fn secure(url: &str, authorities: Option<Vec<u8>>) -> Webhook {
    let (url, headers) = (url.to_owned(), Vec::new());
    Webhook::new(WebhookOptions { url, headers, timeout: LONG, authorities }).unwrap()
}

#[test]
fn a_server_is_believed_by_its_certificate() {
    let Some(tls) = Tls::new() else { return };
    let (mut server, url) = tls.serve("IP:127.0.0.1");
    let mut stdin = server.stdin.take().unwrap();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    let channel = thread::spawn({
        let mut webhook = secure(&url, Some(tls.authority()));
        move || webhook.send(&message())
    });
    let mut line = String::new();
    while !line.starts_with("POST /s3cret HTTP/1.1") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "it was sent nothing");
    }
    while !line.contains("\"mass_create\"") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "it was sent no alert");
    }
    stdin.write_all(b"HTTP/1.1 204 Got It\r\n\r\n").unwrap();
    assert_eq!(channel.join().unwrap(), Ok(()));
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_server_without_a_certificate_that_is_trusted_gets_nothing() {
    let Some(tls) = Tls::new() else { return };
    let others = Tls::new().unwrap().authority();
    for (host, authorities) in [
        // Nobody's whom browsers trust, another's, and another host's.
        ("IP:127.0.0.1", None),
        ("IP:127.0.0.1", Some(others)),
        ("DNS:hooks.example.com", Some(tls.authority())),
    ] {
        let (mut server, url) = tls.serve(host);
        let failure = secure(&url, authorities).send(&message()).unwrap_err();
        let reason = failure.reason();
        assert!(reason.contains("127.0.0.1 is not trusted"), "{host}: {reason}");
        assert!(!reason.contains("s3cret"), "{reason}");
        let _ = server.kill();
        let ended = server.wait_with_output().unwrap();
        assert!(!String::from_utf8_lossy(&ended.stdout).contains("POST"), "{host}: {ended:?}");
    }
}

fn command(argv: &[&str], timeout: Duration) -> Result<(), Failure> {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let options = CommandOptions { argv, user: None, timeout, shows_stderr: false };
    // Of this thread, which gives up rights.
    thread::scope(|scope| scope.spawn(|| Command::new(options).send(&message())).join().unwrap())
}

#[test]
fn a_command_gets_the_alert_on_its_input_and_in_its_environment() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "cat > {0}; env | grep ^GENOME >> {0}; env | grep -c ^CARGO >> {0}; pwd >> {0}",
        out.display()
    );
    assert_eq!(command(&["sh", "-c", &script], LONG), Ok(()));
    let said = std::fs::read_to_string(out).unwrap();
    let (json, environment) = said.split_once('\n').unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["alert"]["id"], 7);
    for line in [
        "GENOME_TRACE_ALERT_ID=7",
        "GENOME_TRACE_ALERT_RULE=mass_create",
        "GENOME_TRACE_ALERT_SEVERITY=error",
        "GENOME_TRACE_ALERT_CHANGE=raised",
        "GENOME_TRACE_ALERT_GENOME_ID=a3f9",
        "GENOME_TRACE_ALERT_HOST=box",
        "GENOME_TRACE_ALERT_CAUSE=test",
    ] {
        assert!(environment.lines().any(|found| found == line), "{line}: {environment}");
    }
    assert!(environment.ends_with("\n0\n/\n"), "nothing else of the environment: {environment}");
}

#[test]
fn a_command_that_fails_is_told_with_its_exit_code() {
    let failure = command(&["sh", "-c", "exit 3"], LONG).unwrap_err();
    assert_eq!(failure, Failure::Lasting("it ended with exit code 3".to_owned()));
    let failure = command(&["sh", "-c", "kill -9 $$"], LONG).unwrap_err();
    assert_eq!(failure, Failure::Lasting("signal 9 ended it".to_owned()));
    let failure = command(&["/no/such program"], LONG).unwrap_err();
    assert!(failure.reason().starts_with("'/no/such program' cannot be run"), "{failure:?}");
    assert!(command(&[], LONG).is_err());
}

#[test]
fn a_command_that_hangs_is_killed_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!("sleep 600 & echo $! > {}; wait", pids.display());
    let begun = Instant::now();
    let failure = command(&["sh", "-c", &script], Duration::from_secs(1)).unwrap_err();
    assert!(begun.elapsed() < LONG);
    assert!(failure.reason().contains("longer than 1 s"), "{failure:?}");
    let started = std::fs::read_to_string(pids).unwrap();
    let pid = rustix::process::Pid::from_raw(started.trim().parse().unwrap()).unwrap();
    // Whose parent is gone, so it is not this process' to wait for.
    if let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        let limit = rustix::event::Timespec { tv_sec: 30, tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut fds, Some(&limit)), Ok(1), "its child goes on");
    }
}

#[test]
fn what_a_command_starts_gets_no_rights() {
    let script = "grep -q '^CapAmb:[[:space:]]*0*$' /proc/self/status && \
                  grep -q '^NoNewPrivs:[[:space:]]*1' /proc/self/status";
    assert_eq!(command(&["sh", "-c", script], LONG), Ok(()));
}

#[test]
fn a_desktop_that_is_not_there_is_no_error() {
    if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none()
        && std::env::var_os("XDG_RUNTIME_DIR").is_none()
    {
        assert!(matches!(Desktop.send(&message()), Err(Failure::Absent(_))));
    }
}
