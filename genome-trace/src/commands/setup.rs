//! From a bare machine to attached probes: what `follow` and `doctor` share.

use std::{fmt, path::Path};

use anyhow::{Context as _, bail};

use crate::{
    kernel::{
        btf::{Btf, Source},
        capability::Effective,
        facts::FoundFacts,
        machine::{self, KernelVersion, Preemption},
        syscall,
    },
    probe::{AttachError, KernelTypes, Mode, Object, Plan, Request, Rings, Scope, Support, plan},
    source::hot_counts,
};

/// Where the kernel describes its types.
pub(super) const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";
/// Counts of (process, file) between two flushes. 65,536 of them take 8 MiB of
/// kernel memory in each of the two maps.
const COUNTS: u32 = 65536;

/// What is known about the kernel before anything is loaded.
pub(super) struct Kernel {
    pub(super) found: FoundFacts,
    pub(super) support: Support,
    /// Only where something may be loaded.
    types: Option<KernelTypes>,
}

/// Looks at the kernel: facts from BTF, and which modes are out of the
/// question. The trial of fexit needs privileges; without them the kernel's
/// refusal says nothing about fexit.
pub(super) fn examine(privileged: bool) -> anyhow::Result<Kernel> {
    let source = Source::open(Path::new(BTF_PATH)).with_context(|| {
        format!(
            "cannot read {BTF_PATH}, the kernel's description of its types: use a kernel built \
             with CONFIG_DEBUG_INFO_BTF=y"
        )
    })?;
    let btf = Btf::parse(source.bytes()).with_context(|| format!("cannot use {BTF_PATH}"))?;
    let types = privileged.then(|| KernelTypes::of(&btf));
    let found = FoundFacts::from_btf(&btf);
    let mut support = Support::new(
        &found.facts,
        found.missing.clone(),
        Preemption::of(&machine::kernel_release(), &machine::kernel_version()),
        |function| btf.function_id(function).is_some(),
        |tracepoint| btf.tracepoint(tracepoint).is_some(),
    );
    if privileged
        && let Some(function) = btf.function_id("vfs_write")
        && let Err(error) = syscall::try_fexit(function)
    {
        support.rule_out(
            Mode::Fexit,
            format!("the kernel refuses a fexit program on vfs_write: {error}"),
        );
    }
    if !machine::has_kprobes() {
        support.rule_out(
            Mode::Kprobe,
            "the kernel has no kprobes (built without CONFIG_KPROBE_EVENTS)".to_owned(),
        );
    }
    Ok(Kernel { found, support, types })
}

/// Tracing takes more than this process may do; a sentence, with the remedy.
#[derive(Debug)]
pub(super) struct MissingPrivileges(String);

impl fmt::Display for MissingPrivileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MissingPrivileges {}

/// Refuses to go on where tracing is impossible, with the remedy: the error is
/// [`MissingPrivileges`].
pub(super) fn require_privileges() -> anyhow::Result<()> {
    let missing: Vec<_> = Effective::read().missing_required().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let needs: Vec<_> = missing.iter().map(|c| format!("{} ({})", c.name, c.purpose)).collect();
    let sentence = format!(
        "cannot trace: this process lacks {}. Run it with sudo, or give the binary the \
         capabilities: sudo setcap cap_bpf,cap_perfmon,cap_syslog+ep $(command -v genome-trace)",
        needs.join(" and ")
    );
    Err(MissingPrivileges(sentence).into())
}

/// Refuses kernels that are too old.
pub(super) fn require_version() -> anyhow::Result<()> {
    let release = machine::kernel_release();
    match KernelVersion::parse(&release) {
        Some(version) if version < KernelVersion::OLDEST => bail!(
            "cannot trace on kernel {release}: it has no BPF ring buffers; {} or newer is needed",
            KernelVersion::OLDEST
        ),
        _ => Ok(()),
    }
}

/// Ring sizes fitted to the machine: the more processors, the more can happen
/// between two looks.
pub(super) fn default_rings() -> Rings {
    let processors = u32::try_from(machine::processors()).unwrap_or(u32::MAX);
    let fitted = |per_processor: u32, least: u32, most: u32| {
        per_processor.saturating_mul(processors).clamp(least, most).next_power_of_two()
    };
    Rings {
        lifecycle_bytes: fitted(1 << 20, 2 << 20, 16 << 20),
        io_bytes: fitted(2 << 20, 4 << 20, 32 << 20),
        counts: COUNTS,
        hot_counts: 2 * hot_counts(possible_processors()),
        mark_blocks: 1,
        stderr_tails: 1,
    }
}

/// Processors that the kernel may ever number.
pub(super) fn possible_processors() -> u32 {
    aya::util::nr_cpus().ok().and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
}

/// Loads the object and attaches the plan; where its mode turns out not to
/// work, rules that out and plans again.
pub(super) fn attach(
    kernel: &mut Kernel,
    request: &Request,
    scope: &Scope,
    rings: Rings,
) -> Result<(Object, Plan), AttachError> {
    syscall::raise_memlock_limit();
    let Some(types) = kernel.types.take() else {
        return Err(AttachError::Load("the kernel's types were not read".to_owned()));
    };
    let mut object = Object::load(&kernel.found.facts, types, scope, rings)?;
    loop {
        let mut plan = plan(request, &kernel.support);
        match object.attach(&mut plan) {
            Ok(()) => return Ok((object, plan)),
            Err(AttachError::Mode(mode, reason)) => kernel.support.rule_out(mode, reason),
            Err(error) => return Err(error),
        }
    }
}
