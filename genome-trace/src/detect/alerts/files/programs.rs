//! What the processes of personas run, and whether it is their business to make
//! many files.

use std::{
    collections::{HashSet, VecDeque, hash_map::Entry},
    rc::Rc,
};

use rustc_hash::FxHashMap;

use super::FilePolicy;
use crate::{
    detect::masked_arguments,
    model::{AlertProcess, Argv, Exec, Process, ProcessKey, ProcessRecord},
};

/// Processes that are kept: of more nothing is known but their names.
const KEPT: usize = 4096;
/// Of them, those that have ended: counts of their files come later.
const ENDED_KEPT: usize = 512;
/// Of arguments so many bytes are kept, their beginning.
const ARGV_KEPT: usize = 1024;
/// Memory for programs to come.
const SPARE: usize = 64;

/// Against what a creation is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The threshold.
    Ordinary,
    /// A higher one: started by a tool, or in a folder for builds and caches.
    Helper,
    /// One that is higher by far.
    Tool,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::Ordinary, Self::Helper, Self::Tool];
}

/// What a process runs. In memory once for it and those that it forks.
#[derive(Debug, Default)]
struct Program {
    /// With room for all that is kept, so that the next one's need no more.
    argv: Vec<u8>,
    has_argv: bool,
    is_tool: bool,
}

/// A process of a persona.
#[derive(Debug)]
pub(super) struct Subject {
    key: ProcessKey,
    comm: [u8; 16],
    program: Option<Rc<Program>>,
    is_helper: bool,
    has_ended: bool,
    /// The persona's place, as it was last.
    pub(super) persona: usize,
    /// Where it created its last file.
    pub(super) near: Option<(Class, usize)>,
}

impl Subject {
    const fn new(key: ProcessKey) -> Self {
        Self {
            key,
            comm: [0; 16],
            program: None,
            is_helper: false,
            has_ended: false,
            persona: 0,
            near: None,
        }
    }

    pub(super) fn class(&self) -> Class {
        match &self.program {
            Some(program) if program.is_tool => Class::Tool,
            _ if self.is_helper => Class::Helper,
            _ => Class::Ordinary,
        }
    }

    /// Where it created its last file, if it is of the persona at that place; it
    /// is from now on.
    pub(super) fn near_of(&mut self, persona: usize) -> Option<(Class, usize)> {
        if self.persona != persona {
            (self.persona, self.near) = (persona, None);
        }
        self.near
    }

