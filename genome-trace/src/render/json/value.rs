//! JSON values, appended without anything between: no `String`, and no
//! serializer, which would look through every field's name for what to escape.

use std::fmt::{Display, Write as _};

use crate::model::{Argv, UserStack};

/// What can stand for a field.
pub(super) trait Value {
    /// Appends it.
    fn append(&self, out: &mut Vec<u8>);
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Value for $number {
            #[inline]
            fn append(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
            }
        }
    )*};
}

number!(u8, u32, u64, i32);

impl Value for bool {
    #[inline]
    fn append(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

/// What is unknown is `null`.
impl<T: Value> Value for Option<T> {
    #[inline]
    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.append(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

impl Value for &str {
    fn append(&self, out: &mut Vec<u8>) {
        Lossy(self.as_bytes()).append(out);
    }
}

/// Bytes as a string, with U+FFFD for what is not UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Lossy<'a>(pub(super) &'a [u8]);

impl Value for Lossy<'_> {
    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        // Without a way out of the loop, so that it looks at many bytes at
        // once: nearly all names are plain.
        if self.0.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
            out.extend_from_slice(self.0);
        } else {
            for chunk in self.0.utf8_chunks() {
                append_escaped(out, chunk.valid());
                if !chunk.invalid().is_empty() {
                    let mut room = [0; 4];
                    let sign = char::REPLACEMENT_CHARACTER.encode_utf8(&mut room);
                    out.extend_from_slice(sign.as_bytes());
                }
            }
        }
        out.push(b'"');
    }
}

/// ASCII that a JSON string has as it is.
const fn is_plain(byte: u8) -> bool {
    (byte >= 0x20) & (byte < 0x80) & (byte != b'"') & (byte != b'\\')
}

fn append_escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in text.as_bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0x20.. => {
                out.push(byte);
                continue;
            }
            _ => {
                let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or_default();
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

/// An argument vector as an array of strings.
pub(super) struct Arguments<'a>(pub(super) Argv<'a>);

impl Value for Arguments<'_> {
    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, argument) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            Lossy(argument).append(out);
        }
        out.push(b']');
    }
}

/// A stack as an array of strings.
pub(super) struct Frames<'a>(pub(super) UserStack<'a>);

impl Value for Frames<'_> {
    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, frame) in self.0.frames().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            Shown(frame).append(out);
        }
        out.push(b']');
    }
}

/// Text in which nothing has to be escaped, as it comes from our own hand.
pub(super) struct Plain<T>(pub(super) T);

impl<const N: usize> Value for Plain<[u8; N]> {
    #[inline]
    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(&self.0);
        out.push(b'"');
    }
}

/// The same, made by `Display`: signals' names.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Value for Shown<T> {
    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        // What it writes to takes every byte.
        let _ = write!(Bytes(out), "{}", self.0);
        out.push(b'"');
    }
}

/// What serde makes of it: for what is rare.
pub(super) struct Serialized<'a, T>(pub(super) &'a T);

impl<T: serde::Serialize> Value for Serialized<'_, T> {
    fn append(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if serde_json::to_writer(&mut *out, self.0).is_err() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }
}

struct Bytes<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A device number, `major:minor`.
pub(super) struct Device(pub(super) (u32, u32));

impl Value for Device {
    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.0.0.append(out);
        out.push(b':');
        self.0.1.append(out);
        out.push(b'"');
    }
}

/// An object whose fields are appended one by one.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    /// Appends an object that has the fields which `fields` gives it.
    #[inline]
    pub(super) fn append(out: &'o mut Vec<u8>, fields: impl FnOnce(&mut Self)) {
        out.push(b'{');
        let mut object = Self { out, is_empty: true };
        fields(&mut object);
        object.out.push(b'}');
    }

    /// A field. Names are ours, and have nothing to escape. Inlined always:
    /// then a name is a constant, and copied by a few moves.
    #[inline(always)]
    pub(super) fn field(&mut self, name: &'static str, value: impl Value) -> &mut Self {
        self.name(name);
        value.append(self.out);
        self
    }

    /// A field that is an object itself.
    #[inline]
    pub(super) fn object(&mut self, name: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        Object::append(self.out, fields);
    }

    #[inline(always)]
    fn name(&mut self, name: &'static str) {
        self.out.extend_from_slice(if self.is_empty { b"\"" } else { b",\"" });
        self.is_empty = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn appended(value: impl Value) -> String {
        let mut out = Vec::new();
        value.append(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_stand_between_commas() {
        let mut out = Vec::new();
        Object::append(&mut out, |object| {
            object.field("a", 1_u32).field("b", None::<u8>).object("c", |inner| {
                inner.field("d", "x");
            });
            object.object("e", |_| {});
        });
        assert_eq!(out, br#"{"a":1,"b":null,"c":{"d":"x"},"e":{}}"#);
    }

    proptest! {
        #[test]
        fn strings_are_those_of_serde_json(bytes: Vec<u8>, text: String, low in "[\0-\u{80}\"\\\\]{0,20}") {
            for bytes in [bytes.as_slice(), text.as_bytes(), low.as_bytes()] {
                let expected = serde_json::to_string(&String::from_utf8_lossy(bytes)).unwrap();
                prop_assert_eq!(appended(Lossy(bytes)), expected);
            }
        }
    }
}
