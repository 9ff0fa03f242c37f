//! A real Prometheus, set up as docs/prometheus.md says, scrapes a recorder:
//! what it answers then is what `--stats` shows and what the store has.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use genome_trace::model::TimeRange;
use genome_trace::store::{CrashQuery, History as _, Place as StorePlace, Reader};
use genome_trace_tests_kernel::{
    Checks, Context, Place, Recorder, Resting, Started, Suite, Unsupported, find, free_address,
    get, promtool,
};
use serde_json::Value;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("prometheus::has_what_the_store_has", has_what_the_store_has);
}

/// Prometheus tells nobody that it has scraped.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const PERSONA: &str = "gt-prometheus-worker";
const OTHER: &str = "gt-prometheus-other";
const CRASHES: usize = 2;

const DOCUMENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prometheus.md"));
const RULES: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../packaging/prometheus/genome-trace.rules.yml"
));
const RULES_FILE: &str = "genome-trace.rules.yml";

fn has_what_the_store_has(context: &Context) -> anyhow::Result<()> {
    for program in ["prometheus", "promtool"] {
        if find(program).is_none() {
            let reason = format!("{program} is not here (Debian: prometheus)");
            return Err(Unsupported(reason).into());
        }
    }
    let place = Place::new(context)?;
    let address = free_address()?;
    let launch = place.recorder(context).option("--listen", address);
    let recorder = Recorder(launch.start_into(Stdio::null())?);
    let workers = [
        rest(context, PERSONA, 32, 5)?,
        rest(context, PERSONA, 8, 0)?,
        rest(context, OTHER, 1, 2)?,
    ];
    for _ in 0..CRASHES {
        let worker = context.program("sh").env("GENOME_PERSONA", PERSONA);
        let ended = worker.env("GENOME_ID", PERSONA).args(["-c", "exit 3"]).run()?;
        ensure!(ended.status.code() == Some(3), "the worker ended with {}", ended.status);
    }
    let prometheus = Prometheus::start(context, place.folder(), address)?;
    let (answered, stats) = prometheus.answers_between_equals(context, &place)?;
    let rules = prometheus.rules(context)?;
    let alert = prometheus.await_alert(context, "GenomeCrashed")?;

    let mut checks = Checks::new();
    for (persona, processes) in [(PERSONA, 2), (OTHER, 1)] {
        let shown = active(&stats, persona).context("--stats does not have a persona")?;
        for (query, field) in FIGURES {
            let wanted = shown.get(field).and_then(Value::as_f64);
            checks.holds(wanted.is_some(), format_args!("{field} of {persona} is unknown"));
            checks.equal(query, answered.of(query, persona), wanted);
        }
        checks.equal("processes", answered.of("genome_processes", persona), Some(processes.into()));
    }
    checks.equal("up", answered.up, Some(1.0));
    // A counter of the recorder's, the store's rows, and what --stats says.
    let reader = Reader::open(StorePlace::new(&place.store()))?;
    let crashes = reader.crashes(&CrashQuery::all(TimeRange::ALL))?;
    let of_persona = |name: &str| {
        crashes.iter().filter(|stored| stored.crash.persona.as_deref() == Some(name)).count()
    };
    for (persona, wanted) in [(PERSONA, CRASHES), (OTHER, 0)] {
        let told = answered.of("genome_crash_count_total", persona);
        checks.equal(format_args!("crashes of {persona}"), told, Some(wanted as f64));
        checks.equal(format_args!("its crashes in the store"), of_persona(persona), wanted);
        let shown = active(&stats, persona).and_then(|it| it.get("crashes_last_hour")?.as_u64());
        checks.equal(format_args!("its crashes by --stats"), shown, Some(wanted as u64));
    }
    checks.equal("whose the alert is", alert.as_deref(), Some(PERSONA));
    checks.equal("rules in the file", rules.len(), RULES.matches("- alert:").count());
    for (name, health, error) in rules {
        checks.holds(health == "ok", format_args!("rule {name} is {health}: {error}"));
    }
    promtool(&mut checks, &["metrics"], &get(address, "/metrics", &context.deadline)?)?;
    let file = |name: &str| place.folder().join(name).display().to_string();
    promtool(&mut checks, &["rules", &file(RULES_FILE)], "")?;
    promtool(&mut checks, &["config", &file(CONFIG_FILE)], "")?;
    prometheus.stop()?;
    for worker in workers {
        worker.finish()?;
    }
    recorder.stop(&place.store())?;
    checks.verdict()
}

