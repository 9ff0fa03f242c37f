//! Kernel objects that the verifier knows the type of: they are read by plain
//! loads, which fail on a bad address as `bpf_probe_read_kernel` does (the
//! kernel's exception table; a failed load is 0), but cost no call.
//!
//! They are for what runs at every write, and for what reads all processes at
//! once. The verifier pays for each pointer that is followed from one that it
//! trusts: it looks through all of the kernel's types by name
//! (btf_nested_type_is_trusted()), which takes milliseconds. So programs that
//! run seldom read through calls. What a [cast](Typed::cast) gave its type is
//! not trusted, and costs the verifier nothing.
//!
//! The offset of a field is a constant to the verifier, since it comes from
//! `config::KERNEL`; it finds the field there and hence the type of the
//! pointer that lies in it.

use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
use genome_trace_common::{ABSENT, CAST_PLACEHOLDER, Offset};

use crate::{
    config::fact,
    kernel::{Address, Integer, Memory},
};

/// Pointer to a kernel object of known type.
#[derive(Clone, Copy)]
pub(crate) struct Typed(*const u8);

impl Memory for Typed {
    #[inline(always)]
    fn read<T: Integer>(self, offset: Offset) -> T {
        if offset == ABSENT {
            return T::default();
        }
        // SAFETY: the verifier accepts the load only where the object has a
        // field of this size there; on a bad address the kernel makes it 0.
        // Volatile, because the kernel changes what it reads.
        unsafe { self.0.add(offset as usize).cast::<T>().read_volatile() }
    }

    #[inline(always)]
    fn follow(self, offset: Offset) -> Self {
        if offset == ABSENT {
            return Self(core::ptr::null());
        }
        // SAFETY: as above; a pointer field, which the verifier gives its type.
        Self(unsafe { self.0.add(offset as usize).cast::<*const u8>().read_volatile() })
    }

    #[inline(always)]
    fn address(self) -> Address {
        Address(self.0 as u64)
    }
}

impl Typed {
    /// No object; every read of it is 0.
    pub(crate) const NULL: Self = Self(core::ptr::null());

    /// Argument `N` of a `tp_btf`, `fentry` or `fexit` program that is a
    /// pointer.
    ///
    /// # Safety
    /// `context` is that of such a program, which has that many arguments.
    #[inline(always)]
    pub(crate) unsafe fn argument<const N: usize>(context: *const core::ffi::c_void) -> Self {
        // SAFETY: arguments are u64s in a row, and the caller says it is there.
        Self(unsafe { context.cast::<*const u8>().add(N).read_volatile() })
    }

    /// `current`. Callers make sure that the kernel has the helper: see
    /// [`can_load`].
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper has no precondition.
        Self(unsafe { bpf_get_current_task_btf() }.cast_const().cast())
    }

    /// The registers of a task in user mode.
    #[inline(always)]
    pub(crate) fn registers(self) -> Self {
        // SAFETY: the helper checks that it is given a task.
        Self(unsafe { bpf_task_pt_regs(self.0.cast_mut().cast()) } as *const u8)
    }

    /// An object of the type `type_id` at `address`: `bpf_rdonly_cast`
    /// (kernel/bpf/helpers.c, since 6.2), which costs nothing at run time.
    /// Callers make sure that the kernel has it: see [`can_cast`].
    #[inline(always)]
    pub(crate) fn cast(address: Address, type_id: u32) -> Self {
        #[cfg(target_arch = "bpf")]
        {
            let object: *const u8;
            // SAFETY: a call of a helper that does not exist, in whose place
            // the loader puts a call of the kernel's function. It takes the
            // arguments named here and changes the registers named here.
            unsafe {
                core::arch::asm!(
                    "call {placeholder}",
                    placeholder = const CAST_PLACEHOLDER,
                    in("r1") address.0,
                    in("r2") type_id as u64,
                    lateout("r0") object,
                    lateout("r1") _,
                    lateout("r2") _,
                    lateout("r3") _,
                    lateout("r4") _,
                    lateout("r5") _,
                );
            }
            Self(object)
        }
        #[cfg(not(target_arch = "bpf"))]
        {
            let _ = (type_id, CAST_PLACEHOLDER);
            Self(address.0 as *const u8)
        }
    }
}

/// Argument `N` of such a program as a plain number.
///
/// # Safety
/// As for [`Typed::argument`].
#[inline(always)]
pub(crate) unsafe fn value<const N: usize>(context: *const core::ffi::c_void) -> u64 {
    // SAFETY: arguments are u64s in a row, and the caller says it is there.
    unsafe { context.cast::<u64>().add(N).read_volatile() }
}

/// Whether this kernel hands programs the current task with its type (5.11).
#[inline(always)]
pub(crate) fn can_load() -> bool {
    fact!(has_current_task_btf) != ABSENT
}

/// Whether this kernel lets programs say what type lies at an address.
#[inline(always)]
pub(crate) fn can_cast() -> bool {
    can_load() && fact!(rdonly_cast) != ABSENT
}
