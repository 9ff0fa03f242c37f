//! The script: what the driver of this pretended machine says, and when. The
//! README is its reference.

mod amount;
mod cuda_version;
mod gpu;
mod offset;
mod pci;
mod process;
mod stall;
mod vram;

use serde::Deserialize;

pub(crate) use cuda_version::CudaVersion;
pub(crate) use gpu::{ComputeMode, Gpu, Mig};
pub(crate) use offset::Offset;
pub(crate) use pci::PciAddress;
pub(crate) use process::{List, Process};
pub(crate) use stall::Stall;

/// A whole script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// Whether there is a driver to talk to.
    #[serde(default)]
    pub(crate) init: Init,
    pub(crate) driver_version: Option<String>,
    pub(crate) cuda_version: Option<CudaVersion>,
    #[serde(default)]
    pub(crate) gpu: Vec<Gpu>,
    #[serde(default)]
    pub(crate) xid: Vec<Xid>,
    pub(crate) stall: Option<Stall>,
}

/// What initialising returns, and then every call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Init {
    #[default]
    Ok,
    DriverNotLoaded,
    NoPermission,
    Unknown,
}

/// `[[xid]]`: an error that the driver tells of.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Xid {
    /// Index of the GPU.
    pub(crate) gpu: usize,
    /// Number of the error.
    pub(crate) code: u64,
    /// When it happens.
    #[serde(default)]
    pub(crate) at: Offset,
}

impl Script {
    /// Reads a script, or says in part of a sentence what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let script: Self = toml::from_str(text).map_err(|error| explain(text, &error))?;
        let gpus = script.gpu.len();
        if let Some(xid) = script.xid.iter().find(|xid| xid.gpu >= gpus) {
            return Err(format!("an [[xid]] names gpu {}, and it has {gpus}", xid.gpu));
        }
        Ok(script)
    }
}

fn explain(text: &str, error: &toml::de::Error) -> String {
    // toml's own text has the lines in it; this has to be one sentence.
    let message = error.message().replace('\n', ", ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const README: &str = include_str!("../../README.md");

    /// The scripts that the README shows.
    fn examples() -> Vec<&'static str> {
        README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
    }

    #[test]
    fn readme_examples_are_scripts() {
        assert!(!examples().is_empty());
        for example in examples() {
            assert_eq!(Script::parse(example).map(|_| ()), Ok(()), "{example}");
        }
    }

    #[test]
    fn nothing_is_a_machine_without_gpus() {
        let script = Script::parse("").unwrap();
        assert_eq!((script.init, script.gpu.len()), (Init::Ok, 0));
    }

    #[test]
    fn what_is_wrong_is_one_line_with_its_place() {
        for (text, expected) in [
            ("driver_version = '1'\nfoo = 1", "line 2: unknown field `foo`"),
            ("[[gpu]]\nname = 'x'", "missing field `memory`"),
            ("[[gpu]]\nmemory = { total = '1 GB' }", "line 2: invalid value"),
            ("[[gpu]]\nmemory = { total = 1, free = 1 }", "line 2: unknown field `free`"),
            ("[[xid]]\ngpu = 0\ncode = 79", "an [[xid]] names gpu 0, and it has 0"),
            ("init = 'perhaps'", "line 1: unknown variant `perhaps`"),
            ("cuda_version = '12'", "line 1: invalid value"),
        ] {
            let said = Script::parse(text).unwrap_err();
            assert!(said.contains(expected), "{text}: {said}");
            assert!(!said.contains('\n'), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Script::parse(&text);
        }

        #[test]
        fn any_damage_is_read_or_refused(
            example in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            length in 0_usize..12,
            put in "[-0-9a-z\"'=.\\[\\]{}# \\n]{0,6}",
        ) {
            let text = *example.get(&examples());
            // The examples are ASCII, so any place is between two characters.
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            let _ = Script::parse(&format!("{}{put}{}", &text[..start], &text[end..]));
        }
    }
}
