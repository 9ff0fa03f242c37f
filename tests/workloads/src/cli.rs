//! The command line: definitions only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::load::crash::How;

/// A program that misbehaves on purpose and says exactly what it did.
#[derive(Parser)]
#[command(name = "genome-trace-workload", version)]
pub(crate) struct Cli {
    /// Print this process' pid, then wait for a line or the end of stdin before the work
    #[arg(long, global = true)]
    pub(crate) hold: bool,
    /// Do the work on this processor only; may be given more than once
    #[arg(long = "cpu", global = true, value_name = "NUMBER")]
    pub(crate) cpus: Vec<usize>,
    /// Do the work as this user (root needed)
    #[arg(long, global = true, value_name = "UID")]
    pub(crate) as_uid: Option<u32>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start many short processes with posix_spawn(3)
    SpawnStorm(SpawnStorm),
    /// Start very many processes that do nothing but end
    ExitStorm(ExitStorm),
    /// Create files, write each once and close it
    CreateFiles(CreateFiles),
    /// Write one JSON file after the other, and say when the so-manieth was there
    JsonLoop(JsonLoop),
    /// Write to one file very often
    WriteStorm(WriteStorm),
    /// Make a system call that does next to nothing very often
    SyscallStorm(SyscallStorm),
    /// Create files and end processes at a pace, and say when
    Paced(Paced),
    /// Create and unlink the same name again and again
    Churn(Churn),
    /// Write to a file that stands in no folder
    Memfd(Memfd),
    /// Unlink files that were made before
    Unlink(Unlink),
    /// End a process in a given way
    Crash(Crash),
    /// Kill a waiting child with kill(2)
    KillVictim(KillVictim),
    /// Let the kernel kill a child for want of memory in a cgroup
    Oom(Oom),
    /// Write from many threads of one process
    Threads(Threads),
    /// A bounded mixture of everything that does no harm
    Mixed(Mixed),
    /// Fork a tree of processes
    Tree(Tree),
    /// Let ended processes' pids be used again
    PidReuse(PidReuse),
    /// Hold memory on a GPU, and obey lines of stdin: hold BYTES, free, fault, end
    Vram(Vram),
    /// Take so much of everything, say so, and rest until stdin ends
    Occupy(Occupy),
    /// Live quietly for a while, then go wrong in one way
    GoWrong(GoWrong),
    /// Leave this process' pid in a new file, and print nothing
    Touch(Touch),
    /// Exit with a code, and print nothing
    Exit(Exit),
}

impl Command {
    /// The subcommand's name as the truth line carries it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::SpawnStorm(_) => "spawn-storm",
            Self::ExitStorm(_) => "exit-storm",
            Self::CreateFiles(_) => "create-files",
            Self::JsonLoop(_) => "json-loop",
            Self::WriteStorm(_) => "write-storm",
            Self::SyscallStorm(_) => "syscall-storm",
            Self::Paced(_) => "paced",
            Self::Churn(_) => "churn",
            Self::Memfd(_) => "memfd",
            Self::Unlink(_) => "unlink",
            Self::Crash(_) => "crash",
            Self::KillVictim(_) => "kill-victim",
            Self::Oom(_) => "oom",
            Self::Threads(_) => "threads",
            Self::Mixed(_) => "mixed",
            Self::Tree(_) => "tree",
            Self::PidReuse(_) => "pid-reuse",
            Self::Vram(_) => "vram",
            Self::Occupy(_) => "occupy",
            Self::GoWrong(_) => "go-wrong",
            Self::Touch(_) => "touch",
            Self::Exit(_) => "exit",
        }
    }
}

#[derive(Args)]
pub(crate) struct SpawnStorm {
    /// How many processes
    #[arg(long)]
    pub(crate) count: u32,
    /// How many of them may live at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) jobs: u32,
    /// What to start, as `PROGRAM storm-<i>`
    #[arg(long, default_value = "/bin/true")]
    pub(crate) program: PathBuf,
    /// Start this program's own `exit --code <i % 256> storm-<i>` instead
    #[arg(long, conflicts_with = "program")]
    pub(crate) self_exit: bool,
    /// Start each with an empty environment
    #[arg(long)]
    pub(crate) clear_env: bool,
}

#[derive(Args)]
pub(crate) struct ExitStorm {
    /// How many processes
    #[arg(long)]
    pub(crate) count: u32,
    /// How many of them a second; 0 for as fast as it goes
    #[arg(long, default_value_t = 0)]
    pub(crate) rate: u32,
}

