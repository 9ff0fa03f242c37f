//! `--watch` and a recorder's socket, behind which a test tells of looks.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _, Write as _, pipe},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use genome_trace::model::{
    AttachAnswer, AttachWelcome, Figures, MachineUsage, Metric, Persona, PersonaUsage, Usage,
    WallTime, write_look,
};
use genome_trace_tests_e2e::{Ended, Invocation};
use tempfile::TempDir;

/// A recorder that looks often, and serves as many readers as come.
struct Recorder {
    folder: TempDir,
    socket: PathBuf,
}

impl Recorder {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let socket = folder.path().join("recorder.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, Permissions::from_mode(0o777)).unwrap();
        thread::spawn(move || {
            for reader in listener.incoming() {
                thread::spawn(move || serve(&reader.unwrap()));
            }
        });
        Self { folder, socket }
    }

    fn watch(&self, options: &[&str]) -> Invocation {
        let socket = format!("--socket={}", self.socket.display());
        let all = ["--watch", &socket, "--store=/nonexistent/genome-trace"];
        Invocation::unprivileged(all.iter().chain(options)).unwrap()
    }
}

/// Until the reader has gone.
fn serve(mut reader: &UnixStream) {
    BufReader::new(reader).read_line(&mut String::new()).unwrap();
    let welcome = AttachWelcome {
        version: "1".to_owned(),
        pid: 4711,
        since: WallTime { unix_ns: 0 },
        mode: None,
    };
    let mut line = AttachAnswer::Welcome(welcome).to_line().unwrap();
    line.push(b'\n');
    while reader.write_all(&line).is_ok() {
        line.clear();
        write_look(&mut line, &look());
        // As often as it is told to look.
        thread::sleep(Duration::from_millis(20));
    }
}

fn look() -> Usage {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let mut figures = Figures::default();
    figures.set(Metric::RssBytes, Some(3_000_000.0));
    let persona = Persona { name: "CodeExpert".to_owned(), genome_id: Some("a3f9".to_owned()) };
    Usage {
        wall_time: WallTime { unix_ns: i64::try_from(now).unwrap() },
        interval_ns: Some(20_000_000),
        machine: MachineUsage { figures, processors: Some(2), ..MachineUsage::default() },
        personas: vec![PersonaUsage {
            persona,
            figures,
            rss_limit_bytes: None,
            started: None,
            processes: Vec::new(),
        }],
    }
}

/// Reads until these words came, and goes away.
fn until(invocation: Invocation, words: &str) -> (Ended, String) {
    let (mut reader, writer) = pipe().unwrap();
    let words = words.to_owned();
    let reading = thread::spawn(move || {
        let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&said).contains(&words) {
            match reader.read(&mut bytes).unwrap() {
                0 => break,
                count => said.extend(bytes.iter().take(count)),
            }
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    let ended = invocation.stdout(writer).run().unwrap();
    (ended, reading.join().unwrap())
}

#[test]
fn a_pipe_gets_tables_until_its_reader_has_gone() {
    let recorder = Recorder::start();
    let (ended, said) = until(recorder.watch(&["--interval=100"]), "CodeExpert");
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(!said.contains('\u{1b}'), "{said}");
    let heading = said.lines().find(|line| line.starts_with("GENOME ID")).unwrap();
    assert!(heading.contains("CREATED/MIN"), "{said}");
    // Nobody watched for crashes: that is not none.
    let titles: Vec<_> = heading.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
    let row = said.lines().find(|line| line.contains("CodeExpert")).unwrap();
    let cells: Vec<_> = row.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
    let crashes = titles.iter().position(|title| *title == "CRASHES").unwrap();
    assert_eq!(cells.get(crashes), Some(&"-"), "{said}");
}

#[test]
fn a_session_is_written_beside_it() {
    let recorder = Recorder::start();
    let folder = recorder.folder.path().join("of-anybody");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    let output = format!("--output={}", folder.join("run.csv").display());
    let invocation = recorder.watch(&["--interval=100", &output]).env("XDG_RUNTIME_DIR", &folder);
    let (ended, _) = until(invocation, "CodeExpert");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.only_line().unwrap().starts_with("genome-trace: session "), "{ended:?}");
    let personas = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with("-personas.csv"))
        .unwrap();
    let rows = fs::read_to_string(personas).unwrap();
    assert!(rows.contains(",start,CodeExpert,a3f9,3000000"), "{rows}");
}

#[test]
fn a_session_that_cannot_be_begun_is_one_sentence() {
    let recorder = Recorder::start();
    // As anybody else's: nobody may make a file in the recorder's folder.
    let closed = recorder.folder.path().join("run.csv");
    for (output, words) in [
        ("/nonexistent/run.csv", "No such file"),
        ("/dev/null/run.csv", "Not a directory"),
        (closed.to_str().unwrap(), "ermission denied"),
    ] {
        let option = format!("--output={output}");
        let invocation = recorder.watch(&[&option]).env("XDG_RUNTIME_DIR", "/tmp");
        let ended = invocation.run().unwrap();
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        let line = ended.only_line().unwrap_or_else(|| panic!("{ended:?}"));
        assert!(line.starts_with("genome-trace: cannot begin a session at "), "{line}");
        for words in [output, words, "--output"] {
            assert!(line.contains(words), "no {words}: {line}");
        }
    }
}

#[test]
fn an_interval_of_nothing_is_a_usage_error() {
    for interval in ["0", "0s", "99", "-1", "", "soon"] {
        let ended = crate::run(["--watch", &format!("--interval={interval}")]);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains("100 ms or more"), "{interval}: {ended:?}");
    }
}
