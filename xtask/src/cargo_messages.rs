//! Which executables a cargo build left, by its `--message-format=json` lines.

use std::path::PathBuf;

use serde::Deserialize;

/// The argument that makes cargo print the lines, and errors as ever.
pub(crate) const FORMAT: &str = "--message-format=json-render-diagnostics";

/// The executables among cargo's messages.
pub(crate) fn executables(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| message.executable)
        .collect()
}

/// The shared libraries among cargo's messages.
pub(crate) fn shared_libraries(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .flat_map(|message| message.filenames)
        .filter(|file| file.extension().is_some_and(|end| end == "so"))
        // Macros that run in the compiler are such, too.
        .filter(|file| file.parent().is_none_or(|folder| !folder.ends_with("deps")))
        .collect()
}

/// What we want to know of a message.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_is_found_among_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","executable":null}"#,
            "\n",
            "a program's own words\n",
            r#"{"reason":"compiler-artifact","executable":"/target/object"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executables(messages), [PathBuf::from("/target/object")]);
    }

    #[test]
    fn shared_library_is_told_from_a_macro() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","filenames":["/t/deps/libserde_derive-1.so"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/libx.so","/t/libx.rlib"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(shared_libraries(messages), [PathBuf::from("/t/libx.so")]);
    }
}
