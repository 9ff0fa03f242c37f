//! Calls of a kernel function (kfunc) in the object: `bpf_rdonly_cast`.
//!
//! Neither the Rust compiler nor aya knows such calls. The programs have a
//! call of a helper that no kernel has in their place, and only this kernel's
//! BTF tells the function's id. A kernel without the function never sees the
//! placeholder: its branch is dropped before helpers are looked up.

use std::borrow::Cow;

use genome_trace_common::{ABSENT, CAST_PLACEHOLDER, KernelFacts};

/// `BPF_JMP | BPF_CALL`, include/uapi/linux/bpf.h.
const CALL: u8 = 0x85;
/// `BPF_PSEUDO_KFUNC_CALL` in the upper half of an instruction's second byte:
/// the number is the BTF id of a kernel function.
const KERNEL_FUNCTION: u8 = 0x20;

/// An instruction that calls a helper, as it stands in the object.
const fn instruction(registers: u8, number: [u8; 4]) -> [u8; 8] {
    let [a, b, c, d] = number;
    [CALL, registers, 0, 0, a, b, c, d]
}

/// The object with the calls that this kernel has.
pub(super) fn with_calls<'a>(object: &'a [u8], facts: &KernelFacts) -> Cow<'a, [u8]> {
    if facts.rdonly_cast == ABSENT {
        return Cow::Borrowed(object);
    }
    let placeholder = instruction(0, CAST_PLACEHOLDER.to_le_bytes());
    let call = instruction(KERNEL_FUNCTION, facts.rdonly_cast.to_le_bytes());
    let mut object = object.to_vec();
    // Instructions are aligned to their size, and so are the sections that
    // hold them.
    for place in object.chunks_exact_mut(8).filter(|place| *place == placeholder) {
        place.copy_from_slice(&call);
    }
    Cow::Owned(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_where_the_kernel_has_the_function() {
        let exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
        let object = [exit, instruction(0, CAST_PLACEHOLDER.to_le_bytes()), exit].concat();
        let without = KernelFacts::ABSENT;
        assert_eq!(with_calls(&object, &without), object);
        let with = KernelFacts { rdonly_cast: 0x0102_0304, ..KernelFacts::ABSENT };
        let expected = [exit, [0x85, 0x20, 0, 0, 4, 3, 2, 1], exit].concat();
        assert_eq!(with_calls(&object, &with), expected);
    }

    #[test]
    fn the_objects_have_them_where_they_are_looked_for() {
        let with = KernelFacts { rdonly_cast: 1, ..KernelFacts::ABSENT };
        for object in super::super::object_file::all() {
            let replaced = with_calls(object, &with);
            assert_ne!(replaced, object);
            let placeholder = instruction(0, CAST_PLACEHOLDER.to_le_bytes());
            assert!(!replaced.windows(8).any(|bytes| bytes == placeholder), "one is not aligned");
        }
    }
}