/// A worker of that persona, which has its name as genome id.
fn rest(context: &Context, persona: &str, mib: u64, threads: u64) -> anyhow::Result<Resting> {
    let worker = context.workload("occupy").env("GENOME_PERSONA", persona);
    let worker = worker.env("GENOME_ID", persona).option("--rss-bytes", mib << 20);
    worker.option("--threads", threads).option("--open-files", threads).hold()?.settle()
}

/// What is asked of Prometheus, and what `--stats` calls it. At rest they stay.
const FIGURES: [(&str, &str); 6] = [
    ("genome_memory_usage_bytes", "rss_bytes"),
    ("genome_threads", "threads"),
    ("genome_processes", "processes"),
    ("genome_open_files", "open_files"),
    ("genome_write_calls_per_second", "write_calls_per_second"),
    ("genome_spawns_per_second", "spawns_per_second"),
];
const CRASHES_QUERY: &str = "genome_crash_count_total";

fn active<'a>(stats: &'a Value, persona: &str) -> Option<&'a Value> {
    let personas = stats.get("active_personas")?.as_array()?;
    personas.iter().find(|it| it.get("persona").and_then(Value::as_str) == Some(persona))
}

/// The figures that are asked for, of the two personas.
fn shown(stats: &Value) -> Vec<Option<f64>> {
    let of = |persona| {
        FIGURES.map(|(_, field)| active(stats, persona).and_then(|it| it.get(field)?.as_f64()))
    };
    [of(PERSONA), of(OTHER)].concat()
}

const CONFIG_FILE: &str = "prometheus.yml";

