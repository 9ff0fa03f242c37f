//! A reader for BTF, the kernel's description of its own types
//! (Documentation/bpf/btf.rst). It answers three questions: at which offset a
//! field lies, which parameters a function has, and which id a type has.
//!
//! The bytes come from the kernel, but every read is checked all the same: a
//! BTF file may be handed in by a user.

mod names;
mod outline;
mod source;

use std::fmt;

use names::Names;
pub use outline::Wanted;
pub use source::Source;

const MAGIC: u16 = 0xeb9f;
const HEADER_LEN: usize = 24;

const KIND_INT: u32 = 1;
const KIND_PTR: u32 = 2;
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;
const KIND_FORWARD: u32 = 7;
const KIND_TYPEDEF: u32 = 8;
const KIND_VOLATILE: u32 = 9;
const KIND_CONST: u32 = 10;
const KIND_RESTRICT: u32 = 11;
const KIND_FUNC: u32 = 12;
const KIND_FUNC_PROTO: u32 = 13;
const KIND_VAR: u32 = 14;
const KIND_DATASEC: u32 = 15;
const KIND_DECL_TAG: u32 = 17;
const KIND_TYPE_TAG: u32 = 18;
const KIND_ENUM64: u32 = 19;

/// Typedefs, qualifiers and anonymous members are followed this far at most,
/// so that a circle in a broken file ends.
const NESTING_MAX: u32 = 16;

/// What the typedefs begin with that have a tracepoint's parameters.
const TRACEPOINT_PREFIX: &str = "btf_trace_";

/// Bytes that a type takes in BTF, about: what is guessed before they are
/// counted.
const TYPE_BYTES: usize = 24;

/// Why bytes are no BTF.
#[derive(Debug, PartialEq, Eq)]
pub enum BtfError {
    /// They do not begin with BTF's magic number (in this machine's order).
    NotBtf,
    /// A part points outside the file.
    Truncated,
    /// A type of a kind that this reader does not know; its length is unknown,
    /// so nothing after it can be read.
    UnknownKind(u32),
}

impl fmt::Display for BtfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBtf => f.write_str("not BTF data"),
            Self::Truncated => f.write_str("the BTF data ends early"),
            Self::UnknownKind(kind) => write!(f, "the BTF data has a type of unknown kind {kind}"),
        }
    }
}

impl std::error::Error for BtfError {}

/// A parameter of a function or tracepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Whether it is a pointer.
    pub is_pointer: bool,
    /// Name of the type, or of what the pointer points to; empty for `void`.
    pub type_name: String,
}

/// BTF type data, with an index of what can be asked for by name.
pub struct Btf<'a> {
    bytes: &'a [u8],
    /// Where each type begins, by id - 1.
    types: Vec<u32>,
    strings: usize,
    strings_end: usize,
    /// Structs and unions.
    structs: Names,
    functions: Names,
    /// Typedefs of tracepoints; nobody asks for others.
    tracepoints: Names,
    enums: Vec<u32>,
}

/// The common part of a type.
#[derive(Clone, Copy)]
struct Type {
    at: usize,
    name: u32,
    info: u32,
    size_or_type: u32,
}

impl Type {
    fn kind(self) -> u32 {
        self.info >> 24 & 0x1f
    }

    fn count(self) -> usize {
        (self.info & 0xffff) as usize
    }

    fn has_bit_fields(self) -> bool {
        self.info >> 31 == 1
    }

    /// Where the part that only this kind has begins.
    fn rest(self) -> usize {
        self.at + 12
    }
}

