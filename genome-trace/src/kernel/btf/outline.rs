//! BTF that says of the kernel's types only which ids some of them have: what
//! a loader needs that asks for ids by name, at a small part of the room and
//! time that all types take.

use super::{Btf, HEADER_LEN, KIND_FORWARD, KIND_FUNC, KIND_TYPEDEF, MAGIC};

/// The version of the format, and flags, of which there are none.
const VERSION_AND_FLAGS: [u8; 2] = [1, 0];

/// Bytes of a type that has only the common part.
const TYPE_LEN: usize = 12;

/// Something that is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A kernel function.
    Function(&'a str),
    /// A tracepoint, by its own name.
    Tracepoint(&'a str),
}

impl Btf<'_> {
    /// BTF data that has those types of `wanted` that are here, under their
    /// ids; those before and between them are forward declarations without a
    /// name. What the wanted ones consist of is not in it.
    #[must_use]
    pub fn outline<'a>(&self, wanted: impl IntoIterator<Item = Wanted<'a>>) -> Vec<u8> {
        let mut found: Vec<_> = wanted
            .into_iter()
            .filter_map(|wanted| match wanted {
                Wanted::Function(name) => {
                    let (id, ty) = self.find(&self.functions, name)?;
                    Some((id, KIND_FUNC, ty.name))
                }
                Wanted::Tracepoint(name) => {
                    let (id, ty) = self.find_tracepoint(name)?;
                    Some((id, KIND_TYPEDEF, ty.name))
                }
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        let last = found.last().map_or(0, |(id, ..)| *id as usize);
        let mut types = Vec::with_capacity(last * TYPE_LEN);
        let mut strings = vec![0];
        for (id, kind, name) in found {
            let before = (id as usize).saturating_sub(1) * TYPE_LEN;
            while types.len() < before {
                push_type(&mut types, 0, KIND_FORWARD);
            }
            push_type(&mut types, length(&strings), kind);
            strings.extend(self.name(name));
            strings.push(0);
        }
        let mut data = Vec::with_capacity(HEADER_LEN + types.len() + strings.len());
        data.extend(MAGIC.to_ne_bytes());
        data.extend(VERSION_AND_FLAGS);
        let types_len = length(&types);
        for word in [HEADER_LEN as u32, 0, types_len, types_len, length(&strings)] {
            data.extend(word.to_ne_bytes());
        }
        data.append(&mut types);
        data.append(&mut strings);
        data
    }
}

fn push_type(types: &mut Vec<u8>, name: u32, kind: u32) {
    for word in [name, kind << 24, 0] {
        types.extend(word.to_ne_bytes());
    }
}

/// A kernel's BTF is far smaller than 4 GiB, and an outline smaller than that.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
