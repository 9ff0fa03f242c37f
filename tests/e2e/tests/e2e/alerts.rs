//! `--alerts` over a store that is written here, and `alerts test` against
//! servers and commands of this test's own.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use genome_trace::{
    model::{
        Alert, AlertChange, AlertFiles, AlertProcess, Anomaly, Basis, Persona, ProcessKey, Rule,
        Severity, Unit, WallTime,
    },
    store::{Item, Place, Store as _, Writer, WriterOptions},
};
use genome_trace_tests_e2e::{Ended, Invocation};
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

const LONG: Duration = Duration::from_secs(60);
const SECOND: i64 = 1_000_000_000;

fn ago(seconds: i64) -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    WallTime { unix_ns: i64::try_from(since.as_nanos()).unwrap() - seconds * SECOND }
}

fn alert(raised: WallTime, persona: Option<&str>, rule: Rule, severity: Severity) -> Alert {
    Alert {
        id: raised.unix_ns,
        change: AlertChange::Raised,
        raised,
        last: raised,
        ended: Some(WallTime { unix_ns: raised.unix_ns + 60 * SECOND }),
        severity,
        count: 1,
        anomaly: Anomaly {
            wall_time: raised,
            rule,
            severity,
            persona: persona.map(|name| Persona { name: name.to_owned(), genome_id: None }),
            process: Some(AlertProcess {
                key: ProcessKey { tgid: 4242, start_time: 7 },
                comm: Some("py\u{1b}[31mthon3".to_owned()),
                argv: Some(vec!["python3".to_owned(), "two words".to_owned()]),
            }),
            cause: Some("/srv/out".to_owned()),
            metric: None,
            unit: Unit::Count,
            measured: 3000.0,
            normal: Some(50.0),
            factor: Some(60.0),
            threshold: 150.0,
            window_ns: Some(300_000_000_000),
            slope_per_hour: None,
            basis: Basis::Habit { samples: 300, centre: 50.0, spread: 9.0 },
            confidence: None,
            files: Some(AlertFiles {
                folder: "/srv/out".to_owned(),
                files_created: 3000,
                ..AlertFiles::default()
            }),
        },
        text: format!("{} of {}", rule.name(), persona.unwrap_or("the machine")),
        advice: vec!["see what is there: `ls -U -- /srv/out | head`".to_owned()],
    }
}