#[derive(Args)]
pub(crate) struct CreateFiles {
    /// The folder; made if it is not there
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Files for each process
    #[arg(long)]
    pub(crate) count: u64,
    /// Bytes written to each file, in one write
    #[arg(long, default_value_t = 100)]
    pub(crate) bytes: usize,
    /// Processes that create at once
    #[arg(long, default_value_t = 1)]
    pub(crate) procs: u64,
    /// Threads that share each process' files
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) threads: u64,
    /// Leave the files
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args)]
pub(crate) struct WriteStorm {
    /// The file
    #[arg(long)]
    pub(crate) path: PathBuf,
    /// How many calls
    #[arg(long)]
    pub(crate) count: u64,
    /// Bytes written by each call
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bytes: u32,
    /// By which system call
    #[arg(long, value_enum, default_value_t = WriteCall::Write)]
    pub(crate) call: WriteCall,
    /// Leave the file
    #[arg(long)]
    pub(crate) keep: bool,
}

/// The ways to write to a file that the kernel has.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum WriteCall {
    Write,
    Pwrite,
    Writev,
    Pwritev2,
    Sendfile,
    Splice,
    CopyFileRange,
    IoUring,
}

#[derive(Args)]
pub(crate) struct SyscallStorm {
    /// How many calls of getppid(2)
    #[arg(long)]
    pub(crate) count: u64,
}

#[derive(Args)]
pub(crate) struct JsonLoop {
    /// The folder; made if it is not there
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// How many files
    #[arg(long)]
    pub(crate) count: u64,
    /// Say when so many had been created
    #[arg(long, default_value_t = 50)]
    pub(crate) mark: u64,
    /// Give each file a folder of its own
    #[arg(long)]
    pub(crate) folders: bool,
    /// Write the same into every file
    #[arg(long)]
    pub(crate) equal: bool,
    /// Leave the files
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args)]
pub(crate) struct Paced {
    /// The folder; made if it is not there
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// How many files, and how many processes
    #[arg(long)]
    pub(crate) count: u32,
    /// Time between one file and the next
    #[arg(long, default_value_t = 20)]
    pub(crate) interval_ms: u64,
}

#[derive(Args)]
pub(crate) struct Churn {
    /// The folder; made if it is not there
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// How often
    #[arg(long)]
    pub(crate) count: u64,
    /// Bytes written to each file, in one call; 0 for no call
    #[arg(long, default_value_t = 0)]
    pub(crate) bytes: usize,
    /// Give each file a name of its own
    #[arg(long)]
    pub(crate) names: bool,
    /// Make that a folder's name, and have a file come and go in it; the folder
    /// goes, too
    #[arg(long, requires = "names", conflicts_with = "bytes")]
    pub(crate) folders: bool,
    /// How many files a second; 0 for as fast as it goes
    #[arg(long, default_value_t = 0)]
    pub(crate) rate: u64,
}

#[derive(Args)]
pub(crate) struct Memfd {
    /// The name that the file is given
    #[arg(long)]
    pub(crate) name: String,
    /// Bytes written to it, in one call
    #[arg(long)]
    pub(crate) bytes: usize,
}

#[derive(Args)]
pub(crate) struct Unlink {
    /// The folder; made if it is not there
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// How many files
    #[arg(long)]
    pub(crate) count: u64,
}

#[derive(Args)]
pub(crate) struct Crash {
    /// segv, segv-deep, abort, exit:N, sigterm-self, kill-by-child, leader-exits-first or last-thread-exits
    #[arg(long)]
    pub(crate) how: How,
    /// So many more threads first, which do nothing
    #[arg(long, default_value_t = 0)]
    pub(crate) threads: u32,
    /// So many more open files first
    #[arg(long, default_value_t = 0)]
    pub(crate) open_files: u32,
    /// Raise the core limit first, in a temporary folder that takes the core file
    #[arg(long)]
    pub(crate) core: bool,
    /// Crash this process itself, not a child; the line is printed before, and a core stays
    #[arg(long)]
    pub(crate) here: bool,
}

#[derive(Args)]
pub(crate) struct KillVictim {
    /// The signal's number
    #[arg(long, default_value_t = 9)]
    pub(crate) signal: i32,
}

#[derive(Args)]
pub(crate) struct Oom {
    /// The cgroup's memory limit
    #[arg(long)]
    pub(crate) limit_bytes: u64,
    /// The victim's oom_score_adj
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) oom_score_adj: i32,
}

