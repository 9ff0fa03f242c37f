//! Names of folders and executables that are the same in two runs of the same
//! thing: without where it ran, and without what is random by nature.
//!
//! Rules look at one component of a path at a time. They would rather take a
//! name for random that is not than leave one that is: two names that are
//! taken for one are counted together, and their counts still tell.

use super::component;

/// Where a command runs: what a name begins with that another machine, or
/// another user, has elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Path, and what stands for it, the longest path first.
    roots: Vec<(String, &'static str)>,
}

/// What stands for the folder of temporary files.
const TEMPORARY: &str = "$TMPDIR";
/// Folders whose entries have random names whatever `TMPDIR` says.
const TEMPORARY_FOLDERS: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

impl Places {
    /// Of a command that is started in `directory`, of a user with this home
    /// and this folder of temporary files. Absolute paths without symbolic
    /// links, as the kernel tells them; one that is not there, or is the root,
    /// is passed over.
    #[must_use]
    pub fn new(directory: Option<&[u8]>, home: Option<&[u8]>, temporary: Option<&[u8]>) -> Self {
        let roots = [(directory, "."), (temporary, TEMPORARY), (home, "~")];
        let path = |path: Option<&[u8]>| {
            let path = String::from_utf8_lossy(path?);
            let path = path.trim_end_matches('/');
            path.starts_with('/').then(|| path.to_owned())
        };
        let mut roots: Vec<_> =
            roots.into_iter().filter_map(|(of, name)| Some((path(of)?, name))).collect();
        // Stable: of equal ones the first stays the first.
        roots.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self { roots }
    }

    /// The name of a folder or an executable for a report. What is not UTF-8 is
    /// replaced.
    #[must_use]
    pub fn name(&self, path: &[u8]) -> String {
        let path = String::from_utf8_lossy(path);
        let (root, rest) = self.split(&path);
        let mut components: Vec<String> = Vec::new();
        for part in rest.split('/').filter(|part| !part.is_empty()) {
            let of = component::Context {
                above: &components,
                is_temporary: components.is_empty() && root == TEMPORARY
                    || root == "/" && is_temporary_folder(&components)
                    || components.last().is_some_and(|above| above == "tmp" || above == ".tmp"),
                is_in_proc: root == "/" && components.first().is_some_and(|top| top == "proc"),
            };
            components.push(of.name(part));
        }
        let rest = components.join("/");
        match (root, rest.is_empty()) {
            ("/", _) => format!("/{rest}"),
            ("", _) => rest,
            (root, true) => root.to_owned(),
            (root, false) => format!("{root}/{rest}"),
        }
    }

    /// The name of the folder that a file lies in.
    #[must_use]
    pub fn folder(&self, file: &[u8]) -> String {
        let end = file.iter().rposition(|byte| *byte == b'/');
        match end.and_then(|end| file.get(..end.max(1))) {
            Some(folder) => self.name(folder),
            None => String::new(),
        }
    }

    /// What stands for the beginning of a path, and the rest.
    fn split<'p>(&self, path: &'p str) -> (&'static str, &'p str) {
        for (root, name) in &self.roots {
            if let Some(rest) = path.strip_prefix(root.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return (name, rest);
            }
        }
        // A name that was made here stays as it is.
        for name in [".", TEMPORARY, "~"] {
            if let Some(rest) = path.strip_prefix(name)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return (name, rest);
            }
        }
        (if path.starts_with('/') { "/" } else { "" }, path)
    }
}

