//! Masking what looks like a secret in text that a program wrote: what is kept
//! of it may be read by more people than the program's own output.

use std::{borrow::Cow, sync::OnceLock};

use regex::{Captures, Regex};

/// What stands in a secret's place.
const MASK: &str = "[masked]";

/// Patterns whose group `secret` is masked; without one, all that matches is.
/// Each is a form that its issuer documents, or a name that says what it is.
const PATTERNS: [&str; 9] = [
    // Keys with a prefix: OpenAI and Anthropic, Hugging Face, GitHub, GitLab,
    // Slack, AWS, Google, NVIDIA.
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"\bhf_[A-Za-z0-9]{16,}",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,})",
    r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\b(?:AIza[A-Za-z0-9_-]{30,}|nvapi-[A-Za-z0-9_-]{16,})",
    // JSON web tokens.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    // A password in a URL; a credential in a header.
    r"(?i)(?:[a-z][a-z0-9+.-]*://[^\s:/@]+:(?P<secret>[^\s@/]+)@)",
    r"(?i)(?:\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{8,}))",
];

/// Of a command line: a name whose value is a secret, as a variable or an
/// option; the value is in the same argument, in the next one, or is not there.
const NAMED_ARGUMENT: &str = r"(?is)^(?P<name>(?P<dashes>-*)[a-z0-9_.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key))(?:=.*)?$";
/// An option with its value in the text of an argument, as in what a shell is
/// given to run.
const OPTION: &str = r"(?i)(?:(?:^|\s)--?[a-z0-9_-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)\s+(?P<secret>[^\s-]\S*))";

/// Names whose values are secrets, in the form of an assignment, a field of
/// JSON or an option.
const NAMED: &str = r#"(?i)\b[a-z0-9_-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s*[:=]\s*["']?(?P<secret>[^\s"',;)}]{3,}[^\s"',;:.)}])"#;

fn patterns() -> &'static [Regex] {
    static COMPILED: OnceLock<Vec<Regex>> = OnceLock::new();
    // A test compiles each of them.
    COMPILED.get_or_init(|| PATTERNS.into_iter().chain([NAMED]).flat_map(Regex::new).collect())
}

/// The text with what looks like a secret masked.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    for pattern in patterns() {
        if let Cow::Owned(changed) =
            pattern.replace_all(&masked, |found: &Captures<'_>| mask(found))
        {
            masked = Cow::Owned(changed);
        }
    }
    masked
}

/// The arguments of a program with what looks like a secret masked: also the
/// whole value of an option or a variable whose name says what it is.
pub fn masked_arguments(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let [Some(named), Some(option)] = argument_patterns() else {
        return arguments.map(|argument| masked(&argument).into_owned()).collect();
    };
    let mut value_follows = false;
    let mask_one = |argument: String| {
        if std::mem::take(&mut value_follows) && !argument.starts_with('-') {
            return MASK.to_owned();
        }
        let Some(found) = named.captures(&argument) else {
            let text = option.replace_all(&argument, |found: &Captures<'_>| mask(found));
            return masked(&text).into_owned();
        };
        let part = |group| found.name(group).map_or("", |part| part.as_str());
        if argument.contains('=') {
            return format!("{}={MASK}", part("name"));
        }
        // A word that only ends so is no option.
        value_follows = !part("dashes").is_empty();
        argument
    };
    arguments.map(mask_one).collect()
}

fn argument_patterns() -> &'static [Option<Regex>; 2] {
    static COMPILED: OnceLock<[Option<Regex>; 2]> = OnceLock::new();
    // A test compiles both.
    COMPILED.get_or_init(|| [NAMED_ARGUMENT, OPTION].map(|pattern| Regex::new(pattern).ok()))
}

