//! A stack's frames, one after the other, with their names.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{
    elf,
    maps::{self, Mapping},
    names::{self, Named},
    object::{self, Object},
    program::Program,
    search::Search,
};
use crate::model::{BuildId, Frame, LoadedProgram, ProcessKey, SymbolizedFrame};

/// Places whose names are kept: a program that crashes again does so in the
/// same place.
const NAMES_MAX: usize = 4096;

/// A stack to be given names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackRequest {
    /// Whose it is.
    pub key: ProcessKey,
    /// Innermost first, as [`crate::model::UserStack::frames`] gives them.
    pub frames: Vec<Frame>,
    /// The process' program, where an exec told it: it may be gone by now.
    pub exe: Option<PathBuf>,
    /// Where that was loaded: [`crate::model::UserStack::program`].
    pub loaded: Option<LoadedProgram>,
}

/// Gives names to frames; remembers what it has found.
#[derive(Debug)]
pub struct Resolver {
    is_there: fn(ProcessKey) -> bool,
    search: Search,
    names: HashMap<(BuildId, u64), Rc<Place>>,
}

/// What is known of a place in a file.
#[derive(Debug)]
struct Place {
    module: String,
    functions: Vec<Named>,
}

/// A frame's place: the offset that it has, and that which is looked up.
struct Lookup {
    build_id: BuildId,
    offset: u64,
    at: u64,
}

impl Resolver {
    /// `is_there` tells whether a process still lives: an id may belong to
    /// another by now.
    #[must_use]
    pub fn new(is_there: fn(ProcessKey) -> bool) -> Self {
        Self { is_there, search: Search::default(), names: HashMap::new() }
    }

    /// Names a stack's frames, with those that the compiler put into others.
    /// What cannot be found has a place and no name.
    pub fn resolve(&mut self, request: &StackRequest) -> Vec<SymbolizedFrame> {
        let tgid = request.key.tgid;
        let maps = maps::read(tgid);
        // Looked at after the maps were read, or they might be another's.
        let maps = if (self.is_there)(request.key) { maps } else { Vec::new() };
        // Of a process that is gone, what it ran is left.
        let program = request.exe.as_deref().zip(request.loaded).filter(|_| maps.is_empty());
        let program = program.and_then(|(exe, loaded)| Program::of(exe, loaded));
        let frames = without_loop(&request.frames).iter().enumerate();
        let frames: Vec<_> = frames
            .map(|(index, frame)| {
                let (build_id, offset) = in_file(*frame, tgid, &maps, program.as_ref())?;
                // A return address may be the next function's first.
                let at = offset.saturating_sub(u64::from(index > 0));
                Ok(Lookup { build_id, offset, at })
            })
            .collect();
        self.look_up(frames.iter().flatten(), request, &maps);
        let mut named = Vec::new();
        for frame in &frames {
            match frame {
                Ok(lookup) => self.append(lookup, &mut named),
                Err(address) => named.push(in_mapping(*address, &maps)),
            }
        }
        named
    }

    /// Sees to it that `names` has all of these that can be found.
    fn look_up<'l>(
        &mut self,
        frames: impl Iterator<Item = &'l Lookup>,
        request: &StackRequest,
        maps: &[Mapping],
    ) {
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        let mut unknown: HashMap<BuildId, Vec<u64>> = HashMap::new();
        for frame in frames.filter(|frame| !self.names.contains_key(&(frame.build_id, frame.at))) {
            let offsets = unknown.entry(frame.build_id).or_default();
            if !offsets.contains(&frame.at) {
                offsets.push(frame.at);
            }
        }
        let wanted: BTreeSet<_> = unknown.keys().copied().collect();
        let exe = request.exe.as_deref();
        let objects = self.search.find(wanted, request.key.tgid, maps, exe);
        for (build_id, object) in objects {
            let offsets = unknown.remove(&build_id).unwrap_or_default();
            self.keep(build_id, &object, offsets);
        }
    }

    fn keep(&mut self, build_id: BuildId, object: &Object, offsets: Vec<u64>) {
        let functions = names::at_offsets(object, &offsets);
        let module = shown(&object.path);
        for (offset, functions) in offsets.into_iter().zip(functions) {
            let place = Place { module: module.clone(), functions };
            self.names.insert((build_id, offset), Rc::new(place));
        }
    }

    fn append(&self, lookup: &Lookup, out: &mut Vec<SymbolizedFrame>) {
        let place = self.names.get(&(lookup.build_id, lookup.at));
        let frame = SymbolizedFrame {
            function: None,
            module: place.map(|place| place.module.clone()),
            file: None,
            line: None,
            build_id: Some(lookup.build_id),
            offset: lookup.offset,
            is_inlined: false,
        };
        let functions = place.map(|place| place.functions.as_slice()).unwrap_or_default();
        let Some(last) = functions.len().checked_sub(1) else {
            out.push(frame);
            return;
        };
        out.extend(functions.iter().enumerate().map(|(index, named)| SymbolizedFrame {
            function: Some(named.function.clone()),
            file: named.file.clone(),
            line: named.line,
            is_inlined: index < last,
            ..frame.clone()
        }));
    }
}

