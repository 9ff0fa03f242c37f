//! Places in a process' program by the addresses that they had, for when its
//! maps are gone with it.

use std::{fs::File, os::unix::fs::MetadataExt as _, path::Path};

use rustix::fs::{major, minor};

use super::{
    elf::{self, CodeSegment},
    object,
};
use crate::model::{BuildId, LoadedProgram};

/// A program, and how far from where it says it was loaded.
pub(super) struct Program {
    build_id: BuildId,
    code: Vec<CodeSegment>,
    moved_by: u64,
}

impl Program {
    /// The file at `exe`; `None` where that is not the one that ran, or it has
    /// no build id.
    pub(super) fn of(exe: &Path, loaded: LoadedProgram) -> Option<Self> {
        let file = object::open(exe).filter(|file| is_same(file, loaded))?;
        let code = elf::code(&file)?;
        // The kernel notes the lowest one (fs/binfmt_elf.c).
        let first = code.iter().map(|segment| segment.address).min()?;
        let moved_by = loaded.code_start.wrapping_sub(first);
        Some(Self { build_id: elf::build_id(&file)?, code, moved_by })
    }

    /// Build id and offset in the file of an address in the process.
    pub(super) fn place(&self, address: u64) -> Option<(BuildId, u64)> {
        let address = address.wrapping_sub(self.moved_by);
        let within = |segment: &CodeSegment| {
            let into = address.checked_sub(segment.address)?;
            (into < segment.len).then_some(segment.offset.checked_add(into)?)
        };
        Some((self.build_id, self.code.iter().find_map(within)?))
    }
}

fn is_same(file: &File, loaded: LoadedProgram) -> bool {
    file.metadata().is_ok_and(|metadata| {
        let device = (major(metadata.dev()), minor(metadata.dev()));
        (metadata.ino(), device) == (loaded.inode, loaded.device)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolize::maps;

    /// This process, by what the kernel says of it (proc_pid_stat(5)).
    fn this() -> LoadedProgram {
        const START_CODE: usize = 26;
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let code_start = fields.split(' ').nth(START_CODE - 3).unwrap().parse().unwrap();
        let metadata = std::fs::metadata("/proc/self/exe").unwrap();
        let device = (major(metadata.dev()), minor(metadata.dev()));
        LoadedProgram { code_start, inode: metadata.ino(), device }
    }

    #[test]
    fn a_functions_place_is_that_which_the_maps_tell() {
        let exe = std::env::current_exe().unwrap();
        let program = Program::of(&exe, this()).unwrap();
        let address = is_same as fn(&File, LoadedProgram) -> bool as usize as u64;
        let maps = maps::read(std::process::id());
        let mapping = maps.iter().find(|mapping| mapping.addresses.contains(&address)).unwrap();
        let offset = address - mapping.addresses.start + mapping.offset;
        let build_id = elf::build_id(&File::open(&exe).unwrap()).unwrap();
        assert_eq!(program.place(address), Some((build_id, offset)));
        assert_eq!(program.place(&raw const exe as u64), None);
    }

    #[test]
    fn another_file_says_nothing() {
        let exe = std::env::current_exe().unwrap();
        let copied = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy(&exe, copied.path()).unwrap();
        assert!(Program::of(copied.path(), this()).is_none());
        assert!(Program::of(Path::new("/none"), this()).is_none());
    }
}
