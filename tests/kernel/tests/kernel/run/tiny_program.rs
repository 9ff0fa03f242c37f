//! A program whose first instructions create a file: no loader and no library
//! stand before them.

use std::path::Path;

use anyhow::bail;
use genome_trace_tests_kernel::Unsupported;

/// Where it is loaded.
const BASE: u64 = 0x40_0000;
/// ELF header and one program header (elf(5)).
const HEADERS: u64 = 64 + 56;

/// What it exits with.
pub(crate) const CODE: u8 = 7;

/// `openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0644)`, then
/// `exit_group(7)`.
const X86_64: [u8; 42] = [
    0xb8, 0x01, 0x01, 0x00, 0x00, // mov eax, 257
    0xbf, 0x9c, 0xff, 0xff, 0xff, // mov edi, -100
    0x48, 0x8d, 0x35, 0x19, 0x00, 0x00, 0x00, // lea rsi, [rip + 25]
    0xba, 0xc1, 0x00, 0x00, 0x00, // mov edx, 0301
    0x41, 0xba, 0xa4, 0x01, 0x00, 0x00, // mov r10d, 0644
    0x0f, 0x05, // syscall
    0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, 231
    0xbf, CODE, 0x00, 0x00, 0x00, // mov edi, 7
    0x0f, 0x05, // syscall
];

/// The program's file.
pub(crate) fn that_creates(path: &Path) -> anyhow::Result<Vec<u8>> {
    if !cfg!(target_arch = "x86_64") {
        return Err(Unsupported("its instructions are x86-64's".to_owned()).into());
    }
    let path = path.as_os_str().as_encoded_bytes();
    if path.contains(&0) {
        bail!("a path has a zero byte");
    }
    let code = [&X86_64[..], path, b"\0"].concat();
    let len = HEADERS + code.len() as u64;
    let mut elf = Vec::new();
    elf.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    for half in [2_u16, 62] {
        elf.extend(half.to_le_bytes());
    }
    elf.extend(1_u32.to_le_bytes());
    for word in [BASE + HEADERS, 64, 0] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 0, 0, 0] {
        elf.extend(half.to_le_bytes());
    }
    // To be read and executed.
    for word in [1_u32, 5] {
        elf.extend(word.to_le_bytes());
    }
    for word in [0, BASE, BASE, len, len, 4096] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(code);
    Ok(elf)
}
