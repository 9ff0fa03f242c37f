//! Kernel symbols, for the one question that needs them: was an OOM kill a
//! memory cgroup's or the machine's? The caller of `out_of_memory` tells
//! (mm/oom_kill.c, mm/memcontrol.c).

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    ops::Range,
};

use crate::model::MemoryConstraint;

/// Where the functions lie that tell the two apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OomSymbols {
    out_of_memory: Range<u64>,
    memory_cgroup: Vec<Range<u64>>,
}

impl OomSymbols {
    /// Reads /proc/kallsyms.
    ///
    /// # Errors
    /// Where it cannot be read, or shows no addresses (CAP_SYSLOG is missing,
    /// or kernel.kptr_restrict is 2).
    pub fn read() -> io::Result<Self> {
        let symbols = Self::parse(BufReader::new(File::open("/proc/kallsyms")?))?;
        if symbols.out_of_memory.is_empty() {
            return Err(io::Error::other("/proc/kallsyms shows no addresses"));
        }
        Ok(symbols)
    }

    /// Each symbol ends where the next higher one begins; the file is sorted
    /// almost, so the ends are found in a second step.
    fn parse(reader: impl BufRead) -> io::Result<Self> {
        let mut starts = Vec::new();
        let mut out_of_memory = None;
        let mut memory_cgroup = Vec::new();
        for line in reader.lines() {
            let line = line?;
            let mut words = line.split_ascii_whitespace();
            let address = words.next().and_then(|word| u64::from_str_radix(word, 16).ok());
            let (Some(address), Some(_), Some(name)) = (address, words.next(), words.next()) else {
                continue;
            };
            if address == 0 {
                continue;
            }
            starts.push(address);
            if name == "out_of_memory" {
                out_of_memory = Some(address);
            } else if name.contains("mem_cgroup") || name.contains("memcg") {
                memory_cgroup.push(address);
            }
        }
        starts.sort_unstable();
        let range = |start: u64| {
            let next = starts.partition_point(|other| *other <= start);
            start..starts.get(next).copied().unwrap_or(u64::MAX)
        };
        Ok(Self {
            out_of_memory: out_of_memory.map(range).unwrap_or_default(),
            memory_cgroup: memory_cgroup.into_iter().map(range).collect(),
        })
    }

    /// What ran out, from the return addresses of the process that called the
    /// OOM killer, innermost first.
    #[must_use]
    pub fn constraint(&self, stack: &[u64]) -> Option<MemoryConstraint> {
        let at = stack.iter().position(|address| self.out_of_memory.contains(address))?;
        let caller = stack.get(at.checked_add(1)?).filter(|address| **address != 0)?;
        let memcg = self.memory_cgroup.iter().any(|range| range.contains(caller));
        Some(if memcg { MemoryConstraint::Memcg } else { MemoryConstraint::Global })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KALLSYMS: &str = "\
ffffffff81000000 T _text
ffffffff81001000 t oom_kill_process
ffffffff81002000 T out_of_memory
ffffffff81003000 t mem_cgroup_out_of_memory
ffffffff81004000 t try_charge_memcg
ffffffff81005000 T __alloc_pages_slowpath.constprop.0
ffffffff81006000 T _etext
";

    #[test]
    fn the_caller_of_out_of_memory_decides() {
        let symbols = OomSymbols::parse(KALLSYMS.as_bytes()).unwrap();
        let stack = |caller| [0xffff_ffff_8100_1010, 0xffff_ffff_8100_2020, caller];
        assert_eq!(
            symbols.constraint(&stack(0xffff_ffff_8100_3030)),
            Some(MemoryConstraint::Memcg)
        );
        assert_eq!(
            symbols.constraint(&stack(0xffff_ffff_8100_5050)),
            Some(MemoryConstraint::Global)
        );
        assert_eq!(symbols.constraint(&stack(0)), None);
        assert_eq!(symbols.constraint(&[]), None);
    }

    #[test]
    fn hidden_addresses_are_no_symbols() {
        let hidden = KALLSYMS.replace("ffffffff8100", "000000000000");
        let symbols = OomSymbols::parse(hidden.replace("2000 T", "0000 T").as_bytes()).unwrap();
        assert!(symbols.out_of_memory.is_empty());
    }
}