impl<'a> Btf<'a> {
    /// Reads BTF data.
    ///
    /// # Errors
    /// Where the bytes are not BTF, end early, or hold a kind of type that
    /// this reader does not know.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BtfError> {
        let magic = bytes.get(0..2).ok_or(BtfError::NotBtf)?;
        if magic != MAGIC.to_ne_bytes() || bytes.len() < HEADER_LEN {
            return Err(BtfError::NotBtf);
        }
        let word = |at| read_u32(bytes, at).ok_or(BtfError::Truncated);
        let header = word(4)? as usize;
        let section = |start: u32, len: u32| {
            let start = header.checked_add(start as usize)?;
            let end = start.checked_add(len as usize)?;
            (end <= bytes.len()).then_some((start, end))
        };
        let (start, end) = section(word(8)?, word(12)?).ok_or(BtfError::Truncated)?;
        let (strings, strings_end) = section(word(16)?, word(20)?).ok_or(BtfError::Truncated)?;
        let mut btf = Self {
            bytes,
            types: Vec::with_capacity((end - start) / TYPE_BYTES),
            strings,
            strings_end,
            structs: Names::default(),
            functions: Names::default(),
            tracepoints: Names::default(),
            enums: Vec::new(),
        };
        btf.index(start, end)?;
        Ok(btf)
    }

    fn index(&mut self, start: usize, end: usize) -> Result<(), BtfError> {
        let mut at = start;
        while at < end {
            let ty = self.type_at(at).ok_or(BtfError::Truncated)?;
            self.types.push(u32::try_from(at).map_err(|_| BtfError::Truncated)?);
            let id = u32::try_from(self.types.len()).map_err(|_| BtfError::Truncated)?;
            match ty.kind() {
                KIND_STRUCT | KIND_UNION if ty.name != 0 => {
                    self.structs.push(id, names::hash(self.strings_from(ty.name)));
                }
                KIND_FUNC => self.functions.push(id, names::hash(self.strings_from(ty.name))),
                KIND_TYPEDEF => {
                    let name = self.strings_from(ty.name);
                    if name.starts_with(TRACEPOINT_PREFIX.as_bytes()) {
                        self.tracepoints.push(id, names::hash(name));
                    }
                }
                KIND_ENUM => self.enums.push(id),
                _ => {}
            }
            at = ty.rest() + length_of_rest(ty)?;
        }
        if at == end { Ok(()) } else { Err(BtfError::Truncated) }
    }

    fn type_at(&self, at: usize) -> Option<Type> {
        Some(Type {
            at,
            name: read_u32(self.bytes, at)?,
            info: read_u32(self.bytes, at + 4)?,
            size_or_type: read_u32(self.bytes, at + 8)?,
        })
    }

    fn by_id(&self, id: u32) -> Option<Type> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        self.type_at(*self.types.get(index)? as usize)
    }

    /// The strings from one on, which ends at the first 0.
    fn strings_from(&self, offset: u32) -> &[u8] {
        let start = self.strings.saturating_add(offset as usize);
        self.bytes.get(start..self.strings_end).unwrap_or_default()
    }

    fn name(&self, offset: u32) -> &[u8] {
        let bytes = self.strings_from(offset);
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        bytes.get(..end).unwrap_or_default()
    }

    fn is_named(&self, offset: u32, name: &str) -> bool {
        let bytes = self.strings_from(offset);
        bytes.starts_with(name.as_bytes()) && bytes.get(name.len()) == Some(&0)
    }

    /// The first type of this name.
    fn find(&self, names: &Names, name: &str) -> Option<(u32, Type)> {
        names.candidates(name).find_map(|id| {
            let ty = self.by_id(id)?;
            self.is_named(ty.name, name).then_some((id, ty))
        })
    }

    /// Follows typedefs and qualifiers to the type itself.
    fn resolve(&self, id: u32) -> Option<Type> {
        let mut ty = self.by_id(id)?;
        for _ in 0..NESTING_MAX {
            match ty.kind() {
                KIND_TYPEDEF | KIND_VOLATILE | KIND_CONST | KIND_RESTRICT | KIND_TYPE_TAG => {
                    ty = self.by_id(ty.size_or_type)?;
                }
                _ => return Some(ty),
            }
        }
        None
    }

    /// Finds a member by name, inside anonymous structs and unions too: its
    /// offset in bits and its type.
    fn member(&self, ty: Type, name: &str, depth: u32) -> Option<(u32, u32)> {
        if depth > NESTING_MAX || !matches!(ty.kind(), KIND_STRUCT | KIND_UNION) {
            return None;
        }
        (0..ty.count()).find_map(|index| {
            let at = ty.rest() + index * 12;
            let member_name = read_u32(self.bytes, at)?;
            let member_type = read_u32(self.bytes, at + 4)?;
            let raw = read_u32(self.bytes, at + 8)?;
            let bits = if ty.has_bit_fields() { raw & 0x00ff_ffff } else { raw };
            if self.is_named(member_name, name) && !name.is_empty() {
                return Some((bits, member_type));
            }
            if !self.name(member_name).is_empty() {
                return None;
            }
            let inner = self.resolve(member_type)?;
            let (inner_bits, inner_type) = self.member(inner, name, depth + 1)?;
            Some((bits.checked_add(inner_bits)?, inner_type))
        })
    }

    fn locate(&self, path: &str) -> Option<(u32, u32)> {
        let mut names = path.split('.');
        let (mut id, mut ty) = self.find(&self.structs, names.next()?)?;
        let mut bits = 0u32;
        for name in names {
            let (offset, member_type) = self.member(ty, name, 0)?;
            bits = bits.checked_add(offset)?;
            id = member_type;
            ty = self.resolve(member_type)?;
        }
        Some((bits, id))
    }

    /// Byte offset of a field, given as `task_struct.se.sum_exec_runtime`.
    /// `None` where it is not there, or is a bit field.
    #[must_use]
    pub fn offset_of(&self, path: &str) -> Option<u32> {
        let (bits, _) = self.locate(path)?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// Whether a field is an array.
    #[must_use]
    pub fn is_array(&self, path: &str) -> bool {
        self.locate(path)
            .and_then(|(_, id)| self.resolve(id))
            .is_some_and(|ty| ty.kind() == KIND_ARRAY)
    }

    /// Size of a struct in bytes.
    #[must_use]
    pub fn size_of(&self, name: &str) -> Option<u32> {
        Some(self.find(&self.structs, name)?.1.size_or_type)
    }

    /// BTF id of a struct.
    #[must_use]
    pub fn struct_id(&self, name: &str) -> Option<u32> {
        Some(self.find(&self.structs, name)?.0)
    }

    /// Value of an enumerator, whatever its enum is called.
    #[must_use]
    pub fn enumerator(&self, name: &str) -> Option<u32> {
        self.enums.iter().find_map(|id| {
            let ty = self.by_id(*id)?;
            (0..ty.count()).find_map(|index| {
                let at = ty.rest() + index * 8;
                let found = self.is_named(read_u32(self.bytes, at)?, name);
                found.then(|| read_u32(self.bytes, at + 4)).flatten()
            })
        })
    }

    /// BTF id of a kernel function.
    #[must_use]
    pub fn function_id(&self, name: &str) -> Option<u32> {
        Some(self.find(&self.functions, name)?.0)
    }

    /// Parameters of a kernel function.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<Vec<Parameter>> {
        let (_, function) = self.find(&self.functions, name)?;
        self.parameters(function.size_or_type)
    }

    /// Parameters of a tracepoint, as its BPF programs see them.
    #[must_use]
    pub fn tracepoint(&self, name: &str) -> Option<Vec<Parameter>> {
        let (_, typedef) = self.find_tracepoint(name)?;
        let pointer = self.resolve(typedef.size_or_type)?;
        let mut parameters = self.parameters(pointer.size_or_type)?;
        // The first is the tracepoint's own `void *__data`.
        (!parameters.is_empty()).then(|| parameters.split_off(1))
    }

    fn find_tracepoint(&self, name: &str) -> Option<(u32, Type)> {
        self.find(&self.tracepoints, &format!("{TRACEPOINT_PREFIX}{name}"))
    }

    fn parameters(&self, prototype: u32) -> Option<Vec<Parameter>> {
        let ty = self.resolve(prototype)?;
        if ty.kind() != KIND_FUNC_PROTO {
            return None;
        }
        (0..ty.count())
            .map(|index| {
                let id = read_u32(self.bytes, ty.rest() + index * 8 + 4)?;
                Some(self.parameter(id))
            })
            .collect()
    }

    fn parameter(&self, id: u32) -> Parameter {
        let resolved = self.resolve(id);
        let is_pointer = resolved.is_some_and(|ty| ty.kind() == KIND_PTR);
        let named = match resolved {
            Some(ty) if is_pointer => self.resolve(ty.size_or_type),
            _ => self.by_id(id),
        };
        let name = named.map(|ty| self.name(ty.name)).unwrap_or_default();
        Parameter { is_pointer, type_name: String::from_utf8_lossy(name).into_owned() }
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(word.try_into().ok()?))
}

/// Bytes after a type's common part.
fn length_of_rest(ty: Type) -> Result<usize, BtfError> {
    Ok(match ty.kind() {
        KIND_INT | KIND_VAR | KIND_DECL_TAG => 4,
        KIND_ARRAY => 12,
        KIND_STRUCT | KIND_UNION | KIND_DATASEC | KIND_ENUM64 => ty.count() * 12,
        KIND_ENUM | KIND_FUNC_PROTO => ty.count() * 8,
        // Pointers, qualifiers, typedefs, forward declarations, functions and
        // floats (16) have no more.
        KIND_PTR | KIND_FORWARD..=KIND_FUNC | 16 | KIND_TYPE_TAG => 0,
        kind => return Err(BtfError::UnknownKind(kind)),
    })
}

#[cfg(test)]
mod tests;
