//! The table of XIDs: what NVIDIA documents, in our words.
//!
//! Sources: the Xid catalog for Ampere and newer GPUs, and for older GPUs the
//! archived tables (<https://docs.nvidia.com/deploy/xid-errors/>). What both
//! call unused or reserved is left out.

use super::{XidCause, XidMeaning};

const fn says(cause: XidCause, summary: &'static str, remedy: &'static str) -> XidMeaning {
    XidMeaning { summary, cause, remedy }
}

// What several numbers share.

const RESTART: &str = "restart the program; if it comes back, update the driver and then suspect \
                       the GPU";
const UPDATE: &str = "update the driver; if it comes back, report it to NVIDIA";
const RESET: &str = "reset the GPU; if it comes back, have the GPU looked at";
const SANITIZE: &str = "run the program under compute-sanitizer; if several programs do it, \
                        suspect the GPU";
const LINK: &str = "look at nvidia-smi nvlink and at the other end of the link; reset the GPU; if \
                    it comes back, have the link looked at";
const NOTHING: &str = "nothing to do";

const COMMANDS: XidMeaning = says(
    XidCause::Driver,
    "The GPU was given commands that are invalid or were corrupted on the way",
    "restart the program; if it comes back, check the program, the memory and the PCI Express slot",
);
const VIDEO_COMMANDS: XidMeaning = says(
    XidCause::Driver,
    "The video engine was given commands that are invalid or were corrupted on the way",
    RESTART,
);
const VIDEO: XidMeaning = says(XidCause::Driver, "A video engine failed", RESTART);
const ENCODER: XidMeaning = says(XidCause::Driver, "A video encoder failed", RESTART);
const DECODER: XidMeaning = says(XidCause::Driver, "A video decoder failed", RESTART);
const JPEG: XidMeaning = says(XidCause::Driver, "A JPEG engine failed", RESTART);
const OPTICAL_FLOW: XidMeaning = says(XidCause::Driver, "An optical flow engine failed", RESTART);
const COPY: XidMeaning =
    says(XidCause::Driver, "A copy engine failed: a copy to, from or in GPU memory", RESTART);
const DISPLAY: XidMeaning =
    says(XidCause::Driver, "The engine that drives the screens failed", UPDATE);
const FORBIDDEN: XidMeaning =
    says(XidCause::Driver, "The driver touched a part of the GPU that it may not touch", UPDATE);
const FLASH: XidMeaning = says(
    XidCause::Hardware,
    "The GPU's flash chip could not be read or written",
    "update the driver; if it comes back, have the GPU looked at",
);
const LINK_UNIT: XidMeaning = says(
    XidCause::Nvlink,
    "A unit of NVLink reported an error; the message says which and how bad it is",
    LINK,
);
const SEMAPHORE: XidMeaning =
    says(XidCause::Driver, "The GPU waited too long for a semaphore", RESTART);
const TEST: XidMeaning =
    says(XidCause::Notice, "A test message, asked for over the GPU's management bus", NOTHING);

