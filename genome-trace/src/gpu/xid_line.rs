//! What the NVIDIA driver writes to the kernel's log when something goes wrong
//! on a GPU:
//!
//! ```text
//! NVRM: Xid (PCI:0000:65:00): 31, pid=12345, name=python3, Ch 00000008, ...
//! ```
//!
//! The form is that of krcReportXid_IMPL (kernel_rc.c) in the driver's open
//! kernel modules; older drivers leave out parts of it.

use super::pci_address::PciAddress;

/// One such line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XidLine<'a> {
    /// Which GPU.
    pub pci: PciAddress,
    /// The MIG GPU instance that it is about, where it is about one.
    pub gpu_instance: Option<u32>,
    /// The MIG compute instance.
    pub compute_instance: Option<u32>,
    /// The number of the error.
    pub xid: u32,
    /// Whose work failed: a process id of the host. The driver knows it of
    /// errors that one program's work met, and of a timeout (119) it is who
    /// waited.
    pub tgid: Option<u32>,
    /// The name (comm) that the process had when it opened the GPU.
    ///
    /// A name is not quoted, so one with a comma and a space in it ends there
    /// unless what follows is known to be the start of a message.
    pub name: Option<&'a [u8]>,
    /// All that comes after the number, process and name included.
    pub message: &'a [u8],
}

impl<'a> XidLine<'a> {
    /// Reads a line as it is in the log, without time and level. `None` where
    /// it is another line.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"NVRM: Xid (")?;
        let (place, rest) = split_once(rest, b"): ")?;
        let (xid, message) = match split_once(rest, b",") {
            Some((xid, message)) => (number(xid)?, message.trim_ascii_start()),
            None => (number(rest.trim_ascii_end())?, &[][..]),
        };
        let mut place = place.split(|byte| *byte == b' ');
        let pci = place.next()?;
        let pci = PciAddress::parse(pci.strip_prefix(b"PCI:").unwrap_or(pci))?;
        let (mut gpu_instance, mut compute_instance) = (None, None);
        for part in place {
            if let Some(id) = part.strip_prefix(b"GPU-I:") {
                gpu_instance = number(id);
            } else if let Some(id) = part.strip_prefix(b"GPU-CI:") {
                compute_instance = number(id);
            }
        }
        let (tgid, name) = process(message);
        Some(Self { pci, gpu_instance, compute_instance, xid, tgid, name, message })
    }
}

/// `pid=123, name=comm, ...`, where both may be missing or unknown.
fn process(message: &[u8]) -> (Option<u32>, Option<&[u8]>) {
    let Some(rest) = message.strip_prefix(b"pid=") else { return (None, None) };
    let (tgid, rest) = split_once(rest, b", ").unwrap_or((rest, b""));
    // 0 is no process, but a processor that idles.
    let tgid = number(tgid).filter(|tgid| *tgid != 0);
    let name = rest.strip_prefix(b"name=").map(name);
    (tgid, name.filter(|name| !name.is_empty() && *name != b"<unknown>"))
}

/// How messages begin that come after a name.
const MESSAGE_STARTS: [&[u8]; 11] = [
    b"Ch ",
    b"Channel ",
    b"Contained: ",
    b"Uncontained: ",
    b"GPU ",
    b"Graphics ",
    b"NVLink: ",
    b"Row Remapper: ",
    b"Timeout ",
    b"Class Error: ",
    b"Reset Channel ",
];

/// The name that a text begins with, before a comma, a space and a message.
fn name(text: &[u8]) -> &[u8] {
    /// TASK_COMM_LEN without the zero at its end.
    const LENGTH_MAX: usize = 15;
    let known = (0..=LENGTH_MAX).find_map(|at| {
        let (name, rest) = text.split_at_checked(at)?;
        let message = rest.strip_prefix(b", ")?;
        MESSAGE_STARTS.iter().any(|start| message.starts_with(start)).then_some(name)
    });
    let first = || split_once(text, b", ").map(|(name, _)| name);
    known.or_else(first).unwrap_or(text)
}

fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|window| window == separator)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.strip_prefix(separator)?))
}

