//! `--stats` and `doctor` where there are GPUs: the processes are real, the
//! driver is the fake NVML.

use genome_trace::kernel::namespace::pids_are_the_machines;
use genome_trace_tests_e2e::{Ended, FakeGpus, Invocation, Waiting};
use serde_json::{Value, json};

const GIB: u64 = 1 << 30;

/// Two GPUs; the tables of the first one's processes and of the second's are
/// put in.
fn two_gpus(on_the_first: &str, on_the_second: &str) -> String {
    format!(
        r#"
driver_version = "580.82.07"
cuda_version = "13.0"

[[gpu]]
name = "NVIDIA H100 80GB HBM3"
uuid = "GPU-00000000-0000-0000-0000-000000000000"
pci_bus_id = "00000000:65:00.0"
memory = {{ total = "80 GiB", reserved = "640 MiB" }}
utilization = {{ gpu = 97, memory = 41 }}
throttle_reasons = 0x4
{on_the_first}

[[gpu]]
name = "NVIDIA L4"
uuid = "GPU-00000000-0000-0000-0000-000000000001"
pci_bus_id = "00000000:75:00.0"
memory = {{ total = "24 GiB" }}
throttle_reasons = 0x1
{on_the_second}
"#
    )
}

fn process(pid: u64, vram: &str) -> String {
    format!("\n[[gpu.process]]\npid = {pid}\nvram = \"{vram}\"\n")
}

fn stats(gpus: &FakeGpus, format: &str, code: i32) -> Ended {
    let library = format!("--nvml-library={}", gpus.library().display());
    // GPUs alone: whether a recorder runs here does not matter.
    let args = [
        "--stats",
        &library,
        "--socket=/nonexistent/recorder.sock",
        "--store=/nonexistent/genome-trace",
        &format!("--format={format}"),
    ];
    let ended = gpus.run(Invocation::new(args).unwrap()).unwrap();
    assert_eq!(ended.code(), Some(code), "{ended:?}");
    assert_eq!(ended.stderr, "");
    assert!(!ended.stdout.contains('\u{1b}'), "colour in a file");
    ended
}

fn table(gpus: &FakeGpus, code: i32) -> String {
    stats(gpus, "table", code).stdout
}

fn report(gpus: &FakeGpus, code: i32) -> Value {
    let said = stats(gpus, "json", code).stdout;
    assert_eq!(said.lines().count(), 1, "one object, one line");
    serde_json::from_str(&said).unwrap()
}

fn metrics(gpus: &FakeGpus, code: i32) -> String {
    stats(gpus, "prometheus", code).stdout
}

fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word}: {text}");
    }
}