/// The documented configuration, which scrapes this address every second.
fn config(address: SocketAddr) -> anyhow::Result<String> {
    let documented = DOCUMENT.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```"));
    let mut config = documented.context("docs/prometheus.md has no configuration")?.0.to_owned();
    for (from, to) in [
        ("scrape_interval: 10s", "scrape_interval: 1s".to_owned()),
        ("127.0.0.1:9469", address.to_string()),
    ] {
        ensure!(config.contains(from), "the documented configuration has no {from}: {config}");
        config = config.replace(from, &to);
    }
    Ok(format!("global:\n  evaluation_interval: 1s\n{config}"))
}

/// A running Prometheus.
struct Prometheus {
    process: Started,
    address: SocketAddr,
}

/// What it answered, for each query and persona.
struct Answers {
    up: Option<f64>,
    by_persona: Vec<(&'static str, &'static str, Option<f64>)>,
}

impl Answers {
    fn of(&self, query: &str, persona: &str) -> Option<f64> {
        self.by_persona.iter().find(|(of, whose, _)| *of == query && *whose == persona)?.2
    }
}

impl Prometheus {
    fn start(context: &Context, folder: &Path, target: SocketAddr) -> anyhow::Result<Self> {
        let file = folder.join(CONFIG_FILE);
        fs::write(&file, config(target)?).context("write the configuration")?;
        fs::write(folder.join(RULES_FILE), RULES).context("write the rules")?;
        let address = free_address()?;
        let process = context
            .program("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .start()?;
        Ok(Self { process, address })
    }

    fn stop(self) -> anyhow::Result<()> {
        self.process.signal(rustix::process::Signal::TERM)?;
        self.process.succeed().map(drop)
    }

    /// Its answers after it has scraped what was seen since `--stats` showed
    /// something, and what `--stats` showed, which was the same afterwards.
    fn answers_between_equals(
        &self,
        context: &Context,
        place: &Place,
    ) -> anyhow::Result<(Answers, Value)> {
        let mut before = place.ask(context, &["--stats"])?;
        loop {
            let since = genome_trace::kernel::clock::now().unix_ns as f64 / 1e9;
            self.await_value(context, "genome_usage_timestamp_seconds", |at| at > since)?;
            let answers = self.answers(context)?;
            let after = place.ask(context, &["--stats"])?;
            if shown(&before) == shown(&after) {
                return Ok((answers, after));
            }
            context.deadline.remaining("the workers do not rest")?;
            before = after;
        }
    }

    fn answers(&self, context: &Context) -> anyhow::Result<Answers> {
        let mut by_persona = Vec::new();
        for persona in [PERSONA, OTHER] {
            for query in FIGURES.map(|(query, _)| query).into_iter().chain([CRASHES_QUERY]) {
                let asked = format!("sum({query}{{persona=\"{persona}\",genome=\"{persona}\"}})");
                by_persona.push((query, persona, self.value(context, &asked)?));
            }
        }
        Ok(Answers { up: self.value(context, "up{job=\"genome-trace\"}")?, by_persona })
    }

    /// Asks again and again until the one value is wanted.
    fn await_value(
        &self,
        context: &Context,
        query: &str,
        is_wanted: impl Fn(f64) -> bool,
    ) -> anyhow::Result<()> {
        loop {
            // Until it listens, it cannot be asked.
            if let Ok(Some(value)) = self.value(context, query)
                && is_wanted(value)
            {
                return Ok(());
            }
            context.deadline.remaining(format_args!("{query} of Prometheus"))?;
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The one value that a query has now; `None` where it has none.
    fn value(&self, context: &Context, query: &str) -> anyhow::Result<Option<f64>> {
        let data = self.api(context, &format!("query?query={}", encoded(query)))?;
        let results = data.get("result").and_then(Value::as_array).context("no result")?;
        ensure!(results.len() <= 1, "{query} has {} values", results.len());
        let Some(result) = results.first() else { return Ok(None) };
        let value = result.pointer("/value/1").and_then(Value::as_str).context("no value")?;
        Ok(Some(value.parse().with_context(|| format!("{query} is {value}"))?))
    }

    /// Waits until such an alert fires; gives the persona that it is about.
    fn await_alert(&self, context: &Context, name: &str) -> anyhow::Result<Option<String>> {
        loop {
            let data = self.api(context, "alerts")?;
            let alerts = data.get("alerts").and_then(Value::as_array).context("no alerts")?;
            let fires = |alert: &&Value| {
                alert.get("state").and_then(Value::as_str) == Some("firing")
                    && alert.pointer("/labels/alertname").and_then(Value::as_str) == Some(name)
            };
            if let Some(alert) = alerts.iter().find(fires) {
                let persona = alert.pointer("/labels/persona").and_then(Value::as_str);
                return Ok(persona.map(str::to_owned));
            }
            context.deadline.remaining(format_args!("the alert {name}"))?;
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Each rule, once all have been evaluated: its name, whether it could be,
    /// and why not.
    fn rules(&self, context: &Context) -> anyhow::Result<Vec<(String, String, String)>> {
        loop {
            let data = self.api(context, "rules")?;
            let rules = data.pointer("/groups/0/rules").and_then(Value::as_array);
            let text = |rule: &Value, field: &str| {
                rule.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let rules: Vec<_> = rules
                .context("no rules")?
                .iter()
                .map(|rule| (text(rule, "name"), text(rule, "health"), text(rule, "lastError")))
                .collect();
            if rules.iter().all(|(_, health, _)| health != "unknown") {
                return Ok(rules);
            }
            context.deadline.remaining("the rules were not evaluated")?;
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The data of an answer that says that all is well.
    fn api(&self, context: &Context, path: &str) -> anyhow::Result<Value> {
        let answer = get(self.address, &format!("/api/v1/{path}"), &context.deadline)?;
        let answer: Value = serde_json::from_str(&answer).context("an answer is no JSON")?;
        ensure!(answer.get("status").and_then(Value::as_str) == Some("success"), "{answer}");
        answer.get("data").cloned().context("an answer without data")
    }
}

/// As a value in a URL.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
