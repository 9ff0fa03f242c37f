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

/// What we want to know of a message.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
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
}
