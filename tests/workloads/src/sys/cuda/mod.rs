//! One GPU, by CUDA's driver API (libcuda.so.1), which comes with the NVIDIA
//! driver: nothing else of CUDA is needed. Names and numbers are those of
//! NVIDIA's *CUDA Driver API* and of cuda.h.

mod library;

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use anyhow::{bail, ensure};

use crate::truth::Unsupported;
use library::{DevicePointer, Library};

/// Where a stray write goes: no allocation begins in the first page.
const NOWHERE: DevicePointer = 0x10;

/// A program of one kernel, which writes to an address that it is given. PTX
/// is compiled by the driver for the card that is there; these are the oldest
/// version and target that today's drivers and cards have in common.
const STRAY_WRITE: &CStr = c"
.version 6.0
.target sm_50
.address_size 64

.visible .entry stray_write(.param .u64 address)
{
    .reg .b64 %to;
    .reg .b32 %what;
    ld.param.u64 %to, [address];
    mov.u32 %what, 1;
    st.global.u32 [%to], %what;
    ret;
}
";

/// The first GPU that CUDA shows this process (`CUDA_VISIBLE_DEVICES` says
/// which), with a context on it that lasts as long as the process.
pub(crate) struct Cuda {
    library: Library,
}

/// Memory on the GPU. It goes when it is given back, or with the process.
#[must_use = "it is held until it is given back"]
pub(crate) struct Block {
    address: DevicePointer,
    bytes: usize,
}

impl Block {
    /// How much it is.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Cuda {
    /// Loads the library and takes the first GPU.
    ///
    /// # Errors
    /// [`Unsupported`] where there is no library or no GPU that it can use.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let cuda = Self { library: Library::open().map_err(Unsupported)? };
        // SAFETY: the signature is cuda.h's; 0 is the only value of the flags.
        let answer = unsafe { (cuda.library.init)(0) };
        if answer != library::SUCCESS {
            let why = cuda.name_of(answer);
            return Err(Unsupported(format!("CUDA cannot be used here: cuInit says {why}")).into());
        }
        let mut device = 0;
        // SAFETY: the pointer is to a live local of the right type.
        let answer = unsafe { (cuda.library.device_get)(&raw mut device, 0) };
        cuda.check("cuDeviceGet", answer)?;
        let mut context = ptr::null_mut();
        // SAFETY: likewise; the device is one that the library has named.
        let answer = unsafe { (cuda.library.device_primary_ctx_retain)(&raw mut context, device) };
        cuda.check("cuDevicePrimaryCtxRetain", answer)?;
        // SAFETY: the context was retained, and is never released.
        let answer = unsafe { (cuda.library.ctx_set_current)(context) };
        cuda.check("cuCtxSetCurrent", answer)?;
        Ok(cuda)
    }

    /// Takes memory, and writes all of it.
    pub(crate) fn allocate(&self, bytes: usize) -> anyhow::Result<Block> {
        let mut address = 0;
        // SAFETY: the pointer is to a live local of the right type.
        let answer = unsafe { (self.library.mem_alloc)(&raw mut address, bytes) };
        self.check(&format!("cuMemAlloc of {bytes} bytes"), answer)?;
        // SAFETY: the library has given so many bytes at this address.
        let answer = unsafe { (self.library.memset_d8)(address, 0x5a, bytes) };
        self.check("cuMemsetD8", answer)?;
        self.wait()?;
        Ok(Block { address, bytes })
    }

    /// Gives memory back.
    pub(crate) fn free(&self, block: Block) -> anyhow::Result<()> {
        // SAFETY: the block is the library's, and whoever had it has it no more.
        let answer = unsafe { (self.library.mem_free)(block.address) };
        self.check("cuMemFree", answer)
    }

    /// Lets the GPU write where there is no memory, and gives the library's
    /// name for what came of it. Nothing works on this GPU in this process
    /// afterwards.
    pub(crate) fn stray_write(&self) -> anyhow::Result<String> {
        let mut module = ptr::null_mut();
        // SAFETY: the text ends in NUL, as an image that is PTX must.
        let answer = unsafe {
            (self.library.module_load_data)(&raw mut module, STRAY_WRITE.as_ptr().cast())
        };
        self.check("cuModuleLoadData", answer)?;
        let mut function = ptr::null_mut();
        // SAFETY: the module was loaded, and the name ends in NUL.
        let answer = unsafe {
            (self.library.module_get_function)(&raw mut function, module, c"stray_write".as_ptr())
        };
        self.check("cuModuleGetFunction", answer)?;
        let mut address = NOWHERE;
        let mut parameters: [*mut c_void; 1] = [(&raw mut address).cast()];
        // SAFETY: the function takes one parameter of 64 bits, which the library
        // copies before it returns; one thread runs on the default stream. What
        // it writes to is on the GPU, in this process' own address space there.
        let answer = unsafe {
            (self.library.launch_kernel)(
                function,
                1,
                1,
                1,
                1,
                1,
                1,
                0,
                ptr::null_mut(),
                parameters.as_mut_ptr(),
                ptr::null_mut(),
            )
        };
        self.check("cuLaunchKernel", answer)?;
        // SAFETY: it takes nothing.
        let answer = unsafe { (self.library.ctx_synchronize)() };
        ensure!(answer != library::SUCCESS, "a write to nowhere was no error to the GPU");
        Ok(self.name_of(answer))
    }

    fn wait(&self) -> anyhow::Result<()> {
        // SAFETY: it takes nothing.
        let answer = unsafe { (self.library.ctx_synchronize)() };
        self.check("cuCtxSynchronize", answer)
    }

    fn check(&self, what: &str, answer: c_int) -> anyhow::Result<()> {
        if answer != library::SUCCESS {
            bail!("{what} failed: {}", self.name_of(answer));
        }
        Ok(())
    }

    /// Such as `CUDA_ERROR_OUT_OF_MEMORY`.
    fn name_of(&self, answer: c_int) -> String {
        let mut name = ptr::null();
        // SAFETY: the pointer is to a live local of the right type.
        let known = unsafe { (self.library.get_error_name)(answer, &raw mut name) };
        if known != library::SUCCESS || name.is_null() {
            return format!("CUDA error {answer}");
        }
        // SAFETY: the library gives a constant text that ends in NUL.
        unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
    }
}
