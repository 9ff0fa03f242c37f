//! The alert rules as Prometheus' own checker reads them.

use std::{path::Path, process::Command};

#[test]
fn promtool_finds_nothing_in_the_rules() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packaging/prometheus/genome-trace.rules.yml");
    let checked = match Command::new("promtool").arg("check").arg("rules").arg(&rules).output() {
        Ok(checked) => checked,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no promtool (Debian: apt-get install prometheus)");
            return;
        }
        Err(error) => panic!("promtool: {error}"),
    };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
