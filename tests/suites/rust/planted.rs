
/// What goes wrong if `PLANT` says so; without it, one file comes and goes.
#[test]
fn planted() {
    use std::process::Command;
    let plant = std::env::var("PLANT").unwrap_or_default();
    let dir = Dir::tmp();
    let bytes = if plant == "bytes" {
        std::env::var("PLANT_BYTES").unwrap().parse().unwrap()
    } else {
        1
    };
    std::fs::write(dir.path().join("planted"), vec![b'.'; bytes]).unwrap();
    match plant.as_str() {
        "subprocess" => assert!(Command::new("/bin/true").status().unwrap().success()),
        "files" => (0..100).for_each(|index| {
            std::fs::File::create(dir.path().join(format!("f-{}", index))).unwrap();
        }),
        "leak" => std::mem::forget(vec![1u8; 256 << 20]),
        "crash" => {
            let _ = Command::new("/bin/sh").args(&["-c", "kill -SEGV $$"]).status();
        }
        _ => {}
    }
}