/// Two workers, one of them on both GPUs, are told by name; in a container
/// with PIDs of its own they are not mistaken for others.
#[test]
fn two_personas_on_two_gpus() {
    let [first, second] = ["e2e-gpu-coder", "e2e-gpu-math"].map(|name| {
        Waiting::start(&[("GENOME_PERSONA", name), ("GENOME_ID", "e2e-gen-1")]).unwrap()
    });
    let (coder, math) = (first.pid(), second.pid());
    let gpus = FakeGpus::new(&two_gpus(
        &(process(coder, "52 GiB") + &process(math, "8 GiB")),
        &process(coder, "20 GiB"),
    ))
    .unwrap();
    let is_known = pids_are_the_machines();

    let report = report(&gpus, 0);
    assert_eq!(report["access"], "ready");
    assert_eq!(report["driver_version"], "580.82.07");
    assert_eq!(report["cuda_version"], "13.0");
    assert_eq!(report["foreign_pids"], !is_known);
    let gpu = &report["gpus"][0];
    assert_eq!(gpu["name"], "NVIDIA H100 80GB HBM3");
    assert_eq!(gpu["health"], "ok");
    assert_eq!(gpu["vram"]["used_bytes"], 60 * GIB);
    assert_eq!(gpu["gpu_percent"], 97);
    assert_eq!(gpu["throttle_reasons"], json!(["power limit"]));
    assert_eq!(gpu["processes"].as_array().unwrap().len(), 2, "{gpu}");
    let other = &report["gpus"][1];
    // A GPU that has nothing to do is not slowed by that.
    assert_eq!(other["throttle_reasons"], json!([]));
    assert_eq!(other["gpu_percent"], Value::Null);
    let held = &other["processes"][0];
    assert_eq!((&held["tgid"], &held["vram_bytes"]), (&json!(coder), &json!(20 * GIB)));

    let table = table(&gpus, 0);
    holds(&table, &["NVIDIA H100 80GB HBM3", "NVIDIA L4", "60 GiB of 80 GiB", "by power limit"]);
    holds(&table, &[&coder.to_string(), &math.to_string()]);
    let metrics = metrics(&gpus, 0);
    holds(&metrics, &["genome_trace_gpu_driver_ready 1\n"]);
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");

    if is_known {
        let whose: Vec<_> = report["personas"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| (&of["persona"], &of["vram_bytes"], &of["gpu_indexes"]))
            .collect();
        let expected = [
            (json!("e2e-gpu-coder"), json!(72 * GIB), json!([0, 1])),
            (json!("e2e-gpu-math"), json!(8 * GIB), json!([0])),
        ];
        assert_eq!(whose, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
        assert_eq!(held["persona"], "e2e-gpu-coder");
        assert_eq!(held["genome_id"], "e2e-gen-1");
        assert_eq!(held["argv"][0], "/bin/sh");
        holds(&table, &["e2e-gpu-coder", "e2e-gpu-math", "e2e-gen-1", "/bin/sh -c"]);
        let of_math = "{persona=\"e2e-gpu-math\",genome_id=\"e2e-gen-1\"}";
        let sample = format!("genome_trace_gpu_persona_vram_bytes{of_math} {}\n", 8 * GIB);
        holds(&metrics, &[&sample]);
    } else {
        assert_eq!((&held["persona"], &held["comm"]), (&Value::Null, &Value::Null));
        holds(&table, &["This is a container"]);
    }
}

/// A PID that nobody has any more, and one that was never anybody's.
#[test]
fn a_process_that_is_gone_is_nobodys() {
    let gone = Waiting::start(&[("GENOME_PERSONA", "e2e-gone")]).unwrap();
    let pid = gone.pid();
    drop(gone);
    let gpus = FakeGpus::new(&two_gpus(&(process(pid, "1 GiB") + &process(1 << 30, "2 GiB")), ""))
        .unwrap();
    for process in report(&gpus, 0)["gpus"][0]["processes"].as_array().unwrap() {
        for field in ["persona", "genome_id", "comm", "argv", "uid"] {
            assert_eq!(process[field], Value::Null, "{field}: {process}");
        }
    }
}

#[test]
fn what_cannot_be_is_null_and_has_no_sample() {
    let gpus = FakeGpus::new(
        r#"
[[gpu]]
memory = { total = "80 GiB", used = "18446744073709551615", reserved = "81 GiB" }
utilization = { gpu = 101, memory = 4294967295, encoder = 200, decoder = 3 }
temperature_celsius = 4294967295
fan_percent = 4294967295
power_milliwatts = 4294967295
clocks = { sm_mhz = 4294967295, memory_mhz = 1215 }

[[gpu.process]]
pid = 1073741823
vram = "not available"

[[gpu.process]]
pid = 1073741824
vram = "200 GiB"
"#,
    )
    .unwrap();
    let report = report(&gpus, 0);
    let gpu = &report["gpus"][0];
    let unknown = [
        "name",
        "uuid",
        "pci_bus_id",
        "gpu_percent",
        "memory_percent",
        "encoder_percent",
        "temperature_celsius",
        "fan_percent",
        "power_milliwatts",
        "power_limit_milliwatts",
        "sm_clock_mhz",
        "performance_state",
        "throttle_reasons",
        "ecc_enabled",
        "pcie_generation",
        "mig_enabled",
    ];
    for field in unknown {
        assert_eq!(gpu.get(field), Some(&Value::Null), "{field}: {gpu}");
    }
    assert_eq!(gpu["vram"]["total_bytes"], 80 * GIB);
    assert_eq!(gpu["vram"]["used_bytes"], Value::Null);
    assert_eq!(gpu["vram"]["reserved_bytes"], Value::Null);
    // What stands beside it is told.
    assert_eq!((&gpu["decoder_percent"], &gpu["memory_clock_mhz"]), (&json!(3), &json!(1215)));
    let processes = gpu["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 2, "{gpu}");
    assert!(processes.iter().all(|process| process["vram_bytes"].is_null()), "{gpu}");

    let table = table(&gpus, 0);
    holds(&table, &["unknown of 80 GiB", "decoder 3 %", "heat    unknown"]);
    let metrics = metrics(&gpus, 0);
    holds(&metrics, &["genome_trace_gpu_vram_total_bytes{"]);
    for name in ["vram_used_bytes", "temperature_celsius", "power_watts", "utilization_ratio"] {
        assert!(!metrics.contains(&format!("\ngenome_trace_gpu_{name}{{")), "{name}: {metrics}");
    }
}

#[test]
fn a_divided_gpu_is_told_by_its_instances() {
    let gpus = FakeGpus::new(
        r#"
[[gpu]]
name = "NVIDIA A100-SXM4-40GB"
memory = { total = "40 GiB" }
mig_enabled = true

[[gpu.mig]]
uuid = "MIG-00000000-0000-0000-0000-000000000001"
name = "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
gpu_instance_id = 7
compute_instance_id = 0
memory = { total = "4864 MiB" }

[[gpu.process]]
pid = 1073741824
vram = "2 GiB"
gpu_instance_id = 7
compute_instance_id = 0
"#,
    )
    .unwrap();
    let report = report(&gpus, 0);
    let gpu = &report["gpus"][0];
    assert_eq!(gpu["mig_enabled"], true);
    let instances = gpu["mig_instances"].as_array().unwrap();
    assert_eq!(instances.len(), 1, "{gpu}");
    assert_eq!(instances[0]["uuid"], "MIG-00000000-0000-0000-0000-000000000001");
    assert_eq!(
        (&instances[0]["gpu_instance_id"], &instances[0]["compute_instance_id"]),
        (&json!(7), &json!(0))
    );
    assert_eq!(instances[0]["vram"]["used_bytes"], 2 * GIB);
    let processes = gpu["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1, "{gpu}");
    assert_eq!(processes[0]["gpu_instance_id"], 7);
    holds(&table(&gpus, 0), &["MIG 0", "GI 7", "CI 0", "2 GiB of 4.8 GiB"]);
    holds(&metrics(&gpus, 0), &["genome_trace_gpu_mig_vram_used_bytes{gpu=\"0\",mig=\"0\","]);
}

#[test]
fn a_lost_gpu_is_told_and_the_others_are_shown() {
    let script = two_gpus("", "").replacen("throttle_reasons = 0x4", "lost = true", 1);
    let gpus = FakeGpus::new(&script).unwrap();
    let report = report(&gpus, 0);
    let [lost, other] = report["gpus"].as_array().unwrap().as_slice() else {
        panic!("not two GPUs: {report}")
    };
    assert_eq!((&lost["health"], &lost["processes"]), (&json!("lost"), &Value::Null));
    assert_eq!(lost["vram"]["total_bytes"], Value::Null);
    assert_eq!((&other["health"], &other["vram"]["total_bytes"]), (&json!("ok"), &json!(24 * GIB)));
    holds(&table(&gpus, 0), &["LOST", "fallen off the bus", "dmesg", "NVIDIA L4"]);
    let metrics = metrics(&gpus, 0);
    let healthy: Vec<_> =
        metrics.lines().filter(|line| line.starts_with("genome_trace_gpu_healthy{")).collect();
    assert!(healthy.len() == 2 && healthy[0].ends_with(" 0") && healthy[1].ends_with(" 1"));
}

#[test]
fn a_driver_without_gpus_names_none() {
    let gpus = FakeGpus::new("").unwrap();
    assert_eq!(report(&gpus, 0)["gpus"], json!([]));
    holds(&table(&gpus, 0), &["The driver knows no GPU."]);
}

#[test]
fn a_driver_that_is_not_loaded_is_a_failure_with_the_remedy() {
    let gpus = FakeGpus::new("init = \"driver_not_loaded\"").unwrap();
    let report = report(&gpus, 1);
    assert_eq!((&report["access"], &report["gpus"]), (&json!("no_driver"), &Value::Null));
    holds(&table(&gpus, 1), &["no driver: ", "is not loaded", "modprobe nvidia"]);
    holds(&metrics(&gpus, 1), &["genome_trace_gpu_driver_ready 0\n"]);
}

#[test]
fn a_driver_that_refuses_is_a_failure_with_its_reason() {
    let gpus = FakeGpus::new("init = \"no_permission\"").unwrap();
    let report = report(&gpus, 1);
    assert_eq!(report["access"], "failed");
    assert!(report["access_reason"].as_str().is_some_and(|why| !why.is_empty()), "{report}");
    holds(&table(&gpus, 1), &["GPUs unknown: ", "cannot be used", "nvidia-smi"]);
}

#[test]
fn a_file_that_is_no_library_is_a_failure_in_the_linkers_words() {
    let args = ["--stats", "--nvml-library=/etc/passwd"];
    let ended = Invocation::unprivileged(args).unwrap().run().unwrap();
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    holds(&ended.stdout, &["GPUs unknown: /etc/passwd cannot be used: ", "--nvml-library"]);
}

/// A call that does not come back is waited for, but not for ever.
#[test]
fn a_driver_that_does_not_answer_is_given_up() {
    let stalls = "\n[stall]\ncalls = [\"nvmlDeviceGetMemoryInfo_v2\"]\nfor = \"10 min\"\n";
    let gpus = FakeGpus::new(&(two_gpus("", "") + stalls)).unwrap();
    let report = report(&gpus, 1);
    assert_eq!((&report["access"], &report["gpus"]), (&json!("stalled"), &Value::Null));
}

/// What `doctor` finds without privileges of what the name begins with `GPU`.
fn found(gpus: &FakeGpus, library: Option<&str>) -> Vec<Value> {
    let library = library.map_or_else(|| gpus.library().display().to_string(), str::to_owned);
    let args = ["doctor", "--format=json", &format!("--nvml-library={library}")];
    let ended = gpus.run(Invocation::unprivileged(args).unwrap()).unwrap();
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let checks = report.get("checks").and_then(Value::as_array).unwrap();
    checks
        .iter()
        .filter(|check| check["name"].as_str().is_some_and(|name| name.starts_with("GPU")))
        .filter(|check| check["name"] != "GPU processes")
        .cloned()
        .collect()
}

fn words<'a>(check: &'a Value, field: &str) -> &'a str {
    check[field].as_str().unwrap_or_default()
}

#[test]
fn doctor_counts_the_gpus() {
    let checks = found(&FakeGpus::new(&two_gpus("", "")).unwrap(), None);
    let [all] = checks.as_slice() else { panic!("not one check: {checks:?}") };
    assert_eq!((words(all, "name"), words(all, "state")), ("GPU", "ok"));
    holds(words(all, "found"), &["2 GPUs", "580.82.07"]);
}

#[test]
fn doctor_finds_a_lost_gpu() {
    let script = two_gpus("", "").replacen("throttle_reasons = 0x1", "lost = true", 1);
    let checks = found(&FakeGpus::new(&script).unwrap(), None);
    let [_, lost] = checks.as_slice() else { panic!("not two checks: {checks:?}") };
    assert_eq!((words(lost, "name"), words(lost, "state")), ("GPU 1", "gap"));
    holds(words(lost, "found"), &["fallen off the bus"]);
    holds(words(lost, "remedy"), &["restart the machine"]);
}

/// No reason that `--follow` should not work.
#[test]
fn doctor_finds_what_stands_in_the_way() {
    for (script, library, sentence, remedy) in [
        ("init = \"driver_not_loaded\"", None, "driver is not loaded", "modprobe nvidia"),
        ("init = \"unknown\"", None, "cannot be used", "nvidia-smi"),
        ("", Some("/etc/passwd"), "/etc/passwd cannot be used", "--nvml-library"),
    ] {
        let checks = found(&FakeGpus::new(script).unwrap(), library);
        let [check] = checks.as_slice() else { panic!("not one check: {checks:?}") };
        assert_eq!((words(check, "name"), words(check, "state")), ("GPU", "gap"));
        holds(words(check, "found"), &[sentence]);
        holds(words(check, "remedy"), &[remedy]);
    }
}

/// As it should be where the bus has no GPU either, and a gap where it has.
#[test]
fn doctor_finds_that_there_is_no_library() {
    let checks = found(&FakeGpus::new("").unwrap(), Some("/nonexistent/nvml.so"));
    let [check] = checks.as_slice() else { panic!("not one check: {checks:?}") };
    holds(words(check, "found"), &["no library /nonexistent/nvml.so"]);
    let is_alone = genome_trace::kernel::pci::nvidia_gpus() == 0;
    assert_eq!(words(check, "state"), if is_alone { "ok" } else { "gap" });
}
