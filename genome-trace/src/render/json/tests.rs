use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{
        Argv, Ending, EventKind, Exec, Exit, FileCreate, Payload, Persona, Process, Signal,
        SignalNumber,
    },
    render::sample,
};

fn line(event: &Event<'_>) -> String {
    let mut out = Vec::new();
    write_event(&mut out, event, "box");
    String::from_utf8(out).unwrap()
}

fn lines(events: &[Event<'_>]) -> String {
    events.iter().map(line).collect()
}

fn parsed(event: &Event<'_>) -> Value {
    serde_json::from_str(&line(event)).unwrap()
}

fn fields(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn everything_known() {
    insta::assert_snapshot!(lines(&sample::known()));
}

#[test]
fn everything_unknown() {
    insta::assert_snapshot!(lines(&sample::unknown()));
}

#[test]
fn names_that_are_not_text() {
    let process = Process { comm: Some(b"caf\xe9\n\x1b[31m\""), ..sample::PROCESS };
    let events = [
        Payload::Exec(Exec {
            exe: Some(b"/opt/\xff\xfe/run"),
            argv: Some(Argv { block: b"run\0\0\xf0\x9f\0\xe6\x97\xa5\0cut o" }),
            exe_truncated: false,
            argv_truncated: true,
            environment: None,
            environment_truncated: false,
        }),
        Payload::FileCreate(FileCreate {
            path: Some(b"/data/a\tb\\c\xc2"),
            path_truncated: false,
            device: (259, 1_048_575),
            inode: u64::MAX,
        }),
    ]
    .map(|payload| Event { process: Some(process), ..sample::event(payload) });
    insta::assert_snapshot!(lines(&events));
}

#[test]
fn endings() {
    let exit = |ending| parsed(&sample::event(Payload::Exit(Exit { ending, ..sample::EXIT })));
    let exited = exit(Ending::Exited { code: 3 });
    assert_eq!(exited["exit"]["code"], 3);
    assert_eq!(exited["exit"]["signal"], Value::Null);
    assert_eq!(exited["exit"]["core_dumped"], false);
    let crashed = exit(Ending::Signaled { signal: SignalNumber(11), core_dumped: true });
    assert_eq!(crashed["exit"]["code"], Value::Null);
    assert_eq!(crashed["exit"]["signal"], "SIGSEGV");
    assert_eq!(crashed["exit"]["core_dumped"], true);
}

#[test]
fn a_fault_names_its_code() {
    let fault = parsed(&sample::event(Payload::Signal(Signal {
        signal: SignalNumber(11),
        code: 1,
        sender_tgid: None,
        sender_comm: None,
        rss_bytes: None,
        threads: None,
        open_files: None,
        stack: Some(sample::STACK),
    })));
    assert_eq!(fault["signal"]["code"], 1);
    assert_eq!(fault["signal"]["code_name"], "SEGV_MAPERR");
    let places =
        ["0707070707070707070707070707070707070707+0x707070707070707", "0x707070707070707"];
    assert_eq!(fault["signal"]["stack"], json!(places));
}

#[test]
fn lines_are_appended() {
    let mut out = b"before\n".to_vec();
    write_event(&mut out, &sample::known()[1], "box");
    assert!(out.starts_with(b"before\n{\"v\":1,"));
}

proptest! {
    #[test]
    fn any_event_is_one_line_with_every_field(values in sample::values()) {
        let event = values.event();
        let text = line(&event);
        prop_assert_eq!(text.matches('\n').count(), 1);
        let value: Value = serde_json::from_str(&text).unwrap();
        let example = sample::known().map(|event| parsed(&event)).into_iter().zip(EventKind::ALL)
            .find(|(_, kind)| *kind == event.kind()).unwrap().0;
        prop_assert_eq!(fields(&value), fields(&example));
        let kind = event.kind().name();
        prop_assert_eq!(fields(&value[kind]), fields(&example[kind]));
        prop_assert_eq!(&value["kind"], kind);
    }
}

#[test]
fn a_personas_name_and_id_are_escaped() {
    let persona =
        Persona { name: "Code\u{1b}[31m\n\"Expert\"".to_owned(), genome_id: Some("a3".to_owned()) };
    let event = Event { persona: Some(&persona), ..sample::event(Payload::Fork) };
    let mut out = Vec::new();
    write_event(&mut out, &event, "box");
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(r#""persona":"Code\u001b[31m\n\"Expert\"","genome_id":"a3""#), "{text}");
}

#[test]
fn what_a_reader_missed_has_a_kind_of_its_own() {
    let mut out = Vec::new();
    write_missed(&mut out, 1234, WallTime { unix_ns: 0 }, "box");
    let line = String::from_utf8(out).unwrap();
    assert_eq!(
        line,
        concat!(
            r#"{"v":1,"time":"1970-01-01T00:00:00.000000000Z","host":"box","kind":"missed","#,
            r#""missed":{"events":1234}}"#,
            "\n"
        )
    );
    assert!("missed".parse::<EventKind>().is_err());
}