/// Without what the kernel went round in: where a frame pointer is none, it may
/// lead to itself.
fn without_loop(frames: &[Frame]) -> &[Frame] {
    let Some(last @ Frame::Address(_)) = frames.last() else { return frames };
    let repeated = frames.iter().rev().take_while(|frame| *frame == last).count();
    frames.get(..frames.len() + 1 - repeated).unwrap_or(frames)
}

/// Build id and offset of a frame; the address where it has none.
fn in_file(
    frame: Frame,
    tgid: u32,
    maps: &[Mapping],
    program: Option<&Program>,
) -> Result<(BuildId, u64), u64> {
    match frame {
        Frame::InFile { build_id, offset } => Ok((build_id, offset)),
        Frame::Address(address) => {
            let found = || {
                let mapping = mapping_of(address, maps)?;
                let ways = maps::ways(tgid, mapping);
                let build_id = elf::build_id(&ways.iter().find_map(|way| object::open(way))?)?;
                Some((build_id, offset_in(address, mapping)))
            };
            found().or_else(|| program?.place(address)).ok_or(address)
        }
    }
}

/// A frame in a file that has no build id, or in none.
fn in_mapping(address: u64, maps: &[Mapping]) -> SymbolizedFrame {
    let mapping = mapping_of(address, maps);
    SymbolizedFrame {
        function: None,
        module: mapping.map(|mapping| shown(&mapping.path)),
        file: None,
        line: None,
        build_id: None,
        offset: mapping.map_or(address, |mapping| offset_in(address, mapping)),
        is_inlined: false,
    }
}

fn mapping_of(address: u64, maps: &[Mapping]) -> Option<&Mapping> {
    maps.iter().find(|mapping| mapping.addresses.contains(&address))
}

