//! What is said on stderr when the way to the GPUs changes: a sentence each,
//! with what it means for the trace.

use std::fmt::{self, Display};

use super::{text::Escaped, units::Elapsed};
use crate::model::{GpuAccess, GpuHealth, GpuIdentity};

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuNotice<'a> {
    /// GPUs are looked at.
    Looking {
        /// How many.
        gpus: usize,
        /// Nanoseconds from one look to the next.
        interval_ns: u64,
        /// The driver's version.
        driver_version: Option<&'a str>,
    },
    /// The way is another than before.
    Access {
        /// The way.
        access: &'a GpuAccess,
        /// The library that was asked for.
        library: &'a str,
    },
    /// A call has not come back for that many nanoseconds.
    Stalled(u64),
    /// It has.
    Answers,
    /// A GPU answers again, or does not any more.
    Health {
        /// Which.
        gpu: &'a GpuIdentity,
        /// What it is now.
        health: &'a GpuHealth,
    },
}

impl Display for GpuNotice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("genome-trace: ")?;
        match self {
            Self::Looking { gpus, interval_ns, driver_version } => {
                let plural = if *gpus == 1 { "" } else { "s" };
                write!(f, "VRAM of {gpus} GPU{plural}, every {}", Elapsed(*interval_ns))?;
                match driver_version {
                    Some(version) => {
                        write!(f, ", NVIDIA driver {}", Escaped(version.as_bytes()))
                    }
                    None => Ok(()),
                }
            }
            Self::Access { access, library } => access_sentence(f, access, library),
            Self::Stalled(waited_ns) => write!(
                f,
                "NVML has not answered for {}: VRAM is told as it was before that, and the trace \
                 goes on",
                Elapsed(*waited_ns)
            ),
            Self::Answers => f.write_str("NVML answers again"),
            Self::Health { gpu, health } => health_sentence(f, gpu, health),
        }
    }
}

fn access_sentence(f: &mut fmt::Formatter<'_>, access: &GpuAccess, library: &str) -> fmt::Result {
    let library = Escaped(library.as_bytes());
    match access {
        GpuAccess::Ready => f.write_str("the NVIDIA driver answers"),
        GpuAccess::NoLibrary => write!(
            f,
            "no GPU: there is no library {library}; VRAM is unknown until it comes, and it is \
             looked for"
        ),
        GpuAccess::NoDriver => f.write_str(
            "no GPU: the NVIDIA driver is not loaded; VRAM is unknown until it is, and it is \
             looked for",
        ),
        GpuAccess::Stalled => f.write_str("NVML does not answer: VRAM is unknown"),
        GpuAccess::Failed(why) => write!(
            f,
            "no GPU: the library {library} cannot be used: {}; VRAM is unknown",
            Escaped(why.as_bytes())
        ),
    }
}

fn health_sentence(
    f: &mut fmt::Formatter<'_>,
    gpu: &GpuIdentity,
    health: &GpuHealth,
) -> fmt::Result {
    write!(f, "GPU {}", gpu.index)?;
    if let Some(name) = &gpu.name {
        write!(f, " ({})", Escaped(name.as_bytes()))?;
    }
    match health {
        GpuHealth::Ok => f.write_str(" answers again"),
        GpuHealth::Lost => f.write_str(
            " has fallen off the bus: what is on it is unknown until it is back; end the processes \
             that use it, and restart the machine",
        ),
        GpuHealth::Failed(why) => {
            write!(f, " cannot be asked: {}; what is on it is unknown", Escaped(why.as_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_a_sentence() {
        let gpu = GpuIdentity {
            index: 1,
            name: Some("NVIDIA H100\u{1b}[31m".into()),
            ..GpuIdentity::default()
        };
        let library = "libnvidia-ml.so.1";
        let failed = GpuAccess::Failed("wrong ELF class".into());
        let interval_ns = 1_000_000_000;
        let refused = GpuHealth::Failed("no permission".into());
        let notices = [
            GpuNotice::Looking { gpus: 1, interval_ns, driver_version: None },
            GpuNotice::Looking { gpus: 8, interval_ns, driver_version: Some("580.82.07") },
            GpuNotice::Access { access: &GpuAccess::Ready, library },
            GpuNotice::Access { access: &GpuAccess::NoLibrary, library },
            GpuNotice::Access { access: &GpuAccess::NoDriver, library },
            GpuNotice::Access { access: &GpuAccess::Stalled, library },
            GpuNotice::Access { access: &failed, library },
            GpuNotice::Stalled(5_100_000_000),
            GpuNotice::Answers,
            GpuNotice::Health { gpu: &gpu, health: &GpuHealth::Ok },
            GpuNotice::Health { gpu: &gpu, health: &GpuHealth::Lost },
            GpuNotice::Health { gpu: &gpu, health: &refused },
        ];
        let text: Vec<String> = notices.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
