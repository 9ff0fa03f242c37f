//! `--follow` and a recorder's socket, behind which a test answers.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use genome_trace::model::{
    ATTACH_PROTOCOL, AttachAnswer, AttachForm, AttachNote, AttachRequest, AttachWelcome, WallTime,
};
use genome_trace_tests_e2e::Ended;
use serde_json::Value;
use tempfile::TempDir;

use crate::run_unprivileged;

/// A socket that anybody may connect to.
struct Socket {
    _folder: TempDir,
    path: PathBuf,
    listener: UnixListener,
}

impl Socket {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().join("recorder.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let socket = Self { _folder: folder, path, listener };
        socket.set_mode(0o777);
        socket
    }

    fn set_mode(&self, mode: u32) {
        fs::set_permissions(&self.path, Permissions::from_mode(mode)).unwrap();
    }

    /// Reads one request, and lets `serve` do the rest.
    fn answer(
        &self,
        serve: impl FnOnce(UnixStream) + Send + 'static,
    ) -> JoinHandle<Result<AttachRequest, String>> {
        let listener = self.listener.try_clone().unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut line = Vec::new();
            BufReader::new(&stream).read_until(b'\n', &mut line).unwrap();
            serve(stream);
            AttachRequest::from_line(&line).map_err(|failure| format!("{failure:?}"))
        })
    }

    fn follow(&self, options: &[&str]) -> Ended {
        let socket = format!("--socket={}", self.path.display());
        run_unprivileged(["--follow", &socket].iter().chain(options))
    }
}

fn welcome() -> Vec<u8> {
    let welcome = AttachWelcome {
        version: "1".to_owned(),
        pid: 4711,
        since: WallTime { unix_ns: 0 },
        mode: Some("fexit".to_owned()),
    };
    let mut line = AttachAnswer::Welcome(welcome).to_line().unwrap();
    line.push(b'\n');
    line
}

fn note(note: AttachNote) -> Vec<u8> {
    let mut line = Vec::new();
    note.write(&mut line);
    line
}

const LAST: AttachNote = AttachNote { missed: 0, missed_until: None, lost: 0, last: true };

/// The last line on stderr of a run that failed.
fn failure(ended: &Ended) -> &str {
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    ended.stderr.lines().next_back().unwrap_or_default()
}

