//! The bytes of the kernel's own BTF. Read, they take thousands of system calls,
//! since sysfs hands out a page at a time; mapped, which kernels since 6.16
//! allow, they cost nothing until they are looked at.

use std::{
    fs::{self, File},
    io,
    os::fd::AsRawFd as _,
    path::Path,
};

use crate::kernel::mapping::Mapping;

/// The file, mapped or read.
pub enum Source {
    /// The kernel's own pages.
    Mapped(Mapping),
    /// A copy.
    Read(Vec<u8>),
}

impl Source {
    /// Maps the file in sysfs that the kernel describes its types in, or reads
    /// it where it cannot be mapped.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        match Mapping::private(file.as_raw_fd(), len) {
            Ok(mapping) => Ok(Self::Mapped(mapping)),
            Err(_) => fs::read(path).map(Self::Read),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            // SAFETY: the mapping is that long and lives as long as `self`; the
            // kernel never changes its types.
            Self::Mapped(mapping) => unsafe {
                std::slice::from_raw_parts(mapping.start().as_ptr(), mapping.len())
            },
            Self::Read(bytes) => bytes,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_mapped_where_it_can_be_and_read_elsewhere() {
        let program = std::env::current_exe().unwrap();
        let mapped = Source::open(&program).unwrap();
        assert!(matches!(mapped, Source::Mapped(_)));
        assert!(mapped.bytes() == fs::read(&program).unwrap());
        // The kernel makes no mapping of a file without a size.
        let version = Path::new("/proc/version");
        let read = Source::open(version).unwrap();
        assert!(matches!(read, Source::Read(_)));
        assert!(read.bytes() == fs::read(version).unwrap());
    }
}