/// A decimal number and nothing else.
fn number(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// (domain, bus, device), XID, process and name.
    type Expected<'a> = ((u32, u8, u8), u32, Option<u32>, Option<&'a str>);

    fn read(line: &str) -> Expected<'_> {
        let line = XidLine::parse(line.as_bytes()).unwrap();
        let pci = (line.pci.domain, line.pci.bus, line.pci.device);
        (pci, line.xid, line.tgid, line.name.map(|name| std::str::from_utf8(name).unwrap()))
    }

    /// Lines from reports of users, of drivers of many years.
    #[test]
    fn lines_of_real_machines() {
        let lines: [(&str, Expected<'_>); 15] = [
            (
                "NVRM: Xid (PCI:0000:08:00): 31, pid=169800, name=chrome, Ch 00000023, intr \
                 00000000. MMU Fault: ENGINE CE0 HUBCLIENT_HSCE0 faulted @ 0x0_0abe0000. Fault is \
                 of type FAULT_PTE ACCESS_TYPE_VIRT_READ",
                ((0, 8, 0), 31, Some(169_800), Some("chrome")),
            ),
            (
                "NVRM: Xid (PCI:0000:00:06): 31, pid=2708, Ch 0000003d, intr 10000000. MMU Fault: \
                 ENGINE NVDEC HUBCLIENT_NVDEV faulted @ 0x0_00000000. Fault is of type FAULT_PDE \
                 ACCESS_TYPE_READ",
                ((0, 0, 6), 31, Some(2708), None),
            ),
            (
                "NVRM: Xid (PCI:0000:01:00): 31, Ch 0000005a, intr 10000000. MMU Fault: ENGINE \
                 GRAPHICS GPCCLIENT_T1_1 faulted @ 0x0_00000000. Fault is of type FAULT_PDE \
                 ACCESS_TYPE_READ",
                ((0, 1, 0), 31, None, None),
            ),
            (
                "NVRM: Xid (PCI:0000:cb:00): 13, pid='<unknown>', name=<unknown>, Graphics SM Warp \
                 Exception on (GPC 7, TPC 7, SM 0): Illegal Instruction Parameter",
                ((0, 0xcb, 0), 13, None, None),
            ),
            (
                "NVRM: Xid (PCI:0000:01:00): 13, Graphics Exception: ChID 0052, Class 00000000, \
                 Offset 00001b0c, Data 1000f010",
                ((0, 1, 0), 13, None, None),
            ),
            (
                "NVRM: Xid (PCI:0000:cb:00): 109, pid=1797828, name=pt_main_thread, Ch 00000008, \
                 errorString CTX SWITCH TIMEOUT, Info 0x58005",
                ((0, 0xcb, 0), 109, Some(1_797_828), Some("pt_main_thread")),
            ),
            (
                "NVRM: Xid (PCI:0000:dc:00): 45, pid=1818990, name=python3, Ch 00000001 caused by \
                 previous Xid 149",
                ((0, 0xdc, 0), 45, Some(1_818_990), Some("python3")),
            ),
            (
                "NVRM: Xid (PCI:0000:00:05): 43, pid=1045242, name=pt_main_thread, Ch 00000008",
                ((0, 0, 5), 43, Some(1_045_242), Some("pt_main_thread")),
            ),
            (
                "NVRM: Xid (PCI:0002:00:00): 119, pid=1582259, name=nvc:[driver], Timeout after 6s \
                 of waiting for RPC response from GPU1 GSP! Expected function 76 (GSP_RM_CONTROL) \
                 (0x20802a02 0x8).",
                ((2, 0, 0), 119, Some(1_582_259), Some("nvc:[driver]")),
            ),
            (
                "NVRM: Xid (PCI:0000:01:00): 79, pid=1122, GPU has fallen off the bus.",
                ((0, 1, 0), 79, Some(1122), None),
            ),
            (
                "NVRM: Xid (PCI:0000:05:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen \
                 off the bus.",
                ((0, 5, 0), 79, None, None),
            ),
            (
                "NVRM: Xid (PCI:0000:23:00): 79, GPU has fallen off the bus.",
                ((0, 0x23, 0), 79, None, None),
            ),
            (
                "NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for \
                 remapping, reset gpu to activate.",
                ((0, 0x10, 0x1c), 63, Some(1896), None),
            ),
            ("NVRM: Xid (0000:03:00): 14, Channel 00000001", ((0, 3, 0), 14, None, None)),
            (
                "NVRM: Xid (PCI:0000:b9:00): 74, pid=<unknown>, name=<unknown>, NVLink: fatal \
                 error detected on link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)",
                ((0, 0xb9, 0), 74, None, None),
            ),
        ];
        for (line, expected) in lines {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn the_message_is_all_that_comes_after_the_number() {
        let line = XidLine::parse(b"NVRM: Xid (PCI:0000:65:00): 43, pid=1, name=a, Ch 08").unwrap();
        assert_eq!(line.message, b"pid=1, name=a, Ch 08");
        let line = XidLine::parse(b"NVRM: Xid (PCI:0000:65:00): 79").unwrap();
        assert_eq!((line.xid, line.message), (79, &b""[..]));
    }

    #[test]
    fn mig_instances_are_told() {
        let contained = XidLine::parse(
            b"NVRM: Xid (PCI:0000:01:00 GPU-I:05): 94, pid=7194, Contained: CE User Channel (0x9). \
              RST: No, D-RST: No",
        )
        .unwrap();
        assert_eq!((contained.gpu_instance, contained.compute_instance), (Some(5), None));
        assert_eq!((contained.xid, contained.tgid, contained.name), (94, Some(7194), None));
        let both = XidLine::parse(
            b"NVRM: Xid (PCI:0000:3b:00 GPU-I:01 GPU-CI:02): 13, pid=9, name=a, Graphics Exception",
        )
        .unwrap();
        assert_eq!((both.gpu_instance, both.compute_instance), (Some(1), Some(2)));
        assert_eq!((both.pci.bus, both.name), (0x3b, Some(&b"a"[..])));
    }

    #[test]
    fn names_may_have_spaces_and_commas() {
        let name_in = |rest: &str| {
            let line = format!("NVRM: Xid (PCI:0000:01:00): 13, pid=7, name={rest}");
            let name = XidLine::parse(line.as_bytes()).unwrap().name.map(<[u8]>::to_vec);
            String::from_utf8(name.unwrap_or_default()).unwrap()
        };
        assert_eq!(name_in("Isolated Web Co, Ch 00000008"), "Isolated Web Co");
        assert_eq!(name_in("a,b, Graphics Exception: x"), "a,b");
        assert_eq!(name_in("a, b, Ch 00000008, intr 0"), "a, b");
        assert_eq!(name_in("a, b, something new, Ch 1"), "a");
        assert_eq!(name_in("python3, something new"), "python3");
        // The name ends before the first message that is known.
        assert_eq!(name_in("x, Ch 1, Ch 2"), "x");
        assert_eq!(name_in("python3, "), "python3");
        assert_eq!(name_in("python3"), "python3");
        assert_eq!(name_in(", Ch 1"), "");
    }

    #[test]
    fn nobody_is_no_process() {
        let line = XidLine::parse(b"NVRM: Xid (PCI:0000:01:00): 62, pid=0, name=swapper/3, 0 0");
        assert_eq!(line.unwrap().tgid, None);
    }

    #[test]
    fn other_lines_are_not_read() {
        for line in [
            "",
            "NVRM: Xid",
            "NVRM: GPU at PCI:0000:08:00: GPU-926ecdb0-adb1-6ee9-2fad-52e7214c5011",
            "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.",
            "NVRM: Xid (PCI:0000:01:00): x, GPU has fallen off the bus.",
            "NVRM: Xid (PCI:0000:01:00): , GPU has fallen off the bus.",
            "NVRM: Xid (PCI:0000:01:00): 99999999999, GPU has fallen off the bus.",
            "NVRM: Xid (GPU-926ecdb0): 79, GPU has fallen off the bus.",
            "nvidia-nvswitch0: SXid (PCI:0000:85:00.0): 20034, Fatal, Link 30 LTSSM Fault Up",
            "a program that says NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.",
        ] {
            assert_eq!(XidLine::parse(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_line_or_none(text in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = XidLine::parse(&text);
            let mut line = b"NVRM: Xid (PCI:0000:65:00): 31, ".to_vec();
            line.extend(&text);
            let read = XidLine::parse(&line);
            prop_assert_eq!(read.map(|read| read.xid), Some(31));
        }

        #[test]
        fn any_change_to_a_line_is_survived(
            at in 0usize..90,
            piece in "[:,. ()=0-9a-fN]{0,4}",
        ) {
            let mut line = b"NVRM: Xid (PCI:0000:65:00 GPU-I:01 GPU-CI:02): 31, pid=1, \
                name=python3, Ch 08"
                .to_vec();
            let at = at.min(line.len());
            line.splice(at..(at + piece.len()).min(line.len()), piece.bytes());
            let _ = XidLine::parse(&line);
        }

        #[test]
        fn what_the_driver_writes_is_read(
            domain: u16, bus: u8, device in 0u8..32, xid in 1u32..1000, tgid in 1u32..,
            name in "[a-zA-Z0-9 :/._-]{1,15}",
        ) {
            let line = format!(
                "NVRM: Xid (PCI:{domain:04x}:{bus:02x}:{device:02x}): {xid}, pid={tgid}, \
                 name={name}, Ch 00000008"
            );
            let line = XidLine::parse(line.as_bytes()).unwrap();
            prop_assert_eq!(line.pci, PciAddress { domain: domain.into(), bus, device });
            prop_assert_eq!((line.xid, line.tgid), (xid, Some(tgid)));
            prop_assert_eq!(line.name, Some(name.as_bytes()));
        }
    }
}
