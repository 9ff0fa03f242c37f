//! The answer of `genome-trace --stats --format=json` (docs/gpu.md).

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::Context;
use serde_json::Value;

use crate::refusal::NotHere;

/// The answer.
pub(crate) struct Stats(Value);

impl Stats {
    /// Asks the tracer.
    pub(crate) fn ask(context: &Context) -> anyhow::Result<Self> {
        let tracer = context.program(&context.setup.tracer);
        let ended = tracer.args(["--stats", "--format=json"]).run()?;
        let said = ended.stdout.join("\n");
        ensure!(!said.is_empty(), "genome-trace --stats said nothing: {}", ended.stderr.join(" "));
        Self::parse(&said)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text)
            .map(Self)
            .with_context(|| format!("what genome-trace --stats said is no JSON: {text}"))
    }

    /// Whether GPUs and their processes can be looked at, and why not.
    pub(crate) fn check_access(&self) -> Result<(), NotHere> {
        let reason = match self.text("access") {
            Some("ready") if self.0.get("foreign_pids") == Some(&Value::Bool(true)) => {
                "this is a container with PIDs of its own, and the driver's are the host's: run \
                 it on the host, or share the host's PIDs (--pid=host)"
                    .to_owned()
            }
            Some("ready") => return Ok(()),
            Some("no_library") => format!(
                "there is no {}: install the library of the NVIDIA driver",
                self.text("library").unwrap_or("NVML")
            ),
            Some("no_driver") => {
                "the NVIDIA driver is not loaded: `modprobe nvidia` as root".to_owned()
            }
            other => format!(
                "genome-trace cannot look at the GPU ({}): {}",
                other.unwrap_or("no access told"),
                self.text("access_reason").unwrap_or("see what nvidia-smi says")
            ),
        };
        Err(NotHere(reason))
    }

    /// A field of the whole that is a text.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// A GPU by its UUID.
    pub(crate) fn gpu(&self, uuid: &str) -> Option<&Value> {
        find(self.0.get("gpus"), "uuid", &uuid.into())
    }

    /// A process on that GPU.
    pub(crate) fn process(&self, uuid: &str, pid: u64) -> Option<&Value> {
        find(self.gpu(uuid)?.get("processes"), "tgid", &pid.into())
    }

    /// The processes on that GPU.
    pub(crate) fn pids(&self, uuid: &str) -> Option<Vec<u64>> {
        let list = self.gpu(uuid)?.get("processes")?.as_array()?;
        list.iter().map(|process| process.get("tgid")?.as_u64()).collect()
    }

    /// A persona's sum.
    pub(crate) fn persona(&self, name: &str) -> Option<&Value> {
        find(self.0.get("personas"), "persona", &name.into())
    }
}

fn find<'a>(list: Option<&'a Value>, field: &str, wanted: &Value) -> Option<&'a Value> {
    list?.as_array()?.iter().find(|entry| entry.get(field) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_processes_and_personas_are_found() {
        let stats = Stats::parse(
            r#"{"access":"ready","foreign_pids":false,
                "gpus":[{"uuid":"GPU-1","processes":null},
                        {"uuid":"GPU-2","processes":[{"tgid":7,"vram_bytes":5}]}],
                "personas":[{"persona":null,"vram_bytes":1},{"persona":"A","vram_bytes":5}]}"#,
        )
        .unwrap();
        assert!(stats.check_access().is_ok());
        assert_eq!(stats.process("GPU-2", 7).unwrap()["vram_bytes"], 5);
        assert!(stats.process("GPU-1", 7).is_none());
        assert_eq!((stats.pids("GPU-1"), stats.pids("GPU-2")), (None, Some(vec![7])));
        assert_eq!(stats.persona("A").unwrap()["vram_bytes"], 5);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, words) in [
            (r#"{"access":"no_library","library":"libnvidia-ml.so.1"}"#, "libnvidia-ml.so.1"),
            (r#"{"access":"no_driver"}"#, "modprobe nvidia"),
            (r#"{"access":"failed","access_reason":"wrong version"}"#, "wrong version"),
            (r#"{"access":"stalled"}"#, "stalled"),
            (r#"{"access":"ready","foreign_pids":true}"#, "--pid=host"),
            ("{}", "no access told"),
        ] {
            let NotHere(reason) = Stats::parse(text).unwrap().check_access().unwrap_err();
            assert!(reason.contains(words), "{reason}");
        }
    }
}
