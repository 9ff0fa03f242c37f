//! What is read of an ELF file (elf(5)) before it is taken apart: its build id,
//! by the note that the kernel reads, too, and the names of its sections.

use std::{fs::File, os::unix::fs::FileExt as _};

use crate::model::BuildId;

/// `\x7fELF`, 64 bits, least significant byte first: what x86-64 and arm64 run.
const IDENT: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
const HEADER_LEN: usize = 64;
/// Where the header has the place, the length and the number of the program
/// headers.
const PHOFF_AT: usize = 0x20;
const PHENTSIZE_AT: usize = 0x36;
const PHNUM_AT: usize = 0x38;
const PROGRAM_HEADER_LEN: usize = 56;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PF_X: u32 = 1;
const NT_GNU_BUILD_ID: u32 = 3;
/// The same of the section headers, and which of them has their names.
const SHOFF_AT: usize = 0x28;
const SHENTSIZE_AT: usize = 0x3a;
const SHNUM_AT: usize = 0x3c;
const SHSTRNDX_AT: usize = 0x3e;
const SECTION_HEADER_LEN: usize = 64;
/// Notes and names are small; a file that says otherwise is none of a linker's.
const TABLE_MAX: u64 = 1 << 20;

/// The build id; `None` where it is no such file, or has none.
pub(super) fn build_id(file: &File) -> Option<BuildId> {
    find_build_id(|at, bytes| file.read_exact_at(bytes, at).ok())
}

/// A piece of the file that is loaded to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CodeSegment {
    /// Where it is to be, for a file that is not moved.
    pub(super) address: u64,
    /// Where in the file it is.
    pub(super) offset: u64,
    /// Its bytes in the file.
    pub(super) len: u64,
}

/// All of its code; `None` where it is no such file, or a header is broken.
pub(super) fn code(file: &File) -> Option<Vec<CodeSegment>> {
    let read = |at, bytes: &mut [u8]| file.read_exact_at(bytes, at).ok();
    let mut code = Vec::new();
    for program in program_headers(read)? {
        let program = program?;
        if u32_at(&program, 0)? == PT_LOAD && u32_at(&program, 4)? & PF_X != 0 {
            let (offset, address) = (u64_at(&program, 8)?, u64_at(&program, 16)?);
            code.push(CodeSegment { address, offset, len: u64_at(&program, 32)? });
        }
    }
    Some(code)
}

/// Whether it has a section with one of these names; `None` where they cannot
/// be read.
pub(super) fn has_section(file: &File, names: &[&[u8]]) -> Option<bool> {
    let read = |at, bytes: &mut [u8]| file.read_exact_at(bytes, at).ok();
    let header = read_header(read)?;
    let (first, count) = (u64_at(&header, SHOFF_AT)?, u16_at(&header, SHNUM_AT)?);
    // Without any, the numbers may be kept elsewhere.
    if count == 0 || u16_at(&header, SHENTSIZE_AT)? != SECTION_HEADER_LEN as u16 {
        return None;
    }
    let mut headers = vec![0; usize::from(count) * SECTION_HEADER_LEN];
    read(first, &mut headers)?;
    let section = |index| headers.chunks_exact(SECTION_HEADER_LEN).nth(index);
    let text = section(usize::from(u16_at(&header, SHSTRNDX_AT)?))?;
    let text = table(read, u64_at(text, 24)?, u64_at(text, 32)?)?;
    let mut has = false;
    for section in headers.chunks_exact(SECTION_HEADER_LEN) {
        let name = text.get(usize::try_from(u32_at(section, 0)?).ok()?..)?;
        has |= names.contains(&name.split(|byte| *byte == 0).next()?);
    }
    Some(has)
}

fn read_header(read: impl Fn(u64, &mut [u8]) -> Option<()>) -> Option<[u8; HEADER_LEN]> {
    let mut header = [0; HEADER_LEN];
    read(0, &mut header)?;
    header.starts_with(&IDENT).then_some(header)
}

fn table(read: impl Fn(u64, &mut [u8]) -> Option<()>, at: u64, len: u64) -> Option<Vec<u8>> {
    let len = usize::try_from(len).ok().filter(|_| len <= TABLE_MAX)?;
    let mut table = vec![0; len];
    read(at, &mut table)?;
    Some(table)
}

