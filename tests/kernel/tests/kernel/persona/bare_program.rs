//! A program without a library or a loader: the first thing that it does is
//! the work.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// How often it writes to its file.
pub(super) const WRITES: u64 = 3;
/// How much each time.
pub(super) const BYTES_OF_A_WRITE: u64 = 7;

/// Where the kernel maps the file.
const ADDRESS: u64 = 0x40_0000;
const HEADER_BYTES: u16 = 64;
const SEGMENT_BYTES: u16 = 56;

/// The program, and the file that it creates.
pub(super) struct BareProgram {
    pub(super) program: PathBuf,
    pub(super) file: PathBuf,
}

/// Makes it; none where its instructions are not this processor's.
pub(super) fn new(folder: &Path) -> anyhow::Result<Option<BareProgram>> {
    if std::env::consts::ARCH != "x86_64" {
        eprintln!("the bare program is made for x86_64 only");
        return Ok(None);
    }
    let (program, file) = (folder.join("bare"), folder.join("by-bare"));
    fs::write(&program, elf(&code(&file)?)?).context("write the bare program")?;
    fs::set_permissions(&program, Permissions::from_mode(0o755)).context("let it be executed")?;
    Ok(Some(BareProgram { program, file }))
}

/// `creat(file, 0644)`, the writes of the path's first letters, `_exit(0)`.
fn code(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut code = Code::default();
    code.bytes(&[0xb8, 85, 0, 0, 0]); // mov eax, creat
    code.path_into(&[0x48, 0x8d, 0x3d]); // lea rdi, [rip + path]
    code.bytes(&[0xbe, 0xa4, 0x01, 0, 0]); // mov esi, 0644
    code.bytes(&[0x0f, 0x05]); // syscall
    code.bytes(&[0x89, 0xc7]); // mov edi, eax
    for _ in 0..WRITES {
        code.bytes(&[0xb8, 1, 0, 0, 0]); // mov eax, write
        code.path_into(&[0x48, 0x8d, 0x35]); // lea rsi, [rip + path]
        code.bytes(&[0xba, u8::try_from(BYTES_OF_A_WRITE)?, 0, 0, 0]); // mov edx, length
        code.bytes(&[0x0f, 0x05]);
    }
    code.bytes(&[0xb8, 60, 0, 0, 0]); // mov eax, exit
    code.bytes(&[0x31, 0xff]); // xor edi, edi
    code.bytes(&[0x0f, 0x05]);
    code.with_path(file)
}

#[derive(Default)]
struct Code {
    bytes: Vec<u8>,
    /// Where the distance to the path shall stand.
    holes: Vec<usize>,
}

impl Code {
    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn path_into(&mut self, instruction: &[u8]) {
        self.bytes(instruction);
        self.holes.push(self.bytes.len());
        self.bytes(&[0; 4]);
    }

    fn with_path(mut self, path: &Path) -> anyhow::Result<Vec<u8>> {
        let start = self.bytes.len();
        for hole in self.holes {
            // Counted from the instruction's end, which is the hole's.
            let distance = u32::try_from(start - (hole + 4))?.to_le_bytes();
            self.bytes.splice(hole..hole + 4, distance);
        }
        self.bytes.extend_from_slice(path.as_os_str().as_bytes());
        self.bytes.push(0);
        Ok(self.bytes)
    }
}

/// The smallest file that the kernel executes: two headers and the code, all
/// in one segment.
fn elf(code: &[u8]) -> anyhow::Result<Vec<u8>> {
    let headers = u64::from(HEADER_BYTES + SEGMENT_BYTES);
    let size = headers + u64::try_from(code.len())?;
    let mut file = Vec::new();
    file.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file.extend_from_slice(&2_u16.to_le_bytes()); // an executable
    file.extend_from_slice(&62_u16.to_le_bytes()); // x86_64
    file.extend_from_slice(&1_u32.to_le_bytes());
    for number in [ADDRESS + headers, u64::from(HEADER_BYTES), 0] {
        file.extend_from_slice(&number.to_le_bytes()); // entry, segments, sections
    }
    file.extend_from_slice(&0_u32.to_le_bytes());
    for number in [HEADER_BYTES, SEGMENT_BYTES, 1, 0, 0, 0] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(&1_u32.to_le_bytes()); // to be loaded
    file.extend_from_slice(&5_u32.to_le_bytes()); // read and executed
    for number in [0, ADDRESS, ADDRESS, size, size, 0x1000] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(code);
    Ok(file)
}
