//! Stacks of processes: as the kernel took them, and with names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes of a build id. A shorter one is filled up with zeros.
const BUILD_ID_LEN: usize = 20;
/// Length of `struct bpf_stack_build_id` (include/uapi/linux/bpf.h): a status,
/// the build id, and the offset or the address.
const FRAME_LEN: usize = 4 + BUILD_ID_LEN + 8;
/// `BPF_STACK_BUILD_ID_VALID`: build id and offset are there.
const VALID: u32 = 1;
/// `BPF_STACK_BUILD_ID_IP`: the address is.
const ADDRESS: u32 = 2;

/// What the linker calls a file by its contents (ld(1), `--build-id`); shown as
/// hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(pub [u8; BUILD_ID_LEN]);

impl BuildId {
    /// That of a file, as its note has it. `None` where it is empty or longer
    /// than the kernel takes.
    #[must_use]
    pub fn from_note(note: &[u8]) -> Option<Self> {
        let mut id = [0; BUILD_ID_LEN];
        id.get_mut(..note.len()).filter(|_| !note.is_empty())?.copy_from_slice(note);
        Some(Self(id))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut id = [0; BUILD_ID_LEN];
        let is_hex = text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_hex || text.len() != 2 * BUILD_ID_LEN {
            return None;
        }
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for BuildId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BuildId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format_args!("{text:?} is no build id of 40 digits")))
    }
}

/// Where a function was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// At an offset in a file: this can be resolved after the process is gone.
    InFile {
        /// Which file.
        build_id: BuildId,
        /// Bytes from the file's beginning.
        offset: u64,
    },
    /// At an address in the process: no file was mapped there, it has no build
    /// id, the page that has it was not in memory, or the kernel could not look,
    /// as right after another tracer did.
    Address(u64),
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFile { build_id, offset } => write!(f, "{build_id}+{offset:#x}"),
            Self::Address(address) => write!(f, "{address:#x}"),
        }
    }
}

/// Neither `BUILD_ID+0xOFFSET` nor `0xADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoFrame(String);

impl fmt::Display for NoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is neither BUILD_ID+0xOFFSET nor 0xADDRESS", self.0)
    }
}

impl std::error::Error for NoFrame {}

impl FromStr for Frame {
    type Err = NoFrame;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        let frame = match text.split_once('+') {
            Some((build_id, offset)) => BuildId::parse(build_id)
                .zip(number(offset))
                .map(|(build_id, offset)| Self::InFile { build_id, offset }),
            None => number(text).map(Self::Address),
        };
        frame.ok_or_else(|| NoFrame(text.to_owned()))
    }
}

/// The program that a process ran, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedProgram {
    /// Address of its first code in the process: `mm_struct.start_code`.
    pub code_start: u64,
    /// Inode number of its file.
    pub inode: u64,
    /// Device of its file: major and minor number.
    pub device: (u32, u32),
}

/// The stack of a thread in user mode, innermost frame first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStack<'a> {
    /// One `struct bpf_stack_build_id` after the other.
    pub block: &'a [u8],
}

impl<'a> UserStack<'a> {
    /// The frames one by one. All but the first are return addresses: the call
    /// lies before them.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + use<'a> {
        self.block.chunks_exact(FRAME_LEN).filter_map(frame)
    }

    /// The program, where the first frame is an address: what lies in the
    /// program can be found by it. `None` where that is unknown.
    #[must_use]
    pub fn program(&self) -> Option<LoadedProgram> {
        let (status, rest) = self.block.split_first_chunk()?;
        let (code_start, rest) = rest.split_first_chunk()?;
        let (inode, rest) = rest.split_first_chunk()?;
        let device = u32::from_ne_bytes(*rest.first_chunk()?);
        let (code_start, inode) = (u64::from_ne_bytes(*code_start), u64::from_ne_bytes(*inode));
        let is_known = u32::from_ne_bytes(*status) == ADDRESS && code_start != 0 && inode != 0;
        // As the kernel writes it down: 12 bits major, 20 bits minor
        // (include/linux/kdev_t.h).
        let device = (device >> 20, device & 0xf_ffff);
        is_known.then_some(LoadedProgram { code_start, inode, device })
    }
}

/// `None` for what the kernel left empty.
fn frame(bytes: &[u8]) -> Option<Frame> {
    let (status, rest) = bytes.split_first_chunk()?;
    let (build_id, rest) = rest.split_first_chunk()?;
    let place = u64::from_ne_bytes(*rest.first_chunk()?);
    match u32::from_ne_bytes(*status) {
        VALID => Some(Frame::InFile { build_id: BuildId(*build_id), offset: place }),
        ADDRESS => Some(Frame::Address(place)),
        _ => None,
    }
}

/// A frame with what is known of it. Unknown fields are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolizedFrame {
    /// The function's name, demangled.
    pub function: Option<String>,
    /// Path of the program or library.
    pub module: Option<String>,
    /// Path of the source file.
    pub file: Option<String>,
    /// Line in it.
    pub line: Option<u32>,
    /// Which program or library that is, for sure.
    pub build_id: Option<BuildId>,
    /// Bytes from the module's beginning; without `module` and `build_id` an
    /// address in the process.
    pub offset: u64,
    /// The compiler put this function into the one that the next frame has.
    #[serde(default)]
    pub is_inlined: bool,
}