#[test]
fn it_asks_for_what_was_asked_and_shows_what_comes() {
    let socket = Socket::new();
    let serving = socket.answer(|mut stream| {
        let missed_until = Some(WallTime { unix_ns: 0 });
        let missed = AttachNote { missed: 5, missed_until, lost: 2, last: false };
        let sent = [welcome(), b"{\"kind\":\"exec\"}\n".to_vec(), note(missed)].concat();
        stream.write_all(&sent).unwrap();
        // Until the time is up.
        stream.read_to_end(&mut Vec::new()).unwrap();
        stream.write_all(&[b"{\"kind\":\"exit\"}\n".to_vec(), note(LAST)].concat()).unwrap();
    });
    let ended = socket.follow(&[
        "--duration=100ms",
        "--format=json",
        "--kind=exec,exit",
        "--comm=a",
        "--uid=7",
        "--cgroup=/a",
        "--persona=P",
        "--exclude-self=false",
    ]);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let request = AttachRequest {
        v: ATTACH_PROTOCOL,
        kinds: vec!["exec".to_owned(), "exit".to_owned()],
        comms: vec!["a".to_owned()],
        uids: vec![7],
        personas: vec!["P".to_owned()],
        cgroups: vec!["/a".to_owned()],
        exclude_self: false,
        form: AttachForm::Json,
        looks: false,
    };
    assert_eq!(serving.join().unwrap(), Ok(request));
    let lines: Vec<_> = ended.stdout.lines().collect();
    let [exec, missed, exit] = lines.as_slice() else { panic!("{ended:?}") };
    assert_eq!((*exec, *exit), (r#"{"kind":"exec"}"#, r#"{"kind":"exit"}"#));
    assert!(missed.ends_with(r#""kind":"missed","missed":{"events":5}}"#), "{missed}");
    let said: Vec<_> = ended.stderr.lines().collect();
    let [persona, attached, account] = said.as_slice() else { panic!("{ended:?}") };
    assert!(persona.contains("only personas called P"));
    assert!(
        attached.starts_with("genome-trace: attached to the recorder (pid 4711, recording since "),
        "{attached}"
    );
    assert!(attached.ends_with(", files in fexit mode)"), "{attached}");
    assert_eq!(
        *account,
        "genome-trace: 2 events shown, 5 missed by this reader, 2 lost by the recorder meanwhile"
    );
}

#[test]
fn people_get_lines_laid_out_for_them() {
    let socket = Socket::new();
    let serving = socket.answer(|mut stream| {
        stream.write_all(&[welcome(), note(AttachNote { missed: 1, ..LAST })].concat()).unwrap();
    });
    let ended = socket.follow(&[]);
    let form = serving.join().unwrap().unwrap().form;
    assert!(
        matches!(form, AttachForm::Line { color: false, width: None, .. }),
        "a pipe is no terminal: {form:?}"
    );
    assert!(ended.stdout.contains("missed       1 event until here"), "{ended:?}");
    assert!(failure(&ended).starts_with("genome-trace: the recorder has ended: "), "{ended:?}");
}

#[test]
fn a_recorder_that_is_gone_is_told() {
    let socket = Socket::new();
    let serving = socket.answer(|mut stream| stream.write_all(&welcome()).unwrap());
    let ended = socket.follow(&["--format=json"]);
    serving.join().unwrap().unwrap();
    let line = failure(&ended);
    assert!(line.starts_with("genome-trace: the recorder is gone"), "{line}");
    assert!(line.contains("systemctl start") && line.contains("--own-probes"), "{line}");
    assert!(ended.stderr.contains("0 events shown"), "{ended:?}");
}

#[test]
fn an_answer_that_is_no_welcome_is_told_in_one_sentence() {
    let error = AttachAnswer::Error("there is no room".to_owned()).to_line().unwrap();
    for (answer, words) in [
        (&b"HTTP/1.1 400 Bad Request\n"[..], "no recorder"),
        (b"{}\n", "no recorder"),
        (b"{\"v\":2,\"welcome\":{}}\n", "version 2"),
        (&[error.as_slice(), b"\n"].concat(), "there is no room"),
        (b"{\"v\":1,\"error\":\"red \\u001b[31m\"}\n", "red \\x1b[31m"),
        (&[b'x'; 100_000], "no recorder"),
        (b"", "closed without an answer"),
    ] {
        let socket = Socket::new();
        let answer = answer.to_vec();
        let serving = socket.answer(move |mut stream| {
            // It may have gone before it has heard all.
            let _ = stream.write_all(&answer);
        });
        let ended = socket.follow(&["--format=json"]);
        serving.join().unwrap().unwrap();
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert_eq!(line, failure(&ended));
        assert!(line.starts_with("genome-trace: cannot attach to the recorder at "), "{line}");
        assert!(line.contains(words), "no {words:?}: {line}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_socket_for_others_names_the_remedy() {
    let socket = Socket::new();
    socket.set_mode(0);
    let ended = socket.follow(&[]);
    let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
    assert_eq!(line, failure(&ended));
    assert!(line.starts_with("genome-trace: cannot attach to the recorder at "), "{line}");
    assert!(line.contains("sudo"), "{line}");
    assert!(line.contains("usermod -aG ") || line.contains("root alone"), "{line}");
}

#[test]
fn where_nobody_listens_it_says_how_to_start_one() {
    let socket = Socket::new();
    let Socket { _folder, path, listener } = socket;
    // As a kill leaves it.
    drop(listener);
    let option = format!("--socket={}", path.display());
    let ended = run_unprivileged(["--follow", &option]);
    let line = failure(&ended);
    assert!(line.contains("nobody listens there") && line.contains("record --socket="), "{line}");
}

/// The doctor's word on the recorder at this socket.
fn recorder_check(path: &Path) -> Value {
    let socket = format!("--socket={}", path.display());
    let ended = run_unprivileged(["doctor", "--format=json", &socket]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let checks = report.get("checks").and_then(Value::as_array).unwrap();
    let of_recorder = |check: &&Value| check.get("name") == Some(&Value::from("recorder"));
    checks.iter().find(of_recorder).unwrap_or_else(|| panic!("{report}")).clone()
}

fn word<'v>(check: &'v Value, field: &str) -> &'v str {
    check.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no {field}: {check}"))
}

#[test]
fn the_doctor_tells_of_a_recorder_that_runs() {
    let socket = Socket::new();
    let serving = socket.answer(|mut stream| stream.write_all(&welcome()).unwrap());
    let check = recorder_check(&socket.path);
    assert!(serving.join().unwrap().is_ok_and(|request| !request.looks));
    assert_eq!(word(&check, "state"), "ok");
    let found = word(&check, "found");
    for words in ["pid 4711", "records since 1970-01-01", "fexit", "may read along at"] {
        assert!(found.contains(words), "no {words}: {found}");
    }
    assert!(found.contains(&socket.path.display().to_string()), "{found}");
    assert!(found.contains("root alone") || found.contains("the group "), "{found}");
}

#[test]
fn the_doctor_says_why_no_recorder_answers_and_what_to_do() {
    let none = recorder_check(Path::new("/nonexistent/recorder.sock"));
    assert_eq!(word(&none, "state"), "gap");
    assert!(word(&none, "found").contains("none listens at /nonexistent/recorder.sock"), "{none}");
    assert!(word(&none, "remedy").contains("sudo genome-trace record"), "{none}");
    let socket = Socket::new();
    let serving = socket.answer(|mut stream| stream.write_all(b"HTTP/1.1 400 no\r\n").unwrap());
    let other = recorder_check(&socket.path);
    serving.join().unwrap().unwrap();
    assert_eq!(word(&other, "state"), "gap");
    assert!(word(&other, "remedy").contains("no recorder"), "{other}");
    let closed = Socket::new();
    closed.set_mode(0);
    let denied = recorder_check(&closed.path);
    assert_eq!(word(&denied, "state"), "gap");
    assert!(word(&denied, "remedy").contains("sudo"), "{denied}");
}

#[test]
fn what_only_own_probes_can_do_does_not_attach() {
    let socket = Socket::new();
    let ended = socket.follow(&["--pid=1"]);
    assert!(failure(&ended).starts_with("genome-trace: cannot trace"), "{ended:?}");
    socket.listener.set_nonblocking(true).unwrap();
    assert!(socket.listener.accept().is_err(), "it connected");
}