fn mask(found: &Captures<'_>) -> String {
    let (Some(all), Some(secret)) = (found.get(0), found.name("secret")) else {
        return MASK.to_owned();
    };
    let before = all.as_str().get(..secret.start() - all.start()).unwrap_or_default();
    let after = all.as_str().get(secret.end() - all.start()..).unwrap_or_default();
    format!("{before}{MASK}{after}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in PATTERNS.into_iter().chain([NAMED]) {
            Regex::new(pattern).unwrap();
        }
        assert_eq!(patterns().len(), PATTERNS.len() + 1);
        assert!(argument_patterns().iter().all(Option::is_some));
    }

    #[test]
    fn secrets_are_masked_and_what_is_around_them_stays() {
        for (text, wanted) in [
            ("key sk-proj-abcdefghijklmnop1234 refused", "key [masked] refused"),
            ("HF hf_abcdefghijklmnopqrst", "HF [masked]"),
            ("ghp_0123456789abcdef0123", "[masked]"),
            ("AKIAIOSFODNN7EXAMPLE!", "[masked]!"),
            ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [masked]"),
            ("postgres://ai:s3cr3t@db/x", "postgres://ai:[masked]@db/x"),
            ("PASSWORD=hunter22 next", "PASSWORD=[masked] next"),
            (r#"{"api_key": "0123456789"}"#, r#"{"api_key": "[masked]"}"#),
            ("--hub-token=abcdef", "--hub-token=[masked]"),
            ("cd: /x/token=abcdefgh: No such file", "cd: /x/token=[masked]: No such file"),
        ] {
            assert_eq!(masked(text), wanted);
        }
    }

    #[test]
    fn everyday_words_stay() {
        for text in [
            "ValueError: token 7 is out of range",
            "  File \"/srv/tokenizer.py\", line 3, in tokens",
            "max_tokens: 42",
            "the secret of success",
            "http://localhost:8000/path",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn arguments_lose_their_secrets_and_nothing_else() {
        for (arguments, wanted) in [
            (&["w", "--token", "abc", "x"][..], &["w", "--token", "[masked]", "x"][..]),
            (&["w", "--api-key=a b\nc", "x"], &["w", "--api-key=[masked]", "x"]),
            (&["w", "-hub_token", "abc"], &["w", "-hub_token", "[masked]"]),
            (&["env", "API_KEY=a", "w"], &["env", "API_KEY=[masked]", "w"]),
            (&["w", "--no-token", "--verbose"], &["w", "--no-token", "--verbose"]),
            (&["w", "--token"], &["w", "--token"]),
            (&["vault", "secret", "list"], &["vault", "secret", "list"]),
            (&["w", "--max-tokens", "7"], &["w", "--max-tokens", "7"]),
            (&["w", "--token-file", "/run/token"], &["w", "--token-file", "/run/token"]),
            (&["sh", "-c", "w --token abc --x 1"], &["sh", "-c", "w --token [masked] --x 1"]),
            (&["sh", "-c", "cd; TOKEN=abcd w"], &["sh", "-c", "cd; TOKEN=[masked] w"]),
            // There may be spaces in it.
            (&["env", "TOKEN=ab cd"], &["env", "TOKEN=[masked]"]),
            (&["w", "sk-abcdefghijklmnop1234"], &["w", "[masked]"]),
            (&["curl", "-H", "x: Bearer abc.def-gh"], &["curl", "-H", "x: Bearer [masked]"]),
            (&["psql", "postgres://ai:s3cr3t@db/x"], &["psql", "postgres://ai:[masked]@db/x"]),
            (&[], &[]),
        ] {
            let arguments = arguments.iter().map(|argument| (*argument).to_owned());
            assert_eq!(masked_arguments(arguments), wanted);
        }
    }

    proptest! {
        #[test]
        fn no_value_of_a_secret_option_survives(
            value in "[A-Za-z0-9!§ ]{8,40}", before in prop::collection::vec("[ -~]{0,9}", 0..4)
        ) {
            let all = before.into_iter().chain(["--x".into(), "--db-password".into(), value.clone()]);
            let shown = masked_arguments(all.chain([format!("--api_key={value}")]));
            prop_assert!(shown.iter().rev().take(2).all(|argument| !argument.contains(&value)));
        }

        #[test]
        fn no_key_with_a_prefix_survives(key in "[A-Za-z0-9]{20,40}", before in "[ -~]{0,20}") {
            let text = format!("{before} sk-{key} end");
            prop_assert!(!masked(&text).contains(&key));
        }
    }
}