#[derive(Args)]
pub(crate) struct Threads {
    /// How many threads
    #[arg(long)]
    pub(crate) count: u32,
    /// Writes by each thread
    #[arg(long)]
    pub(crate) writes: u64,
    /// Bytes written by each call
    #[arg(long, default_value_t = 64)]
    pub(crate) bytes: usize,
    /// The file that all of them append to
    #[arg(long)]
    pub(crate) path: PathBuf,
    /// Writes by the first thread, before and after the others live
    #[arg(long, default_value_t = 0)]
    pub(crate) leader_writes: u64,
    /// Writes of one byte by a child that the process waits for
    #[arg(long, default_value_t = 0)]
    pub(crate) child_writes: u64,
    /// Leave the file
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args)]
pub(crate) struct Mixed {
    /// For how long
    #[arg(long, conflicts_with = "rounds", required_unless_present = "rounds")]
    pub(crate) seconds: Option<u64>,
    /// How many rounds, as fast as they go
    #[arg(long)]
    pub(crate) rounds: Option<u64>,
    /// Rounds in a second, with --seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) rate: u64,
    /// What to start in each round
    #[arg(long, default_value = "/bin/true")]
    pub(crate) program: PathBuf,
}

#[derive(Args)]
pub(crate) struct Tree {
    /// Generations below the root
    #[arg(long)]
    pub(crate) depth: u32,
    /// Children of each process that is no leaf
    #[arg(long)]
    pub(crate) width: u32,
    /// Let each process of the tree create one file here, made if it is not there
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Leave the files
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args)]
pub(crate) struct PidReuse {
    /// The folder that each process leaves a file in; made if it is not there, and left
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// GENOME_PERSONA of the processes whose pids are used again
    #[arg(long)]
    pub(crate) persona: String,
    /// How often
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: u32,
}

#[derive(Args)]
pub(crate) struct Vram {
    /// How much to hold at first
    #[arg(long)]
    pub(crate) bytes: usize,
}

#[derive(Args)]
pub(crate) struct Occupy {
    /// Bytes of memory that are written to
    #[arg(long, default_value_t = 0)]
    pub(crate) rss_bytes: usize,
    /// So many threads more, which do nothing
    #[arg(long, default_value_t = 0)]
    pub(crate) threads: u32,
    /// So many open files more
    #[arg(long, default_value_t = 0)]
    pub(crate) open_files: u32,
    /// The folder for files; made if it is not there, and then gone at the end
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Files to create there
    #[arg(long, default_value_t = 0, requires = "dir")]
    pub(crate) files: u32,
    /// Writes of one byte to the last of them
    #[arg(long, default_value_t = 0, requires = "files")]
    pub(crate) writes: u64,
    /// CPU time to use
    #[arg(long, default_value_t = 0)]
    pub(crate) cpu_ms: u64,
}

#[derive(Args)]
pub(crate) struct GoWrong {
    /// In which way
    #[arg(long, value_enum)]
    pub(crate) how: Wrong,
    /// How long to live quietly
    #[arg(long)]
    pub(crate) quiet_seconds: u64,
    /// How long to go wrong then
    #[arg(long)]
    pub(crate) wrong_seconds: u64,
    /// How much a leak does not give back in a second
    #[arg(long, default_value_t = 1 << 20)]
    pub(crate) bytes_per_second: u32,
    /// Leak by chance in pieces of any size, which come to as much in the long run
    #[arg(long)]
    pub(crate) uneven: bool,
    /// Hold up to so much more for a second each, by chance, and give it back
    #[arg(long, default_value_t = 0)]
    pub(crate) passing_bytes: u32,
    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wrong {
    /// Nothing
    Nothing,
    /// Memory is not given back
    Leak,
    /// 400 MiB are taken at once
    Spike,
    /// A loop that does nothing
    Spin,
    /// Ten descriptors a second are not closed
    Descriptors,
    /// Twenty threads a second are started, up to 400
    Threads,
    /// A hundred processes a second are forked
    Spawns,
}

#[derive(Args)]
pub(crate) struct Touch {
    /// The file
    #[arg(long)]
    pub(crate) path: PathBuf,
    /// Let a forked child leave its pid in this one
    #[arg(long)]
    pub(crate) child_path: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Exit {
    /// The exit code
    #[arg(long, default_value_t = 0)]
    pub(crate) code: u8,
    /// Words that do nothing
    pub(crate) words: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }
}