fn is_temporary_folder(components: &[String]) -> bool {
    TEMPORARY_FOLDERS.iter().any(|folder| folder.trim_start_matches('/').split('/').eq(components))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: &str = include_str!("../../../../docs/regression.md");

    fn places() -> Places {
        Places::new(Some(b"/home/ann/project"), Some(b"/home/ann/"), Some(b"/tmp"))
    }

    fn name(path: &str) -> String {
        places().name(path.as_bytes())
    }

    /// The table of the page is what the code does.
    #[test]
    fn as_the_page_has_it() {
        let (_, text) = PAGE.split_once("\n## Names\n").unwrap();
        let (text, _) = text.split_once("\n## ").unwrap_or((text, ""));
        let rows: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `"))
            .collect();
        assert!(rows.len() > 20, "{rows:?}");
        for (path, wanted) in rows {
            assert_eq!(name(path), wanted, "{path}");
        }
    }

    #[test]
    fn a_place_is_a_whole_folder() {
        assert_eq!(name("/home/ann/projects/a"), "~/projects/a");
        assert_eq!(name("/home/anna"), "/home/anna");
        assert_eq!(name("/tmpfiles/a"), "/tmpfiles/a");
        let nowhere = Places::new(Some(b"/"), Some(b""), Some(b"relative"));
        assert_eq!(nowhere.name(b"/src/main"), "/src/main");
        assert_eq!(nowhere.name(b"/"), "/");
        let same = Places::new(Some(b"/root"), Some(b"/root"), None);
        assert_eq!(same.name(b"/root/x"), "./x");
    }

    #[test]
    fn a_file_lies_in_a_folder() {
        assert_eq!(places().folder(b"/home/ann/project/Cargo.toml"), ".");
        assert_eq!(places().folder(b"/home/ann/project/src/main.rs"), "./src");
        assert_eq!(places().folder(b"/vmlinuz"), "/");
        assert_eq!(places().folder(b"cut off"), "");
        assert_eq!(places().folder(b"\xff/x"), "\u{fffd}");
    }

    #[test]
    fn ordinary_names_stay() {
        for path in [
            "/usr/lib/python3.12/site-packages/numpy/_core",
            "/usr/lib/x86_64-linux-gnu",
            "./target/x86_64-unknown-linux-gnu/release/build",
            "./node_modules/.bin",
            "./node_modules/@babel/plugin-transform-runtime/lib",
            "./tests/fixtures/v1.2.3",
            "./src/app2/Chapter12",
            "/opt/cuda-12.4/bin/nvcc",
            "~/.cache/uv/archive-v0",
            "~/.cargo/registry/src",
            "./deadbeef/feedface",
            "/sys/fs/cgroup/user.slice",
            "/usr/bin/gcc-13",
            "/dev/pts",
            "./.venv/bin/python3",
        ] {
            assert_eq!(name(path), path);
        }
    }

    fn both(a: &str, b: &str, make: impl Fn(&str) -> String) {
        assert_eq!(name(&make(a)), name(&make(b)), "{a} and {b}");
    }

    proptest! {
        #[test]
        fn a_name_of_a_name_is_the_name(path in "(/|/tmp/|/proc/|/home/ann/)?([a-fA-T0-9_.-]{1,14}/){0,4}[a-z0-9]{0,9}") {
            let once = name(&path);
            prop_assert_eq!(name(&once), once);
        }

        #[test]
        fn any_bytes_have_a_name(path: Vec<u8>) {
            let once = places().name(&path);
            prop_assert_eq!(places().name(once.as_bytes()), once);
        }

        #[test]
        fn pythons_temporary_names_are_one(a in "[a-z0-9_]{8}", b in "[a-z0-9_]{8}") {
            both(&a, &b, |of| format!("/tmp/tmp{of}/data"));
            both(&a, &b, |of| format!("./build/tmp{of}"));
            both(&a, &b, |of| format!("/tmp/pip-install-{of}"));
        }

        #[test]
        fn mkdtemps_are_one(a in "[A-Za-z0-9]{6}", b in "[A-Za-z0-9]{6}") {
            both(&a, &b, |of| format!("/tmp/.tmp{of}"));
            both(&a, &b, |of| format!("./.tmp{of}/x"));
            both(&a, &b, |of| format!("/tmp/jest-{of}/x"));
            both(&a, &b, |of| format!("/var/tmp/a.{of}"));
        }

        #[test]
        fn those_of_compilers_and_package_managers_are_one(a in "[A-Za-z0-9]{6}", b in "[A-Za-z0-9]{6}", c in "[0-9a-f]{7}[0-9]", d in "[0-9][0-9a-f]{7}") {
            both(&a, &b, |of| format!("./target/debug/deps/rmeta{of}"));
            both(&a, &b, |of| format!("/tmp/rustc{of}/lib.rmeta"));
            both(&a, &b, |of| format!("/tmp/rustdoctest{of}/rmeta{of}"));
            both(&a, &b, |of| format!("./node_modules/.esbuild-x{of}y/bin"));
            both(&a, &b, |of| format!("./node_modules/@types/.node-x{of}y"));
            both(&c, &d, |of| format!("~/.npm/_cacache/tmp/{of}"));
        }

        #[test]
        fn mktemps_are_one(a in "[A-Za-z0-9]{10}", b in "[A-Za-z0-9]{10}") {
            both(&a, &b, |of| format!("/tmp/tmp.{of}/x"));
            both(&a, &b, |of| format!("~/tmp.{of}/x"));
        }

        #[test]
        fn ids_are_one(a in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", b in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}") {
            both(&a, &b, |of| format!("./runs/{of}/logs"));
            both(&a, &b, |of| format!("./runs/a_{of}.d"));
        }

        #[test]
        fn numbers_of_processes_and_test_runs_are_one(a in 1..4_000_000_u32, b in 1..4_000_000_u32) {
            both(&a.to_string(), &b.to_string(), |of| format!("/tmp/pytest-of-ann/pytest-{of}/test_a0"));
            both(&a.to_string(), &b.to_string(), |of| format!("/proc/{of}/task/{of}/fd"));
            both(&a.to_string(), &b.to_string(), |of| format!("/tmp/worker-{of}/x"));
            both(&a.to_string(), &b.to_string(), |of| format!("/tmp/go-build1{of:0>6}/b001"));
        }
    }
}
