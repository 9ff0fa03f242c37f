//! What a recorder serves for Prometheus is what happened, and what promtool
//! accepts.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::{Checks, Context, Recorder, Suite};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("metrics::a_crash_is_counted_and_promtool_finds_nothing", crash);
}

/// The metrics are published once a second; nothing tells when.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A name with all that a label's value has to escape.
const PERSONA: &str = "Metrics\"\\Worker";

fn crash(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let address = free_address()?;
    let launch = context.recorder(folder.path()).option("--listen", address);
    let recorder = Recorder(launch.start_into(Stdio::null())?);
    let worker = context.program("sh").env("GENOME_PERSONA", PERSONA);
    let ended = worker.args(["-c", "exit 3"]).run()?;
    ensure!(ended.status.code() == Some(3), "the worker ended with {}", ended.status);

    let line = "genome_crash_count_total{genome=\"\",persona=\"Metrics\\\"\\\\Worker\",\
                kind=\"error_exit\"} ";
    let text = loop {
        let text = get(address, context)?;
        // A persona that is there has a line from the first look on: with 0.
        if sum(&text, line) > 0 {
            break text;
        }
        context.deadline.remaining("the crash among the metrics")?;
        thread::sleep(LOOK_AGAIN);
    };
    let recorded = recorder.stop(folder.path())?;

    let mut checks = Checks::new();
    checks.equal("crashes of the worker", sum(&text, line), 1);
    let exits = sum(&text, "genome_events_total{kind=\"exit\"} ");
    checks.holds(exits > 0, format_args!("{exits} exits are counted"));
    let counted = sum(&text, "genome_events_total{");
    checks.holds(
        counted <= recorded.trace.loss.events,
        format_args!("{counted} events counted, {} in all", recorded.trace.loss.events),
    );
    checks.holds(
        sum(&text, "genome_lost_events_total{") <= recorded.trace.loss.lost,
        format_args!("more losses than {} in all", recorded.trace.loss.lost),
    );
    check_by_promtool(&mut checks, &text)?;
    checks.verdict()
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    listener.local_addr().context("find a free port")
}

/// The body of the answer.
fn get(address: SocketAddr, context: &Context) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).context("connect to the recorder")?;
    stream.set_read_timeout(Some(context.deadline.remaining("an answer of the recorder")?))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("read the metrics")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(body.to_owned())
}

/// Of the samples that begin so.
fn sum(text: &str, beginning: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(beginning));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn check_by_promtool(checks: &mut Checks, text: &str) -> anyhow::Result<()> {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Ok(promtool) => promtool,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("promtool's check is skipped: it is not here (Debian: prometheus)");
            return Ok(());
        }
        Err(error) => return Err(error).context("start promtool"),
    };
    let mut stdin = promtool.stdin.take().context("promtool has no stdin")?;
    stdin.write_all(text.as_bytes()).context("write to promtool")?;
    drop(stdin);
    let checked = promtool.wait_with_output().context("wait for promtool")?;
    let said = [checked.stdout, checked.stderr].concat();
    checks.holds(
        checked.status.success() && said.is_empty(),
        format_args!("promtool: {}", String::from_utf8_lossy(&said)),
    );
    Ok(())
}
