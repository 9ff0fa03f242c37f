use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::{
    model::{
        Argv, Ending, Exec, Exit, FileWrite, GpuName, GpuXid, MemoryConstraint, OomKill, Payload,
        Persona, Process, Signal, SignalNumber, XidTie,
    },
    render::sample,
};

fn line(event: &Event<'_>, color: bool, width: Option<usize>) -> String {
    let time_zone = TimeZone::fixed(Offset::constant(1));
    let mut out = Vec::new();
    write_event(&mut out, event, &LineStyle { color, width, time_zone });
    String::from_utf8(out).unwrap()
}

fn plain(events: &[Event<'_>]) -> String {
    events.iter().map(|event| line(event, false, None)).collect()
}

/// Every shape that a line's facts take.
fn shapes() -> Vec<Event<'static>> {
    let exit = |ending| Payload::Exit(Exit { ending, vram: None, ..sample::EXIT });
    let signaled =
        |signal, core_dumped| exit(Ending::Signaled { signal: SignalNumber(signal), core_dumped });
    let signal = |signal, code, sender_tgid| {
        Payload::Signal(Signal {
            rss_bytes: None,
            threads: None,
            open_files: None,
            stack: None,
            signal: SignalNumber(signal),
            code,
            sender_tgid,
            sender_comm: None,
        })
    };
    let Payload::OomKill(kill) = sample::known()[4].payload else { unreachable!() };
    [
        exit(Ending::Exited { code: 0 }),
        exit(Ending::Exited { code: 3 }),
        signaled(9, false),
        signaled(11, true),
        signaled(15, false),
        Payload::Exit(Exit { write_calls: Some(1), written_bytes: None, ..sample::EXIT }),
        signal(11, 1, None),
        signal(9, 0, Some(47)),
        signal(34, 99, None),
        Payload::OomKill(OomKill { constraint: Some(MemoryConstraint::Global), ..kill }),
        Payload::OomKill(OomKill { memory_usage_bytes: Some(1 << 30), ..kill }),
        Payload::Exec(Exec {
            exe: Some(b"/bin/sh"),
            argv: Some(Argv { block: b"sh\0-c\0echo $HOME; exit 1\0" }),
            exe_truncated: false,
            argv_truncated: true,
            environment: None,
            environment_truncated: false,
        }),
        Payload::Exec(Exec {
            exe: Some(b"/bin/sh"),
            exe_truncated: false,
            argv: None,
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        }),
        Payload::Exec(Exec {
            exe: Some(b"/bin/sh"),
            argv: Some(Argv { block: b"" }),
            exe_truncated: false,
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        }),
        Payload::GpuXid(sample::xid(
            Some(79),
            GpuName { pci_bus_id: Some("0000:65:00.0"), ..GpuName::default() },
        )),
        Payload::GpuXid(GpuXid {
            tie: Some(XidTie::SoleHolder),
            ..sample::xid(Some(43), sample::GPU)
        }),
        Payload::GpuXid(GpuXid { tie: None, ..sample::xid(Some(45), sample::GPU) }),
        Payload::FileWrite(FileWrite {
            path: Some(b"/in/the/tree"),
            path_truncated: true,
            device: (0, 25),
            inode: 2,
            write_calls: 1,
            written_bytes: 17,
        }),
    ]
    .map(sample::event)
    .to_vec()
}

#[test]
fn everything_known() {
    insta::assert_snapshot!(plain(&sample::known()));
}

#[test]
fn everything_unknown() {
    insta::assert_snapshot!(plain(&sample::unknown()));
}

#[test]
fn every_shape() {
    insta::assert_snapshot!(plain(&shapes()));
}

#[test]
fn colors() {
    let events = sample::known().into_iter().chain(shapes());
    let lines: String = events.map(|event| line(&event, true, None)).collect();
    insta::assert_snapshot!(lines.replace('\x1b', "␛"));
}