    fn refresh(&mut self, comm: Option<&[u8]>) {
        if let Some(comm) = comm {
            self.comm = [0; 16];
            for (to, from) in self.comm.iter_mut().zip(comm) {
                *to = *from;
            }
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Programs {
    tools: HashSet<Box<[u8]>>,
    subjects: FxHashMap<u32, Subject>,
    ended: VecDeque<ProcessKey>,
    spare: Vec<Rc<Program>>,
}

impl Programs {
    pub(super) fn new(policy: &FilePolicy) -> Self {
        Self {
            tools: policy.tools.iter().map(|name| name.as_bytes().into()).collect(),
            subjects: FxHashMap::default(),
            ended: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// The process, which is known from now on; `None` where there is no room.
    pub(super) fn subject(&mut self, process: &Process<'_>) -> Option<&mut Subject> {
        let key = process.key;
        let is_full = self.subjects.len() >= KEPT;
        // This runs for every file: one look-up.
        let subject = match self.subjects.entry(key.tgid) {
            Entry::Occupied(entry) => {
                let subject = entry.into_mut();
                // One with that number and another start has ended long ago.
                if subject.key != key {
                    let old = std::mem::replace(subject, Subject::new(key));
                    keep(&mut self.spare, old.program);
                }
                subject
            }
            Entry::Vacant(_) if is_full => return None,
            Entry::Vacant(entry) => entry.insert(Subject::new(key)),
        };
        subject.refresh(process.comm);
        Some(subject)
    }

    pub(super) fn forked(&mut self, process: &Process<'_>) {
        let parent = process.ppid.and_then(|ppid| self.subjects.get(&ppid));
        let Some(parent) = parent else {
            self.subject(process);
            return;
        };
        let (program, class) = (parent.program.clone(), parent.class());
        if let Some(subject) = self.subject(process) {
            subject.is_helper = class != Class::Ordinary;
            let before = std::mem::replace(&mut subject.program, program);
            self.reuse(before);
        } else {
            self.reuse(program);
        }
    }

    pub(super) fn executed(&mut self, process: &Process<'_>, exec: &Exec<'_>) {
        let argv = exec.argv.map(|argv| argv.block);
        self.runs(process, exec.exe, argv);
    }

    /// A process that was there before.
    pub(super) fn found(&mut self, record: &ProcessRecord) {
        let process = Process {
            key: record.key,
            tid: None,
            ppid: record.ppid,
            uid: record.uid,
            comm: record.comm.as_deref(),
            cgroup_path: None,
            watch: crate::model::Watch::default(),
        };
        self.runs(&process, record.exe.as_deref(), record.argv.as_deref());
    }

    fn runs(&mut self, process: &Process<'_>, exe: Option<&[u8]>, argv: Option<&[u8]>) {
        let is_tool = program_name(exe, process.comm, argv).is_some_and(|name| self.is_tool(name));
        if self.subject(process).is_none() {
            return;
        }
        let mut program = self.spare.pop().unwrap_or_default();
        if let Some(program) = Rc::get_mut(&mut program) {
            program.is_tool = is_tool;
            program.has_argv = argv.is_some();
            let kept = argv.map(|argv| argv.get(..ARGV_KEPT).unwrap_or(argv)).unwrap_or_default();
            program.argv.clear();
            program.argv.reserve_exact(ARGV_KEPT);
            program.argv.extend_from_slice(kept);
        }
        if let Some(subject) = self.subjects.get_mut(&process.key.tgid) {
            let before = subject.program.replace(program);
            subject.near = None;
            self.reuse(before);
        }
    }

    pub(super) fn ended(&mut self, key: ProcessKey) {
        let Some(subject) = self.subjects.get_mut(&key.tgid) else { return };
        if subject.key != key || std::mem::replace(&mut subject.has_ended, true) {
            return;
        }
        self.ended.push_back(key);
        if self.ended.len() > ENDED_KEPT
            && let Some(oldest) = self.ended.pop_front()
            && self.subjects.get(&oldest.tgid).is_some_and(|subject| subject.key == oldest)
        {
            let old = self.subjects.remove(&oldest.tgid);
            self.reuse(old.and_then(|old| old.program));
        }
    }

    fn reuse(&mut self, program: Option<Rc<Program>>) {
        keep(&mut self.spare, program);
    }

    /// What an alert says of a process.
    pub(super) fn told(&self, key: ProcessKey) -> AlertProcess {
        let subject = self.subjects.get(&key.tgid).filter(|subject| subject.key == key);
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let comm = subject.map(|subject| {
            let len = subject.comm.iter().position(|byte| *byte == 0).unwrap_or(16);
            lossy(subject.comm.get(..len).unwrap_or_default())
        });
        let program = subject.and_then(|subject| subject.program.as_ref());
        let argv = program.filter(|program| program.has_argv).map(|program| &program.argv);
        AlertProcess {
            key,
            comm: comm.filter(|comm| !comm.is_empty()),
            argv: argv.map(|block| masked_arguments(Argv { block }.iter().map(lossy))),
        }
    }

    fn is_tool(&self, name: &[u8]) -> bool {
        let is_listed = |name: &[u8]| self.tools.contains(name);
        if is_listed(name) {
            return true;
        }
        let name = name.strip_suffix(b".py").unwrap_or(name);
        let end = name.iter().rposition(|byte| !b"0123456789.-".contains(byte));
        let bare = name.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
        // A cross compiler's: `x86_64-linux-gnu-gcc-12`.
        let target = b"-linux-";
        let crossed = bare.windows(target.len()).position(|part| part == target).and_then(|_| {
            let dash = bare.iter().rposition(|byte| *byte == b'-')?;
            bare.get(dash + 1..)
        });
        is_listed(name) || is_listed(bare) || crossed.is_some_and(is_listed)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.subjects.len() + self.ended.len() + self.spare.len()
    }
}

/// Memory of a program that nobody runs any more goes to a later one.
fn keep(spare: &mut Vec<Rc<Program>>, program: Option<Rc<Program>>) {
    if let Some(mut program) = program
        && spare.len() < SPARE
        && Rc::get_mut(&mut program).is_some()
    {
        spare.push(program);
    }
}

const MULTICALL: [&[u8]; 3] = [b"busybox", b"toybox", b"coreutils"];
const INTERPRETERS: [&[u8]; 9] =
    [b"python", b"pypy", b"node", b"nodejs", b"ruby", b"perl", b"bash", b"dash", b"sh"];

fn last_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// What a program is called: its executable, or what an interpreter runs.
fn program_name<'a>(
    exe: Option<&'a [u8]>,
    comm: Option<&'a [u8]>,
    argv: Option<&'a [u8]>,
) -> Option<&'a [u8]> {
    // One program of many names goes by the one that it was called by.
    let name = exe.map(last_name).filter(|name| !MULTICALL.contains(name)).or(comm)?;
    let end = name.iter().position(|byte| b"0123456789.".contains(byte)).unwrap_or(name.len());
    let is_interpreter = name.get(..end).is_some_and(|bare| INTERPRETERS.contains(&bare));
    if !is_interpreter {
        return Some(name);
    }
    let mut arguments = Argv { block: argv? }.iter().skip(1);
    while let Some(argument) = arguments.next() {
        match argument {
            // A module: `pip` of `pip._internal`.
            b"-m" => return arguments.next()?.split(|byte| *byte == b'.').next(),
            b"-c" => return module_run_by(arguments.next()?),
            b"-e" => return None,
            b"-W" | b"-X" => {
                arguments.next();
            }
            _ if argument.starts_with(b"-") => {}
            _ => return Some(last_name(argument)),
        }
    }
    None
}

/// The module that Python code runs as a program, as ensurepip runs pip:
/// `runpy.run_module("pip", …)`.
fn module_run_by(code: &[u8]) -> Option<&[u8]> {
    let call = b"run_module(";
    let at = code.windows(call.len()).position(|part| part == call)?;
    let mut parts = code.get(at + call.len()..)?.split(|byte| b"\"'".contains(byte));
    parts.next().filter(|before| before.is_empty())?;
    parts.next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::Watch;

    fn process(tgid: u32, ppid: u32) -> Process<'static> {
        Process {
            key: ProcessKey { tgid, start_time: 1 },
            tid: None,
            ppid: Some(ppid),
            uid: None,
            comm: Some(b"name"),
            cgroup_path: None,
            watch: Watch::default(),
        }
    }

    fn exec<'a>(exe: &'a str, argv: &'a str) -> Exec<'a> {
        Exec {
            exe: Some(exe.as_bytes()),
            exe_truncated: false,
            argv: Some(Argv { block: argv.as_bytes() }),
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        }
    }

    fn class_of(exe: &str, argv: &str) -> Class {
        let mut programs = Programs::new(&FilePolicy::default());
        programs.executed(&process(1, 0), &exec(exe, argv));
        programs.subject(&process(1, 0)).unwrap().class()
    }

    #[test]
    fn tools_are_known_by_their_names_and_by_what_an_interpreter_runs() {
        for (exe, argv) in [
            ("/usr/bin/git", "git\0clone\0"),
            ("/usr/bin/x86_64-linux-gnu-gcc-12", "cc\0"),
            ("/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "cc1\0"),
            ("/usr/bin/python3.11", "python3\0-m\0pip\0install\0x\0"),
            ("/usr/bin/python3.11", "/usr/bin/python3\0-I\0/usr/bin/pip3\0install\0"),
            ("/usr/bin/python3.12", "python3\0-X\0dev\0-m\0pytest\0"),
            (
                "/usr/bin/python3.11",
                "python3\0-W\0ignore\0-c\0\nimport runpy\nrunpy.run_module(\"pip\", run_name='__main__')\n\0",
            ),
            ("/usr/bin/node", "node\0/usr/bin/npm\0ci\0"),
            ("/usr/bin/bash", "bash\0./configure\0"),
        ] {
            assert_eq!(class_of(exe, argv), Class::Tool, "{exe} {argv:?}");
        }
        for (exe, argv) in [
            ("/usr/bin/python3.11", "python3\0worker.py\0"),
            ("/usr/bin/python3.11", "python3\0-c\0import pip\0"),
            ("/usr/bin/bash", "bash\0-c\0git clone x\0"),
            ("/opt/ai/pipeline", "pipeline\0"),
        ] {
            assert_eq!(class_of(exe, argv), Class::Ordinary, "{exe} {argv:?}");
        }
    }

    #[test]
    fn one_program_of_many_names_goes_by_how_it_was_called() {
        for (comm, class) in [(b"tar", Class::Tool), (b"vim", Class::Ordinary)] {
            let mut programs = Programs::new(&FilePolicy::default());
            let process = Process { comm: Some(comm), ..process(1, 0) };
            programs.executed(&process, &exec("/bin/busybox", "tar\0xf\0"));
            assert_eq!(programs.subject(&process).unwrap().class(), class);
        }
    }

    #[test]
    fn what_a_tool_starts_is_a_helper_and_so_is_what_that_starts() {
        let mut programs = Programs::new(&FilePolicy::default());
        programs.executed(&process(1, 0), &exec("/usr/bin/make", "make\0"));
        programs.forked(&process(2, 1));
        assert_eq!(programs.subject(&process(2, 1)).unwrap().class(), Class::Tool);
        programs.executed(&process(2, 1), &exec("/usr/bin/gen", "gen\0--password\0x\0"));
        programs.forked(&process(3, 2));
        for tgid in [2, 3] {
            assert_eq!(programs.subject(&process(tgid, 1)).unwrap().class(), Class::Helper);
            let told = programs.told(process(tgid, 0).key);
            assert_eq!(told.argv.unwrap(), ["gen", "--password", "[masked]"]);
            assert_eq!(told.comm.as_deref(), Some("name"));
        }
    }

    #[test]
    fn however_many_there_are_the_memory_is_bounded() {
        let mut programs = Programs::new(&FilePolicy::default());
        for tgid in 1..20_000 {
            programs.forked(&process(tgid, tgid - 1));
            programs.executed(&process(tgid, 1), &exec("/bin/true", "true\0"));
            if tgid % 3 == 0 {
                programs.ended(process(tgid, 1).key);
            }
        }
        assert!(programs.len() <= KEPT + ENDED_KEPT + SPARE);
    }
}
