//! The kernel's types as aya is given them. It asks for nothing but the ids of
//! what programs are attached to, so it gets BTF that has no more: reading all
//! of the kernel's takes it a third of a start, and tens of megabytes. What is
//! left is read by a thread of its own, while others look at the kernel.

use std::{io, thread::JoinHandle};

use aya::{Btf, BtfError, Endianness};

use super::{
    attach::TASKS,
    spec::{Hook, PROBES},
};
use crate::kernel::btf::{self, Wanted};

/// The ids of what there may be to attach to, as they are being read.
pub struct KernelTypes(io::Result<JoinHandle<Result<Btf, BtfError>>>);

impl KernelTypes {
    /// Takes them out of the kernel's BTF, and begins to read them.
    #[must_use]
    pub fn of(btf: &btf::Btf<'_>) -> Self {
        let iterator = format!("bpf_iter_{TASKS}");
        let functions = PROBES.iter().flat_map(|spec| spec.hook.functions());
        let tracepoints = PROBES.iter().filter_map(|spec| match spec.hook {
            Hook::TracepointBtf(name) => Some(name),
            _ => None,
        });
        let wanted = functions
            .map(|name| Wanted::Function(name))
            .chain(tracepoints.map(Wanted::Tracepoint))
            .chain([Wanted::Function(&iterator)]);
        let outline = btf.outline(wanted);
        let read = move || Btf::parse(&outline, Endianness::default());
        Self(std::thread::Builder::new().name("btf".to_owned()).spawn(read))
    }

    /// Waits for them; the error is in words.
    pub(super) fn get(self) -> Result<Btf, String> {
        let thread = self.0.map_err(|error| format!("cannot start a thread: {error}"))?;
        let read = thread.join().map_err(|_| "reading the kernel's BTF was cut off".to_owned())?;
        read.map_err(|error| format!("cannot read the kernel's BTF: {error}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn aya_takes_the_outline_of_this_kernel() {
        let path = std::path::Path::new("/sys/kernel/btf/vmlinux");
        let Ok(source) = btf::Source::open(path) else {
            eprintln!("skipped: this kernel does not describe its types");
            return;
        };
        let whole = btf::Btf::parse(source.bytes()).unwrap();
        let types = KernelTypes::of(&whole).get().unwrap();
        // As aya writes it: its own copy of what it was given.
        let outline = types.to_bytes();
        let outline = btf::Btf::parse(&outline).unwrap();
        let iterator = "bpf_iter_task";
        assert!(whole.function_id(iterator).is_some());
        for name in PROBES.iter().flat_map(|spec| spec.hook.functions()).chain([&iterator]) {
            assert_eq!(outline.function_id(name), whole.function_id(name), "{name}");
        }
        assert!(outline.function_id("schedule").is_none());
    }
}
