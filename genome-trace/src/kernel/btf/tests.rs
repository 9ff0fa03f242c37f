#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

/// `struct outer { int a; union { long b; struct { int c; } d; }; }`,
/// `int f(struct outer *, int)`.
fn sample() -> Vec<u8> {
    let strings = b"\0int\0outer\0a\0b\0d\0c\0f\0";
    let name =
        |wanted: &[u8]| strings.windows(wanted.len()).position(|w| w == wanted).unwrap() as u32;
    let (int, outer) = (name(b"int\0"), name(b"outer\0"));
    let (a, b, d, c, f) = (name(b"a\0"), name(b"b\0"), name(b"d\0"), name(b"c\0"), name(b"f\0"));
    let kind = |kind: u32, count: u32| kind << 24 | count;
    #[rustfmt::skip]
    let types: Vec<u32> = vec![
        int, kind(KIND_INT, 0), 4, 32,                               // 1
        0, kind(KIND_STRUCT, 1), 4, c, 1, 0,                         // 2
        0, kind(KIND_UNION, 2), 8, b, 1, 0, d, 2, 32,                // 3
        outer, kind(KIND_STRUCT, 2), 16, a, 1, 0, 0, 3, 64,          // 4
        0, kind(KIND_PTR, 0), 4,                                     // 5
        0, kind(KIND_FUNC_PROTO, 2), 1, 0, 5, 0, 1,                  // 6
        f, kind(KIND_FUNC, 0), 6,                                    // 7
    ];
    let type_len = (types.len() * 4) as u32;
    let mut bytes = Vec::new();
    bytes.extend(MAGIC.to_ne_bytes());
    bytes.extend([1, 0]);
    for word in [HEADER_LEN as u32, 0, type_len, type_len, strings.len() as u32] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(types.iter().flat_map(|word| word.to_ne_bytes()));
    bytes.extend(strings);
    bytes
}

#[test]
fn fields_are_found_through_anonymous_members() {
    let bytes = sample();
    let btf = Btf::parse(&bytes).unwrap();
    assert_eq!(btf.offset_of("outer.a"), Some(0));
    assert_eq!(btf.offset_of("outer.b"), Some(8));
    assert_eq!(btf.offset_of("outer.d.c"), Some(12));
    assert_eq!(btf.offset_of("outer.c"), None);
    assert_eq!(btf.offset_of("inner.c"), None);
    assert_eq!(btf.size_of("outer"), Some(16));
    assert_eq!(btf.struct_id("outer"), Some(4));
}

#[test]
fn parameters_tell_pointers_and_what_they_point_to() {
    let bytes = sample();
    let btf = Btf::parse(&bytes).unwrap();
    assert_eq!(
        btf.function("f").unwrap(),
        [
            Parameter { is_pointer: true, type_name: "outer".to_owned() },
            Parameter { is_pointer: false, type_name: "int".to_owned() },
        ]
    );
    assert_eq!(btf.function_id("f"), Some(7));
    assert_eq!(btf.function("g"), None);
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    assert_eq!(Btf::parse(b"\x7fELF and more of it, long enough").err(), Some(BtfError::NotBtf));
    assert_eq!(Btf::parse(&[]).err(), Some(BtfError::NotBtf));
}

proptest! {
    #[test]
    fn broken_data_never_panics(
        cut in 0usize..200,
        changes in prop::collection::vec((0usize..200, any::<u8>()), 0..8),
    ) {
        let mut bytes = sample();
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 4));
        if let Ok(btf) = Btf::parse(&bytes) {
            let _ = btf.offset_of("outer.d.c");
            let _ = btf.function("f");
            let _ = btf.enumerator("x");
        }
    }
}

/// BTF with a struct, a function and a tracepoint for each name, in that order.
fn named(names: &[String]) -> Vec<u8> {
    let mut strings = vec![0u8];
    let mut types: Vec<u32> = Vec::new();
    for name in names {
        for (kind, prefix) in [(KIND_STRUCT, ""), (KIND_FUNC, ""), (KIND_TYPEDEF, "btf_trace_")] {
            types.extend([strings.len() as u32, kind << 24, 0]);
            strings.extend(format!("{prefix}{name}\0").bytes());
        }
    }
    let type_len = (types.len() * 4) as u32;
    let mut bytes = MAGIC.to_ne_bytes().to_vec();
    bytes.extend([1, 0]);
    for word in [HEADER_LEN as u32, 0, type_len, type_len, strings.len() as u32] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(types.iter().flat_map(|word| word.to_ne_bytes()));
    bytes.extend(strings);
    bytes
}

/// The id of the first type of a kind and name, by a look at all of them.
fn scan(btf: &Btf<'_>, kinds: &[u32], name: &str) -> Option<u32> {
    (1..=btf.types.len() as u32).find(|id| {
        let ty = btf.by_id(*id).unwrap();
        kinds.contains(&ty.kind()) && !name.is_empty() && btf.name(ty.name) == name.as_bytes()
    })
}

proptest! {
    #[test]
    fn the_index_and_a_scan_find_the_same(
        names in prop::collection::vec("[a-c_]{1,3}", 0..60),
        others in prop::collection::vec("[a-c_]{1,3}", 0..20),
    ) {
        let bytes = named(&names);
        let btf = Btf::parse(&bytes).unwrap();
        for name in names.iter().chain(&others) {
            let structs = [KIND_STRUCT, KIND_UNION];
            prop_assert_eq!(btf.struct_id(name), scan(&btf, &structs, name));
            prop_assert_eq!(btf.function_id(name), scan(&btf, &[KIND_FUNC], name));
            let tracepoint = btf.find_tracepoint(name).map(|(id, _)| id);
            let typedef = format!("btf_trace_{name}");
            prop_assert_eq!(tracepoint, scan(&btf, &[KIND_TYPEDEF], &typedef));
        }
    }

    #[test]
    fn an_outline_has_the_ids_of_what_is_wanted_and_no_other_name(
        names in prop::collection::vec("[a-c_]{1,3}", 0..60),
        wanted in prop::collection::vec("[a-c_]{1,3}", 0..20),
    ) {
        let bytes = named(&names);
        let btf = Btf::parse(&bytes).unwrap();
        let each = wanted.iter().flat_map(|name| {
            [Wanted::Function(name.as_str()), Wanted::Tracepoint(name.as_str())]
        });
        let outline = btf.outline(each);
        let outline = Btf::parse(&outline).unwrap();
        for name in names.iter().chain(&wanted) {
            let is_wanted = wanted.contains(name);
            let function = btf.function_id(name).filter(|_| is_wanted);
            prop_assert_eq!(outline.function_id(name), function);
            let tracepoint = |btf: &Btf<'_>| btf.find_tracepoint(name).map(|(id, _)| id);
            prop_assert_eq!(tracepoint(&outline), tracepoint(&btf).filter(|_| is_wanted));
            prop_assert_eq!(outline.struct_id(name), None);
        }
    }
}