/// A line: `parse at model.c:42 (/usr/bin/worker)`.
impl fmt::Display for SymbolizedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.function, self.build_id) {
            (Some(function), _) => f.write_str(function)?,
            (None, Some(build_id)) if self.module.is_none() => {
                Frame::InFile { build_id, offset: self.offset }.fmt(f)?;
            }
            (None, _) => Frame::Address(self.offset).fmt(f)?,
        }
        if let Some(file) = &self.file {
            write!(f, " at {file}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
        }
        if let Some(module) = &self.module {
            write!(f, " ({module})")?;
        }
        f.write_str(if self.is_inlined { " [inlined]" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(frames: &[(u32, u8, u64)]) -> Vec<u8> {
        let bytes = |(status, id, place): &(u32, u8, u64)| {
            [&status.to_ne_bytes()[..], &[*id; BUILD_ID_LEN], &place.to_ne_bytes()].concat()
        };
        frames.iter().flat_map(bytes).collect()
    }

    #[test]
    fn frames_have_an_offset_or_an_address() {
        let block = block(&[(1, 0xab, 0x1234), (2, 0, 0x7fff_0000), (0, 9, 9), (7, 9, 9)]);
        let shown: Vec<_> =
            UserStack { block: &block }.frames().map(|frame| frame.to_string()).collect();
        assert_eq!(shown, [format!("{}+0x1234", "ab".repeat(20)), "0x7fff0000".to_owned()]);
        let read: Result<Vec<Frame>, _> = shown.iter().map(|text| text.parse()).collect();
        assert_eq!(read.unwrap(), UserStack { block: &block }.frames().collect::<Vec<_>>());
        for bad in ["", "0x", "12", "ab+0x1", "+0x1"] {
            assert!(bad.parse::<Frame>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_frame_is_a_line_with_what_is_known() {
        let unnamed = SymbolizedFrame {
            function: None,
            module: None,
            file: None,
            line: None,
            build_id: None,
            offset: 0x1234,
            is_inlined: false,
        };
        assert_eq!(unnamed.to_string(), "0x1234");
        let build_id = Some(BuildId([0xab; BUILD_ID_LEN]));
        let nowhere = SymbolizedFrame { build_id, ..unnamed.clone() };
        assert_eq!(nowhere.to_string(), format!("{}+0x1234", "ab".repeat(20)));
        let module = Some("/usr/bin/worker".to_owned());
        let unknown = SymbolizedFrame { build_id, module: module.clone(), ..unnamed.clone() };
        assert_eq!(unknown.to_string(), "0x1234 (/usr/bin/worker)");
        let named = SymbolizedFrame {
            function: Some("parse".to_owned()),
            module,
            file: Some("model.c".to_owned()),
            line: Some(42),
            is_inlined: true,
            ..unnamed
        };
        assert_eq!(named.to_string(), "parse at model.c:42 (/usr/bin/worker) [inlined]");
    }

    #[test]
    fn a_stack_of_addresses_has_its_program() {
        let room = [&7_u64.to_ne_bytes()[..], &9_u64.to_ne_bytes(), &0x0080_0001_u32.to_ne_bytes()];
        let mut block = [&ADDRESS.to_ne_bytes()[..], &room.concat(), &[1; 8]].concat();
        let program = |block: &[u8]| UserStack { block }.program();
        let known = LoadedProgram { code_start: 7, inode: 9, device: (8, 1) };
        assert_eq!(program(&block), Some(known));
        assert_eq!(program(&block[..20]), None);
        block[0] = 1;
        assert_eq!(program(&block), None);
        assert_eq!(program(&super::tests::block(&[(2, 0, 5)])), None);
    }

    #[test]
    fn half_a_frame_is_none() {
        let block = block(&[(2, 0, 1), (2, 0, 2)]);
        let stack = UserStack { block: &block[..block.len() - 1] };
        assert_eq!(stack.frames().collect::<Vec<_>>(), [Frame::Address(1)]);
        assert_eq!(UserStack { block: b"" }.frames().count(), 0);
    }

    #[test]
    fn a_build_id_is_filled_up_and_read_back() {
        let id = BuildId::from_note(&[1, 2, 0xff]).unwrap();
        assert!(id.to_string().starts_with("0102ff0000"));
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<BuildId>(&text).unwrap(), id);
        assert_eq!(BuildId::from_note(&[]), None);
        assert_eq!(BuildId::from_note(&[0; 21]), None);
        for bad in ["\"\"", "\"0102\"", &format!("\"{}\"", "\u{e4}".repeat(20)), "7"] {
            assert!(serde_json::from_str::<BuildId>(bad).is_err(), "{bad}");
        }
        let plus = format!("\"{}\"", "+1".repeat(20));
        assert!(serde_json::from_str::<BuildId>(&plus).is_err());
    }
}