/// The program headers, each `None` where it cannot be read.
fn program_headers(
    read: impl Fn(u64, &mut [u8]) -> Option<()>,
) -> Option<impl Iterator<Item = Option<[u8; PROGRAM_HEADER_LEN]>>> {
    let header = read_header(&read)?;
    if u16_at(&header, PHENTSIZE_AT)? != PROGRAM_HEADER_LEN as u16 {
        return None;
    }
    let first = u64_at(&header, PHOFF_AT)?;
    Some((0..u64::from(u16_at(&header, PHNUM_AT)?)).map(move |index| {
        let mut program = [0; PROGRAM_HEADER_LEN];
        read(first.checked_add(index * PROGRAM_HEADER_LEN as u64)?, &mut program)?;
        Some(program)
    }))
}

fn find_build_id(read: impl Fn(u64, &mut [u8]) -> Option<()>) -> Option<BuildId> {
    program_headers(&read)?.flatten().find_map(|program| {
        let (at, len) = (u64_at(&program, 8)?, u64_at(&program, 32)?);
        let align = u64_at(&program, 48)?;
        if u32_at(&program, 0)? != PT_NOTE {
            return None;
        }
        let notes = table(&read, at, len)?;
        in_notes(&notes, if align == 8 { 8 } else { 4 })
    })
}

fn in_notes(mut notes: &[u8], align: usize) -> Option<BuildId> {
    loop {
        let name_len = usize::try_from(u32_at(notes, 0)?).ok()?;
        let text_len = usize::try_from(u32_at(notes, 4)?).ok()?;
        let kind = u32_at(notes, 8)?;
        let rest = notes.get(12..)?;
        let text_at = (12 + name_len).next_multiple_of(align) - 12;
        let text = rest.get(text_at..)?.get(..text_len)?;
        if kind == NT_GNU_BUILD_ID && rest.get(..name_len)? == b"GNU\0" {
            return BuildId::from_note(text);
        }
        notes = notes.get((12 + text_at + text_len).next_multiple_of(align)..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_bytes(bytes: &[u8]) -> Option<BuildId> {
        find_build_id(|at, room| {
            let found = bytes.get(usize::try_from(at).ok()?..)?.get(..room.len())?;
            room.copy_from_slice(found);
            Some(())
        })
    }

    #[test]
    fn it_is_what_blazesym_reads() {
        let exe = std::env::current_exe().unwrap();
        let told = blazesym::helper::read_elf_build_id(&exe).unwrap();
        let told = told.and_then(|note| BuildId::from_note(&note));
        assert_eq!(build_id(&File::open(&exe).unwrap()), told);
        assert!(told.is_some(), "the linker gave {} no build id", exe.display());
    }

    #[test]
    fn sections_are_known_by_their_whole_names() {
        let exe = File::open(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(has_section(&exe, &[b".none", b".text"]), Some(true));
        assert_eq!(has_section(&exe, &[b".tex", b"text"]), Some(false));
        let source = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert_eq!(has_section(&source, &[b".text"]), None);
    }

    #[test]
    fn the_second_note_is_found_behind_a_padded_first() {
        let note = |name: &[u8], text: &[u8], kind: u32| {
            let mut note = Vec::new();
            note.extend((name.len() as u32).to_le_bytes());
            note.extend((text.len() as u32).to_le_bytes());
            note.extend(kind.to_le_bytes());
            for part in [name, text] {
                note.extend(part);
                note.resize(note.len().next_multiple_of(4), 0);
            }
            note
        };
        let notes = [note(b"Other\0", b"xyz", 3), note(b"GNU\0", &[7; 20], 3)].concat();
        assert_eq!(in_notes(&notes, 4), Some(BuildId([7; 20])));
        assert_eq!(in_notes(&notes[..notes.len() - 1], 4), None);
        assert_eq!(in_notes(&note(b"GNU\0", &[7; 21], 3), 4), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(notes: Vec<u8>, mut header in any::<[u8; 120]>()) {
            let _ = in_notes(&notes, 4);
            header[..6].copy_from_slice(&IDENT);
            header[PHOFF_AT..PHOFF_AT + 8].copy_from_slice(&64_u64.to_le_bytes());
            header[PHENTSIZE_AT..PHENTSIZE_AT + 2].copy_from_slice(&56_u16.to_le_bytes());
            let _ = in_bytes(&[header.as_slice(), &notes].concat());
        }
    }
}