fn offset_in(address: u64, mapping: &Mapping) -> u64 {
    address.wrapping_sub(mapping.addresses.start).wrapping_add(mapping.offset)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, hint::black_box, os::unix::fs::PermissionsExt as _};

    use super::*;

    const HERE: &str = "src/symbolize/resolver.rs";

    fn request(tgid: u32, frames: Vec<Frame>, exe: Option<PathBuf>) -> StackRequest {
        StackRequest { key: ProcessKey { tgid, start_time: 1 }, frames, exe, loaded: None }
    }

    #[inline(never)]
    fn outer() -> u32 {
        black_box(inner())
    }

    #[inline(always)]
    fn inner() -> u32 {
        black_box(line!())
    }

    /// The place of a function in this program.
    fn place(function: fn() -> u32) -> (u64, BuildId, u64) {
        let address = function as usize as u64;
        let maps = maps::read(std::process::id());
        let (build_id, offset) =
            in_file(Frame::Address(address), std::process::id(), &maps, None).unwrap();
        (address, build_id, offset)
    }

    fn check_outer(frames: &[SymbolizedFrame]) {
        let outer = frames.last().unwrap();
        let name = outer.function.as_deref().unwrap();
        assert!(name.ends_with("resolver::tests::outer"), "{frames:#?}");
        assert!(outer.file.as_deref().unwrap().ends_with(HERE), "{frames:#?}");
        assert!(outer.line.is_some_and(|line| line < line!()), "{frames:#?}");
        assert_eq!(outer.module.as_deref(), std::env::current_exe().unwrap().to_str());
    }

    #[test]
    fn a_function_of_a_process_that_lives_has_its_name_file_and_line() {
        let (address, ..) = place(outer);
        let mut resolver = Resolver::new(|_| true);
        let asked = request(std::process::id(), vec![Frame::Address(address)], None);
        let frames = resolver.resolve(&asked);
        check_outer(&frames);
        assert_eq!(resolver.resolve(&asked), frames);
    }

    #[test]
    fn of_one_that_is_gone_the_program_is_enough() {
        let (_, build_id, offset) = place(outer);
        let mut resolver = Resolver::new(|_| false);
        let exe = std::env::current_exe().unwrap();
        let asked = request(u32::MAX, vec![Frame::InFile { build_id, offset }], Some(exe));
        check_outer(&resolver.resolve(&asked));
    }

    #[test]
    fn a_program_that_others_can_write_to_is_read_as_a_copy() {
        let (_, build_id, offset) = place(outer);
        let folder = tempfile::tempdir().unwrap();
        let copied = folder.path().join("program");
        std::fs::copy(std::env::current_exe().unwrap(), &copied).unwrap();
        std::fs::set_permissions(&copied, Permissions::from_mode(0o777)).unwrap();
        let object = Object::of(object::open(&copied).unwrap(), &copied, build_id).unwrap();
        assert!(object.is_copy && object.has_safe_links);
        let named = names::at_offsets(&object, &[offset]);
        let [Named { function, file, line }] = named[0].as_slice() else { panic!("{named:?}") };
        assert!(function.ends_with("resolver::tests::outer"), "{function}");
        assert!(file.as_deref().is_some_and(|file| file.ends_with(HERE)), "{file:?}");
        assert!(line.is_some());
    }

    #[test]
    fn what_nobody_has_keeps_its_place() {
        let build_id = BuildId([3; 20]);
        let frames = vec![Frame::InFile { build_id, offset: 16 }, Frame::Address(5)];
        let exe = Some(PathBuf::from("/bin/sh"));
        let named = Resolver::new(|_| false).resolve(&request(1, frames, exe));
        let nothing = SymbolizedFrame {
            function: None,
            module: None,
            file: None,
            line: None,
            build_id: Some(build_id),
            offset: 16,
            is_inlined: false,
        };
        assert_eq!(
            named,
            [nothing.clone(), SymbolizedFrame { build_id: None, offset: 5, ..nothing }]
        );
    }

    #[test]
    fn the_maps_of_a_successor_are_not_used() {
        let (address, ..) = place(outer);
        let asked = request(std::process::id(), vec![Frame::Address(address)], None);
        let named = Resolver::new(|_| false).resolve(&asked);
        assert_eq!((named[0].module.as_deref(), named[0].offset), (None, address));
    }

    #[test]
    fn inlined_functions_stand_before_the_one_that_has_them() {
        // Somewhere in `outer` is what was `inner`.
        let (_, build_id, offset) = place(outer);
        let frames = (0..64).map(|byte| Frame::InFile { build_id, offset: offset + byte });
        let exe = std::env::current_exe().unwrap();
        let asked = request(u32::MAX, frames.collect(), Some(exe));
        let named = Resolver::new(|_| false).resolve(&asked);
        let at = named.iter().position(|frame| {
            frame.function.as_deref().is_some_and(|name| name.ends_with("inner"))
        });
        let [inlined, around, ..] = &named[at.expect("inner is nowhere")..] else { panic!() };
        assert!(inlined.is_inlined && !around.is_inlined, "{named:#?}");
        assert_eq!(inlined.line, Some(inner()));
        assert_eq!(inlined.offset, around.offset);
        check_outer(std::slice::from_ref(around));
    }

    #[test]
    fn a_loop_is_cut_to_one_and_recursion_is_not() {
        let [a, b] = [Frame::Address(1), Frame::Address(2)];
        assert_eq!(without_loop(&[a, b, b, b]), [a, b]);
        assert_eq!(without_loop(&[b, b, a]), [b, b, a]);
        assert_eq!(without_loop(&[]), []);
        let recursive = [Frame::InFile { build_id: BuildId([1; 20]), offset: 1 }; 3];
        assert_eq!(without_loop(&recursive), recursive);
    }
}