#[test]
fn hostile_names() {
    let names: [&[u8]; 6] = [
        b"\x1b[2J\x07bell",
        b"two\nlines",
        b"caf\xe9",
        "日本語".as_bytes(),
        "\u{202e}cod.exe".as_bytes(),
        b"",
    ];
    let lines: String = names
        .into_iter()
        .map(|name| {
            let payload = Payload::FileWrite(FileWrite {
                path: Some(name),
                path_truncated: false,
                device: (0, 25),
                inode: 2,
                write_calls: 1,
                written_bytes: 17,
            });
            let process = Some(Process { comm: Some(name), ..sample::PROCESS });
            line(&Event { process, ..sample::event(payload) }, false, None)
        })
        .collect();
    insta::assert_snapshot!(lines);
}

#[test]
fn a_command_line_is_cut_to_the_terminal() {
    let command = |block| {
        sample::event(Payload::Exec(Exec {
            exe: None,
            argv: Some(Argv { block }),
            exe_truncated: false,
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        }))
    };
    let long = command(b"python3\0train.py\0--epochs=100\0--data=/srv/data\0");
    let wide = command("echo\0日本語日本語日本語\0".as_bytes());
    let mut lines = String::new();
    for width in [Some(100), Some(99), Some(80), Some(20), Some(0), None] {
        lines.push_str(&format!("{width:?}\n"));
        lines.push_str(&line(&long, false, width));
        lines.push_str(&line(&wide, true, width));
    }
    insta::assert_snapshot!(lines);
}

proptest! {
    #[test]
    fn a_line_has_no_control_character_but_its_end(values in sample::values()) {
        let text = line(&values.event(), false, None);
        prop_assert!(text.ends_with('\n'));
        prop_assert_eq!(text.chars().filter(|c| c.is_control()).count(), 1, "{:?}", text);
    }

    #[test]
    fn color_adds_nothing_but_its_codes(values in sample::values()) {
        let colored = line(&values.event(), true, None);
        let mut pieces = colored.split('\x1b');
        let mut text = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (code, rest) = piece.split_once('m').unwrap();
            prop_assert!(code.starts_with('['));
            prop_assert!(code[1..].bytes().all(|byte| byte.is_ascii_digit()));
            text.push_str(rest);
        }
        prop_assert_eq!(text, line(&values.event(), false, None));
    }

    #[test]
    fn a_cut_command_fits(values in sample::values(), width in 80_usize..200) {
        let event = values.event();
        let text = line(&event, false, Some(width));
        let named_within = event.process.and_then(|process| process.comm)
            .is_none_or(|comm| columns(&Escaped(comm).to_string()) <= COMM_COLUMNS);
        let numbered_within = event.process.is_none_or(|process| process.key.tgid < 10_000_000);
        if matches!(event.payload, Payload::Exec(_)) && named_within && numbered_within {
            prop_assert!(columns(text.trim_end_matches('\n')) <= width, "{:?}", text);
        }
    }
}

#[test]
fn a_personas_name_stands_in_place_of_the_comm_and_is_escaped() {
    let persona = Persona { name: "Code\u{1b}[31m\nX".to_owned(), genome_id: None };
    let event = Event { persona: Some(&persona), ..sample::event(Payload::Fork) };
    let mut out = Vec::new();
    let style = LineStyle { color: false, width: None, time_zone: TimeZone::UTC };
    write_event(&mut out, &event, &style);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "11:31:35.123  Code\\x1b[31m\\nX    47392  fork         child of PID 47100\n");
}

#[test]
fn what_a_reader_missed_is_in_the_background() {
    let missed = |color, events| {
        let time_zone = TimeZone::UTC;
        let mut out = Vec::new();
        let style = LineStyle { color, width: None, time_zone };
        write_missed(&mut out, events, WallTime { unix_ns: 0 }, &style);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        missed(false, 1234),
        "00:00:00.000  -                      -  missed       1234 events until here: this reader \
         was too slow\n"
    );
    assert!(missed(false, 1).contains("1 event until"));
    assert!(missed(true, 1).contains("\u{1b}[2mmissed"));
}
