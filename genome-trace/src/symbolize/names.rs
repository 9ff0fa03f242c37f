//! What lies at an offset of a file, by its symbols and debug information.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use blazesym::symbolize::{
    CodeInfo, Input, Sym, Symbolized, Symbolizer,
    source::{Elf, Source},
};

use super::object::Object;

/// A function that an offset lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) function: String,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
}

/// The functions at each offset, innermost first: all but the last were put
/// into the next one by the compiler. None where nothing is known.
pub(super) fn at_offsets(object: &Object, offsets: &[u64]) -> Vec<Vec<Named>> {
    // A file that somebody else wrote may be one that its reader was not made
    // for; then nothing is known.
    let found = catch_unwind(AssertUnwindSafe(|| read(object, offsets)));
    found.unwrap_or_else(|_| vec![Vec::new(); offsets.len()])
}

fn read(object: &Object, offsets: &[u64]) -> Vec<Vec<Named>> {
    // One for each file: what it keeps in memory goes with it.
    let symbolizer = Symbolizer::builder()
        .set_debug_dirs((!object.has_safe_links).then(Vec::<PathBuf>::new))
        .enable_auto_reload(false)
        .build();
    let look_up = |debug_syms| {
        let mut elf = Elf::new(object.open_path());
        elf.debug_syms = debug_syms;
        symbolizer.symbolize(&Source::Elf(elf), Input::FileOffset(offsets)).ok()
    };
    let symbols = look_up(false);
    let debugged = object.has_safe_links.then(|| look_up(true)).flatten();
    let at = |found: &Option<Vec<Symbolized<'_>>>, index| {
        found.as_ref()?.get::<usize>(index)?.as_sym().cloned().map(Sym::into_owned)
    };
    let both = |index| (at(&debugged, index), at(&symbols, index));
    (0..offsets.len()).map(both).map(|(debugged, symbol)| named(debugged, symbol)).collect()
}

/// Debug information has lines and inlined functions; but where it has lines
/// only, its names are short, and those of symbols are whole.
fn named(debugged: Option<Sym<'_>>, symbol: Option<Sym<'_>>) -> Vec<Named> {
    let whole_name = symbol.map(|symbol| symbol.name);
    let Some(debugged) = debugged else {
        return whole_name.map(|name| one(&name, None)).into_iter().collect();
    };
    let name = whole_name.filter(|name| name.ends_with(&*debugged.name)).unwrap_or(debugged.name);
    let inlined = debugged.inlined.iter().rev();
    inlined
        .map(|inlined| one(&inlined.name, inlined.code_info.as_ref()))
        .chain([one(&name, debugged.code_info.as_deref())])
        .collect()
}

fn one(function: &str, info: Option<&CodeInfo<'_>>) -> Named {
    Named {
        function: function.to_owned(),
        file: info.map(|info| info.to_path().to_string_lossy().into_owned()),
        line: info.and_then(|info| info.line),
    }
}
