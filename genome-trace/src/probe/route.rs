//! The ways by which a process can write to a file, and whether each is
//! counted. What is not counted is named, in `doctor` and in docs/probes.md.

use super::{Mode, Plan, Verdict};

/// A way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// write(2), pwrite(2)
    Write,
    /// writev(2), pwritev(2), pwritev2(2)
    Writev,
    /// sendfile(2)
    Sendfile,
    /// splice(2) from a pipe
    Splice,
    /// copy_file_range(2)
    CopyFileRange,
    /// io_uring's write operations
    IoUring,
    /// Opens and unlinks by io_uring: creations and deletions
    IoUringFiles,
    /// io_submit(2)
    Aio,
    /// Stores to a shared mapping
    Mmap,
    /// Any of the calls, by a 32-bit program on a 64-bit kernel
    Compat,
}

impl Route {
    /// Every way.
    pub const ALL: [Self; 10] = [
        Self::Write,
        Self::Writev,
        Self::Sendfile,
        Self::Splice,
        Self::CopyFileRange,
        Self::IoUring,
        Self::IoUringFiles,
        Self::Aio,
        Self::Mmap,
        Self::Compat,
    ];

    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Writev => "writev",
            Self::Sendfile => "sendfile",
            Self::Splice => "splice",
            Self::CopyFileRange => "copy_file_range",
            Self::IoUring => "io_uring",
            Self::IoUringFiles => "io_uring files",
            Self::Aio => "aio",
            Self::Mmap => "mmap",
            Self::Compat => "32-bit",
        }
    }

    /// The part of a probe's program name that belongs to it.
    const fn program(self) -> Option<&'static str> {
        match self {
            Self::Write => Some("vfs_write_"),
            Self::Writev => Some("vfs_writev_"),
            Self::Sendfile => Some("do_sendfile_"),
            Self::Splice => Some("do_splice_"),
            Self::CopyFileRange => Some("vfs_copy_file_range_"),
            Self::IoUring => Some("io_uring_complete"),
            Self::IoUringFiles | Self::Aio | Self::Mmap | Self::Compat => None,
        }
    }
}

/// Whether a way to write is counted in a mode, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteVerdict {
    /// The way.
    pub route: Route,
    /// The mode.
    pub mode: Mode,
    /// `Err` with the reason where it is not counted.
    pub counted: Result<(), String>,
}

/// The ways to write under a plan, which must have a mode.
#[must_use]
pub fn routes(plan: &Plan) -> Vec<RouteVerdict> {
    let Some(mode) = plan.mode else { return Vec::new() };
    Route::ALL
        .into_iter()
        .map(|route| RouteVerdict { route, mode, counted: counted(route, mode, plan) })
        .collect()
}

fn counted(route: Route, mode: Mode, plan: &Plan) -> Result<(), String> {
    match route {
        Route::Mmap => {
            return Err("stores to memory make no call that could be counted".to_owned());
        }
        Route::Aio => {
            return Err("io_submit hands the write to the file system past every probe".to_owned());
        }
        Route::IoUringFiles if matches!(mode, Mode::Syscall | Mode::Tracepoint) => {
            return Err("files that io_uring creates or deletes make no system call".to_owned());
        }
        Route::Compat if matches!(mode, Mode::Syscall | Mode::Tracepoint) => {
            return Err("32-bit system calls have other numbers".to_owned());
        }
        _ => {}
    }
    let program = match (route, mode) {
        (Route::IoUring, _) => "io_uring_complete",
        (_, Mode::Tracepoint) => "sys_exit",
        (Route::Splice | Route::CopyFileRange, Mode::Syscall) => "syscall_splice",
        (_, Mode::Syscall) => "syscall_write",
        (Route::Compat, _) => "vfs_write_",
        (Route::IoUringFiles, _) => "do_filp_open_",
        (route, _) => route.program().unwrap_or_default(),
    };
    let reasons = plan.probes.iter().filter(|probe| probe.program().starts_with(program));
    for probe in reasons {
        match &probe.verdict {
            Verdict::Planned | Verdict::Attached => {}
            Verdict::NotNeeded => return Err("writes were not asked for".to_owned()),
            Verdict::Unavailable(reason) | Verdict::Refused(reason) => return Err(reason.clone()),
        }
    }
    Ok(())
}
