//! `remedy` and `--predict` from outside.

use std::fs;

use crate::run;

#[test]
fn an_approval_is_given_once_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().as_os_str();
    let remedy = |action: &str| {
        run(["remedy", action, "mass_create", "stop", "CodeExpert", "--store"]
            .map(AsRef::as_ref)
            .into_iter()
            .chain([store]))
    };
    for (action, said) in [
        ("approve", "is approved"),
        ("approve", "was approved before"),
        ("revoke", "is no longer approved"),
        ("revoke", "was not approved"),
    ] {
        let ended = remedy(action);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert!(ended.only_line().unwrap().contains(said), "{action}: {ended:?}");
    }
    let file = folder.path().join("remedy-approvals.json");
    assert_eq!(fs::read_to_string(&file).unwrap(), "[]");
    fs::write(&file, "nonsense").unwrap();
    let ended = remedy("approve");
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.only_line().unwrap().contains("approve anew"), "{ended:?}");
}

#[test]
fn what_cannot_be_approved_is_named() {
    for (arguments, words) in [
        (["remedy", "approve", "mass", "stop", "A"], "there are mass_create"),
        (["remedy", "approve", "mass_create", "pause", "A"], "there are kill, stop, throttle"),
        (["remedy", "approve", "mass_create", "stop", ""], "empty"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code(), Some(2), "{ended:?}");
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let folder = tempfile::tempdir().unwrap();
    let ended =
        run(["remedy".as_ref(), "list".as_ref(), "--store".as_ref(), folder.path().as_os_str()]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.only_line().unwrap().contains("record"), "{ended:?}");
}

#[test]
fn predictions_need_a_store_and_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(["--predict".as_ref(), "--store".as_ref(), folder.path().as_os_str()]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.only_line().unwrap().contains("record"), "{ended:?}");
    for wrong in ["--predict=0s", "--predict=soon"] {
        let ended = run([wrong]);
        assert_eq!(ended.code(), Some(2), "{ended:?}");
    }
    let ended = run(["--predict", "--crashes"]);
    assert_eq!(ended.code(), Some(2), "{ended:?}");
}