/// By number, ascending.
pub(super) const MEANINGS: &[(u32, XidMeaning)] = &[
    (1, COMMANDS),
    (2, COMMANDS),
    (3, COMMANDS),
    (4, COMMANDS),
    (6, COMMANDS),
    (7, COMMANDS),
    (
        8,
        says(
            XidCause::Driver,
            "The GPU stopped processing: work did not end in time",
            "restart the program; look for kernels that never end; if it comes back, suspect the \
             driver and the PCI Express slot",
        ),
    ),
    (9, says(XidCause::Driver, "The driver programmed the GPU wrongly", UPDATE)),
    (11, COMMANDS),
    (12, says(XidCause::Driver, "The driver could not handle an exception of the GPU", UPDATE)),
    (
        13,
        says(
            XidCause::Application,
            "A kernel did what it may not: an access out of bounds, or an illegal instruction",
            SANITIZE,
        ),
    ),
    (14, says(XidCause::Notice, "A made-up error, injected by a program for a test", NOTHING)),
    (16, says(XidCause::Driver, "The engine that drives the screens hangs", UPDATE)),
    (
        18,
        says(
            XidCause::Driver,
            "The GPU may not reach the host's memory: bus mastering is off in its PCI settings",
            "load the driver again; if it comes back, look at the firmware's PCI settings",
        ),
    ),
    (19, DISPLAY),
    (20, VIDEO_COMMANDS),
    (21, VIDEO_COMMANDS),
    (22, VIDEO_COMMANDS),
    (24, SEMAPHORE),
    (25, COMMANDS),
    (26, says(XidCause::Driver, "The GPU's memory did not answer in time", UPDATE)),
    (27, VIDEO),
    (28, VIDEO),
    (29, VIDEO),
    (30, says(XidCause::Driver, "A semaphore could not be reached by the GPU", UPDATE)),
    (
        31,
        says(
            XidCause::Application,
            "GPU memory page fault: a kernel read or wrote an address that is not mapped",
            SANITIZE,
        ),
    ),
    (
        32,
        says(
            XidCause::Bus,
            "Commands reached the GPU corrupted, mostly for a bad PCI Express connection",
            "restart the program; if it comes back, look at the slot, the riser and the PCI errors \
             in the kernel's log",
        ),
    ),
    (33, says(XidCause::Driver, "A controller inside the GPU reported an error", UPDATE)),
    (34, VIDEO),
    (35, VIDEO),
    (36, VIDEO),
    (
        37,
        says(
            XidCause::Driver,
            "The GPU's scheduling firmware was asked for what it does not know",
            UPDATE,
        ),
    ),
    (38, says(XidCause::Driver, "The GPU's scheduling firmware did not answer in time", UPDATE)),
    (39, COPY),
    (40, COPY),
    (41, COPY),
    (42, VIDEO),
    (
        43,
        says(
            XidCause::Application,
            "The GPU stopped a program that failed; the GPU itself is healthy",
            "look for the error in the program's output and the XID before this one; run the \
             program under compute-sanitizer",
        ),
    ),
    (44, says(XidCause::Driver, "The GPU failed while it changed between programs", UPDATE)),
    (
        45,
        says(
            XidCause::Notice,
            "A program's work on the GPU was cleaned up, since it was killed or an error came \
             before",
            "look for an XID before this one; there is none where the program was killed or the \
             GPU was reset",
        ),
    ),
    (46, says(XidCause::Driver, "The GPU stopped processing and did not come back", RESET)),
    (47, ENCODER),
    (
        48,
        says(
            XidCause::Memory,
            "GPU memory lost data: an ECC error that could not be corrected",
            "reset the GPU; if nvidia-smi -q -d ECC shows more of them, have the GPU replaced",
        ),
    ),
    (
        54,
        says(
            XidCause::Power,
            "The GPU's power cable is not connected",
            "shut the machine down and plug in the GPU's power cables",
        ),
    ),
    (56, DISPLAY),
    (57, says(XidCause::Memory, "The connection to the GPU's memory could not be set up", RESET)),
    (58, says(XidCause::Memory, "The connection to the GPU's memory is unstable", RESET)),
    (59, says(XidCause::Driver, "A controller inside the GPU reported an error", UPDATE)),
    (60, VIDEO),
    (61, says(XidCause::Driver, "A controller inside the GPU gave a warning", RESET)),
    (62, says(XidCause::Driver, "A controller inside the GPU halted", RESET)),
    (
        63,
        says(
            XidCause::Memory,
            "A bad piece of GPU memory was noted, and is replaced by a spare one",
            "reset the GPU when it is idle, so that the spare one is used",
        ),
    ),
    (
        64,
        says(
            XidCause::Memory,
            "A bad piece of GPU memory could not be replaced by a spare one",
            "reset the GPU; if it comes back, have the GPU replaced",
        ),
    ),
    (65, ENCODER),
    (66, FORBIDDEN),
    (67, FORBIDDEN),
    (68, DECODER),
    (
        69,
        says(
            XidCause::Application,
            "The GPU was given a command that is not allowed there, or with a wrong value",
            "check the program and restart it; if it comes back, update the driver",
        ),
    ),
    (70, COPY),
    (71, COPY),
    (72, COPY),
    (73, ENCODER),
    (74, says(XidCause::Nvlink, "NVLink to another GPU or a switch failed", LINK)),
    (75, COPY),
    (76, COPY),
    (77, COPY),
    (
        78,
        says(
            XidCause::Driver,
            "A virtual GPU could not be started",
            "make the driver of the host and that of the guest fit each other",
        ),
    ),
    (
        79,
        says(
            XidCause::Bus,
            "The GPU has fallen off the bus: it does not answer on PCI Express any more",
            "restart the machine; if it comes back, look at slot, power and cooling, and at the \
             PCI errors in the kernel's log",
        ),
    ),
    (
        80,
        says(
            XidCause::Bus,
            "Data was corrupted on its way to the GPU",
            "restart the program; if it comes back, look at the slot and the host's memory",
        ),
    ),
    (81, says(XidCause::Hardware, "The VGA part of the GPU failed", RESET)),
    (82, JPEG),
    (83, DECODER),
    (84, DECODER),
    (85, COPY),
    (86, OPTICAL_FLOW),
    (88, DECODER),
    (89, DECODER),
    (
        92,
        says(
            XidCause::Memory,
            "GPU memory has many errors; all of them were corrected",
            "watch nvidia-smi -q -d ECC; if the errors go on, have the GPU looked at",
        ),
    ),
    (
        93,
        says(
            XidCause::Notice,
            "The GPU's InfoROM was not written, since its limit of writes is reached",
            "clear the limit if nobody set it on purpose; else there is nothing to do",
        ),
    ),
    (
        94,
        says(
            XidCause::Memory,
            "GPU memory lost data of one program; the others are not affected",
            "restart the program, and reset the GPU when it is idle",
        ),
    ),
    (
        95,
        says(
            XidCause::Memory,
            "GPU memory lost data, perhaps of more than one program",
            "stop all programs on the GPU and reset the GPU; if it comes back, have it looked at",
        ),
    ),
    (96, DECODER),
    (97, DECODER),
    (98, DECODER),
    (99, JPEG),
    (100, JPEG),
    (101, JPEG),
    (102, JPEG),
    (103, JPEG),
    (104, JPEG),
    (105, JPEG),
    (106, TEST),
    (107, TEST),
    (
        109,
        says(
            XidCause::Driver,
            "The GPU could not change between programs in time",
            "reset the GPU and restart the program; if it comes back, update the driver, and then \
             have the GPU looked at",
        ),
    ),
    (
        110,
        says(
            XidCause::Hardware,
            "The GPU found a breach of its security",
            "undo the last change of hardware and switch the machine off and on; if it comes back, \
             have the GPU looked at",
        ),
    ),
    (111, DISPLAY),
    (112, DISPLAY),
    (
        113,
        says(
            XidCause::Hardware,
            "A DisplayPort screen could not be connected",
            "look at the screen and its cable; then update the driver",
        ),
    ),
    (114, DISPLAY),
    (115, DISPLAY),
    (116, DISPLAY),
    (117, DISPLAY),
    (118, DISPLAY),
    (
        119,
        says(
            XidCause::Driver,
            "The GPU's system processor (GSP) did not answer the driver in time",
            "reset the GPU, or switch the machine off and on; if it comes back, update the driver",
        ),
    ),
    (
        120,
        says(
            XidCause::Driver,
            "The firmware of the GPU's system processor (GSP) failed",
            "reset the GPU, or switch the machine off and on; if it comes back, update the driver",
        ),
    ),
    (
        121,
        says(
            XidCause::Bus,
            "The link between GPU and CPU (NVLink-C2C) had errors; they were corrected",
            "reset the GPU when it is idle, so that the link is set up again",
        ),
    ),
    (122, FLASH),
    (123, FLASH),
    (124, FLASH),
    (125, FLASH),
    (126, COPY),
    (127, COPY),
    (128, COPY),
    (129, COPY),
    (130, COPY),
    (131, COPY),
    (132, COPY),
    (133, COPY),
    (134, COPY),
    (135, COPY),
    (136, says(XidCause::Nvlink, "An NVLink could not be set up", LINK)),
    (
        137,
        says(
            XidCause::Application,
            "A kernel touched memory of another GPU over NVLink that it may not touch",
            SANITIZE,
        ),
    ),
    (139, OPTICAL_FLOW),
    (
        140,
        says(
            XidCause::Memory,
            "GPU memory lost data, and the driver could not take the bad piece out of use",
            RESET,
        ),
    ),
    (141, says(XidCause::Driver, "CUDA's fast path to the GPU failed", UPDATE)),
    (142, ENCODER),
    (143, says(XidCause::Hardware, "The GPU could not be started", RESET)),
    (144, LINK_UNIT),
    (145, LINK_UNIT),
    (146, LINK_UNIT),
    (147, LINK_UNIT),
    (148, LINK_UNIT),
    (149, LINK_UNIT),
    (150, LINK_UNIT),
    (
        151,
        says(
            XidCause::Driver,
            "The keys of confidential computing could not be changed",
            "restart the virtual machine",
        ),
    ),
    (152, says(XidCause::Driver, "The memory unit of a deep learning accelerator failed", UPDATE)),
    (153, says(XidCause::Driver, "A deep learning accelerator did not answer in time", UPDATE)),
    (
        154,
        says(
            XidCause::Notice,
            "What it takes to bring the GPU back has changed; the message says to what",
            "do what the message says, and look for the XID before this one",
        ),
    ),
    (
        155,
        says(
            XidCause::Nvlink,
            "An NVLink was taken down by software, perhaps on purpose",
            "reset the GPU, unless somebody took the link down",
        ),
    ),
    (
        156,
        says(
            XidCause::Hardware,
            "A bad part of the GPU is taken out of use",
            "reset the GPU, so that it works without that part",
        ),
    ),
    (
        157,
        says(
            XidCause::Hardware,
            "A bad part of the GPU could not be taken out of use, since no spare one is left",
            "go on with care; if errors come back, have the GPU replaced",
        ),
    ),
    (158, says(XidCause::Hardware, "The GPU did not answer in time, and cannot go on", RESET)),
    (
        159,
        says(
            XidCause::Bus,
            "The link between GPU and CPU (NVLink-C2C) reported an error that is not about data",
            "look for another XID at the same time; if there is none, report it to NVIDIA",
        ),
    ),
    (160, says(XidCause::Hardware, "A channel of the GPU is taken out of use", UPDATE)),
    (161, says(XidCause::Hardware, "A channel of the GPU could not be taken out of use", UPDATE)),
    (162, says(XidCause::Notice, "The GPU smooths its power again", NOTHING)),
    (
        163,
        says(
            XidCause::Power,
            "The GPU does not smooth its power any more, since it is too hot or for a timeout",
            "cool the GPU; after a timeout, load the driver again or reset the GPU",
        ),
    ),
    (
        164,
        says(
            XidCause::Power,
            "What smooths the GPU's power is nearly worn out",
            "plan to replace the GPU if the machine needs its power smoothed",
        ),
    ),
    (
        165,
        says(
            XidCause::Power,
            "What smooths the GPU's power is worn out, and off",
            "replace the GPU if the machine needs its power smoothed",
        ),
    ),
    (
        166,
        says(
            XidCause::Nvlink,
            "NVLink saw traffic before its encryption was set up (confidential computing)",
            LINK,
        ),
    ),
    (
        167,
        says(
            XidCause::Bus,
            "PCI Express did not answer the GPU in time, and the GPU cannot go on",
            "restart the machine; if it comes back, look at the slot and the PCI errors in the \
             kernel's log",
        ),
    ),
    (
        168,
        says(
            XidCause::Memory,
            "GPU memory has errors in the part that the driver keeps for itself",
            "switch ECC on and restart the machine, so that bad memory can be replaced",
        ),
    ),
    (169, says(XidCause::Driver, "The GPU's security controller halted", RESET)),
    (
        170,
        says(
            XidCause::Nvlink,
            "NVLink reported an error of its secure mode (confidential computing)",
            LINK,
        ),
    ),
    (
        171,
        says(
            XidCause::Memory,
            "The error that XID 48 tells of is in the memory beside the chip (DRAM)",
            "do what is right for XID 48",
        ),
    ),
    (
        172,
        says(
            XidCause::Memory,
            "The error that XID 48 tells of is in the memory on the chip (SRAM)",
            "do what is right for XID 48",
        ),
    ),
];