fn a_night() -> TempDir {
    let folder = TempDir::new().unwrap();
    let options = WriterOptions::new("3e0b5b4e-0000-4000-8000-000000000001");
    let writer = Writer::open(Place::new(folder.path()), options).unwrap();
    for alert in [
        alert(ago(7_000), Some("CodeExpert"), Rule::MassCreate, Severity::Error),
        alert(ago(200), Some("Judge"), Rule::MemoryLeak, Severity::Warning),
        alert(ago(100), None, Rule::MemoryLimit, Severity::Critical),
        alert(ago(90_000), Some("Judge"), Rule::CrashLoop, Severity::Error),
    ] {
        writer.push(Item::Alert(Box::new(alert)));
    }
    writer.flush(LONG).unwrap();
    writer.close().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

fn report(folder: &TempDir, options: &[&str]) -> String {
    let place = format!("--store={}", folder.path().display());
    let ended = run_unprivileged([&["--alerts", place.as_str()], options].concat());
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    ended.stdout
}

fn rules(folder: &TempDir, options: &[&str]) -> Vec<String> {
    let said = report(folder, &[options, &["--format=json"]].concat());
    assert_eq!(said.lines().count(), 1, "one object, one line");
    let report: Value = serde_json::from_str(&said).unwrap();
    let alerts = report.get("alerts").and_then(Value::as_array).unwrap();
    let rule = |alert: &Value| alert.get("rule").and_then(Value::as_str).unwrap().to_owned();
    alerts.iter().map(rule).collect()
}

#[test]
fn what_went_wrong_without_root() {
    let said = report(&a_night(), &[]);
    assert!(!said.contains('\u{1b}'), "a name moved the cursor, or colour in a file: {said}");
    for words in [
        "mass_create of CodeExpert",
        "memory_limit",
        "critical",
        "ls -U",
        "over",
        "Not all of that",
    ] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    assert!(!said.contains("crash_loop"), "a day ago and more: {said}");
}

#[test]
fn it_is_narrowed_by_time_persona_rule_and_severity() {
    let night = a_night();
    assert_eq!(rules(&night, &[]), ["memory_limit", "memory_leak", "mass_create"]);
    assert_eq!(rules(&night, &["--last=1h"]), ["memory_limit", "memory_leak"]);
    assert_eq!(rules(&night, &["--last=7d"]).len(), 4);
    assert_eq!(rules(&night, &["--persona=Judge"]), ["memory_leak"]);
    assert_eq!(rules(&night, &["--severity=error"]), ["memory_limit", "mass_create"]);
    assert_eq!(rules(&night, &["--rule=mass_create", "--rule=crash_loop"]), ["mass_create"]);
    assert!(rules(&night, &["--open"]).is_empty());
}

#[test]
fn csv_and_metrics() {
    let night = a_night();
    let said = report(&night, &["--format=csv"]);
    assert!(said.starts_with("id,raised,last,ended,severity,rule,persona,"), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
    let said = report(&night, &["--format=prometheus"]);
    let sample = "genome_trace_alerts{genome=\"\",persona=\"CodeExpert\",rule=\"mass_create\",\
                  severity=\"error\"} 1";
    assert!(said.lines().any(|line| line == sample), "{said}");
}

#[test]
fn what_alerts_have_no_use_for_is_refused() {
    for option in ["--crashes", "--follow", "--kind=exec", "--pid=1", "--crash=1", "--metric=x"] {
        assert_eq!(run(["--alerts", option]).code(), Some(2), "{option}");
    }
    for option in ["--rule=mass_create", "--severity=error", "--open"] {
        assert_eq!(run(["--crashes", option]).code(), Some(2), "{option}");
    }
    let ended = run(["--alerts", "--rule=mass"]);
    assert!(ended.stderr.contains("there are mass_create"), "{ended:?}");
    let ended = run(["--alerts", "--severity=bad"]);
    assert!(ended.stderr.contains("warning, error and critical"), "{ended:?}");
}

/// Reads a request and gives its body.
fn body(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// A server that answers with these statuses, one a connection.
fn server(statuses: &'static [u16]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s3cret", listener.local_addr().unwrap());
    let (sent, got) = mpsc::channel();
    thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            sent.send(body(&stream)).unwrap();
            let answer =
                format!("HTTP/1.1 {status} Word\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, got)
}

struct Config(TempDir);

impl Config {
    fn new(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        // A user that has no rights reads it, too, and writes beside it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.path().join("config.toml"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn test(&self, options: &[&str]) -> Ended {
        let config = format!("--config={}", self.path().display());
        let args = [&["alerts", "test", config.as_str()], options].concat();
        Invocation::new(args)
            .unwrap()
            .env("DBUS_SESSION_BUS_ADDRESS", "")
            .env("XDG_RUNTIME_DIR", "/nonexistent")
            .run()
            .unwrap()
    }
}

#[test]
fn a_test_alert_goes_through_every_channel() {
    let (url, got) = server(&[200]);
    let config = Config::new("");
    let out = config.0.path().join("out");
    let text = format!(
        "[alerts.desktop]\nenabled = true\n[alerts.webhook.ops]\nurl = \"{url}\"\n\
         [alerts.command.page]\nargv = [\"sh\", \"-c\", \"cat > $0; echo $GENOME_TRACE_ALERT_TEXT >> $0\", {:?}]\n",
        out.display().to_string()
    );
    fs::write(config.path(), text).unwrap();
    let ended = config.test(&[]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for line in [
        "terminal: nobody to tell: standard error is no terminal",
        "journal: sent",
        "desktop: nobody to tell: there is no session bus here (DBUS_SESSION_BUS_ADDRESS)",
        "webhook.ops: sent",
        "command.page: sent",
    ] {
        assert!(ended.stdout.lines().any(|said| said == line), "no {line}: {ended:?}");
    }
    assert!(ended.stderr.starts_with("genome-trace: alert, critical: TEST"), "{ended:?}");
    let sent: Value = serde_json::from_str(&got.recv_timeout(LONG).unwrap()).unwrap();
    assert_eq!(sent.pointer("/alert/id"), Some(&Value::from(0)));
    let text = sent.get("text").and_then(Value::as_str).unwrap();
    assert!(text.contains("TEST, nothing is wrong"), "{text}");
    let written = fs::read_to_string(out).unwrap();
    assert!(written.contains("\"kind\":\"alert\"") && written.contains("\ncritical: TEST"));
}

#[test]
fn a_server_that_fails_once_is_asked_again() {
    let (url, got) = server(&[500, 204]);
    let config = Config::new(&format!("[alerts.webhook.ops]\nurl = \"{url}\"\n"));
    let ended = config.test(&["--channel=webhook.ops"]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(0), "webhook.ops: sent\n"));
    assert_eq!(got.iter().count(), 2);
}

#[test]
fn a_channel_that_fails_is_told_and_is_the_exit_status() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (refusing, _got) = server(&[404]);
    let text = format!(
        "[alerts.webhook.silent]\nurl = \"http://{}/s3cret\"\ntimeout = \"200ms\"\n\
         [alerts.webhook.refusing]\nurl = \"{refusing}\"\n\
         [alerts.command.fails]\nargv = [\"false\"]\n\
         [alerts.command.hangs]\nargv = [\"sleep\", \"600\"]\ntimeout = \"300ms\"\n\
         [alerts.command.none]\nargv = [\"/no/such/program\"]\n",
        silent.local_addr().unwrap()
    );
    // The first run of any test builds the binary.
    run(["--version"]);
    let begun = Instant::now();
    let ended = Config::new(&text).test(&[]);
    assert!(begun.elapsed() < LONG);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    for words in [
        "webhook.silent: failed: 127.0.0.1 did not answer within 0.2 s",
        "webhook.refusing: failed: 127.0.0.1 answered 404",
        "command.fails: failed: it ended with exit code 1",
        "command.hangs: failed: it took longer than 0.3 s and was killed",
        "command.none: failed: /no/such/program cannot be run",
        "journal: sent",
    ] {
        assert!(ended.stdout.contains(words), "no {words}: {ended:?}");
    }
    assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
}

#[test]
fn channels_that_there_are_not_are_one_sentence() {
    let said = |text: &str, options: &[&str]| {
        let ended = Config::new(text).test(options);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        ended.only_line().unwrap().to_owned()
    };
    let unknown = said("", &["--channel=mail"]);
    assert!(unknown.contains("\"mail\": there are terminal, journal"), "{unknown}");
    let none = said("[alerts]\nterminal.enabled = false\njournal.enabled = false\n", &[]);
    assert!(none.contains("no alert channel is on"), "{none}");
    let url = said("[alerts.webhook.ops]\nurl = \"gopher://h/s3cret\"\n", &[]);
    assert!(url.contains("webhook.ops") && !url.contains("s3cret"), "{url}");
    let user = said("[alerts.command.a]\nargv = [\"true\"]\nuser = \"no-such-user\"\n", &[]);
    assert!(user.contains("command.a") && user.contains("no-such-user"), "{user}");
}
