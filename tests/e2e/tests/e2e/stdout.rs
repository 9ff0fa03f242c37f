//! A stdout that takes nothing: a reader that went away is no error, a full
//! device is one.

use std::{fs::OpenOptions, io::pipe};

use genome_trace_tests_e2e::{Ended, Invocation};

const NO_GPU: [&str; 2] = ["--stats", "--nvml-library=/nonexistent/nvml.so"];
const NO_GPU_JSON: [&str; 3] = ["--stats", "--nvml-library=/nonexistent/nvml.so", "--format=json"];

fn run_into_a_closed_pipe(args: &[&str]) -> Ended {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    Invocation::unprivileged(args).unwrap().stdout(writer).run().unwrap()
}

fn run_into_a_full_device(args: &[&str]) -> Ended {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    Invocation::unprivileged(args).unwrap().stdout(full).run().unwrap()
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    for args in
        [&["man"][..], &["completions", "bash"], &["--help"], &["--version"], &NO_GPU, &NO_GPU_JSON]
    {
        let ended = run_into_a_closed_pipe(args);
        assert_eq!(ended.code(), Some(0), "{args:?}: {ended:?}");
        assert_eq!(ended.stderr, "", "{args:?}");
    }
}

#[test]
fn a_doctor_whom_nobody_hears_is_quiet() {
    for args in [&["doctor"][..], &["doctor", "--format=json"]] {
        let ended = run_into_a_closed_pipe(args);
        assert_eq!(ended.stderr, "", "{args:?}: {ended:?}");
        // The diagnosis stands, heard or not.
        assert_eq!(ended.code(), Some(1), "{args:?}: {ended:?}");
    }
}

#[test]
fn a_full_device_is_an_error_in_one_sentence() {
    for args in [
        &["man"][..],
        &["completions", "fish"],
        &["doctor"],
        &["doctor", "--format=json"],
        &NO_GPU,
        &NO_GPU_JSON,
    ] {
        let ended = run_into_a_full_device(args);
        assert_eq!(ended.code(), Some(1), "{args:?}: {ended:?}");
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert!(line.starts_with("genome-trace: cannot write to stdout"), "{line}");
    }
}
