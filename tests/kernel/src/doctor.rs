//! What the tracer itself says that this kernel allows.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::child::Running;
use crate::lines::Lines;
use crate::{Deadline, Mode};

/// The answer of `genome-trace doctor --format=json`.
pub struct Doctor(Value);

impl Doctor {
    /// Asks the tracer.
    pub fn ask(tracer: &Path, deadline: &Deadline) -> anyhow::Result<Self> {
        let mut doctor = Running::start(
            "doctor",
            Command::new(tracer)
                .args(["doctor", "--format=json"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped()),
        )?;
        let stdout = doctor.stdout.take().context("doctor has no stdout")?;
        let text = Lines::of("doctor's stdout", stdout)?.rest(deadline)?.join("\n");
        doctor.wait(deadline)?;
        serde_json::from_str(&text)
            .map(Self)
            .with_context(|| format!("doctor's answer is no JSON: {text}"))
    }

    /// Nothing if the mode can be used here, else the reason why it cannot.
    pub fn refusal(&self, mode: Mode) -> anyhow::Result<Option<String>> {
        let entry = self
            .entries("modes")
            .find(|entry| text(entry, "mode") == Some(mode.name()))
            .with_context(|| format!("doctor does not speak of mode {mode}: {}", self.0))?;
        match entry.get("usable").and_then(Value::as_bool) {
            Some(true) => Ok(None),
            Some(false) => Ok(Some(reason(entry))),
            None => anyhow::bail!("doctor does not say if mode {mode} is usable: {entry}"),
        }
    }

    /// Nothing if writes by this call are counted in this mode, else why not.
    pub fn uncounted(&self, route: &str, mode: Mode) -> Option<String> {
        self.entries("write_routes")
            .find(|entry| {
                text(entry, "route") == Some(route) && text(entry, "mode") == Some(mode.name())
            })
            .filter(|entry| entry.get("counted").and_then(Value::as_bool) == Some(false))
            .map(reason)
    }

    /// The mode that the tracer takes by itself.
    pub fn selected_mode(&self) -> Option<&str> {
        text(&self.0, "selected_mode")
    }

    fn entries(&self, list: &str) -> impl Iterator<Item = &Value> {
        let list = self.0.get(list).and_then(Value::as_array);
        list.into_iter().flatten()
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> Option<&'a str> {
    entry.get(field).and_then(Value::as_str)
}

fn reason(entry: &Value) -> String {
    text(entry, "reason").unwrap_or("no reason given").to_owned()
}
