//! What an interpreter says when a program has failed: found in the end of what
//! the program wrote to its standard error.

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracebackKind {
    /// `Traceback (most recent call last):`, the traceback module's format.
    Python,
    /// The stack of an error that nobody caught, as Node.js prints it.
    Node,
    /// `thread 'main' panicked at`, Rust's own panic hook.
    Rust,
}

impl TracebackKind {
    /// The language's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::Rust => "Rust",
        }
    }
}

/// A traceback, as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceback<'t> {
    /// Whose it is.
    pub kind: TracebackKind,
    /// All of its lines.
    pub text: &'t str,
    /// The line that says what went wrong.
    pub error: &'t str,
    /// The innermost place: file and line, as they are written.
    pub place: Option<&'t str>,
}

/// The last traceback in a text, whichever language's it is.
#[must_use]
pub fn traceback(text: &str) -> Option<Traceback<'_>> {
    [python(text), node(text), rust(text)]
        .into_iter()
        .flatten()
        .max_by_key(|found| found.text.as_ptr() as usize)
}

const PYTHON_HEAD: &str = "Traceback (most recent call last):";

fn python(text: &str) -> Option<Traceback<'_>> {
    let start = line_starts(text).filter(|at| rest(text, *at).starts_with(PYTHON_HEAD)).last()?;
    let body = rest(text, start);
    let mut end = 0;
    let mut error = None;
    let mut place = None;
    for line in body.split_inclusive('\n') {
        let shown = line.trim_end();
        let is_head = end == 0;
        end += line.len();
        if is_head {
            continue;
        }
        if let Some(frame) = shown.trim_start().strip_prefix("File \"") {
            place = Some(frame.split(", in ").next().unwrap_or(frame)).or(place);
        } else if !shown.is_empty() && !shown.starts_with(' ') {
            // The first line that is not indented says what it was.
            error = Some(shown);
            break;
        }
    }
    Some(Traceback {
        kind: TracebackKind::Python,
        text: body.get(..end)?.trim_end(),
        error: error?,
        place,
    })
}

fn node(text: &str) -> Option<Traceback<'_>> {
    const FRAME: &str = "    at ";
    let starts: Vec<usize> = line_starts(text).collect();
    let is_frame = |at: &usize| rest(text, *at).starts_with(FRAME);
    // The line before the first frame of the last run of frames.
    let last = starts.iter().rposition(is_frame)?;
    let first = starts.get(..=last)?.iter().rposition(|at| !is_frame(at))?;
    let start = *starts.get(first)?;
    let end = starts.get(last + 1).copied().unwrap_or(text.len());
    let body = text.get(start..end)?.trim_end();
    let error = body.lines().next()?.trim_end();
    // `Error: words`, `TypeError [CODE]: words`, `Error`: names of classes.
    let name = error.split([':', ' ']).next()?;
    if !(name.ends_with("Error") || name.ends_with("Exception") || error.starts_with("Uncaught")) {
        return None;
    }
    let frame = body.lines().nth(1)?.trim();
    let place = frame.rsplit_once('(').map_or(frame, |(_, place)| place.trim_end_matches(')'));
    Some(Traceback {
        kind: TracebackKind::Node,
        text: body,
        error,
        place: Some(place.trim_start_matches("at ")),
    })
}

fn rust(text: &str) -> Option<Traceback<'_>> {
    const PANICKED: &str = " panicked at ";
    let is_head = |at: &usize| {
        let line = rest(text, *at).lines().next().unwrap_or("");
        line.starts_with("thread '") && line.contains(PANICKED)
    };
    let body = rest(text, line_starts(text).filter(is_head).last()?);
    let mut lines = body.lines();
    let head = lines.next()?;
    let (_, place) = head.split_once(PANICKED)?;
    let error = lines.next().filter(|line| !line.trim().is_empty()).unwrap_or(head);
    Some(Traceback {
        kind: TracebackKind::Rust,
        text: body.trim_end(),
        error: error.trim_end(),
        place: Some(place.trim_end_matches(':')),
    })
}

/// Where lines begin.
fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1))
}

fn rest(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or("")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PYTHON: &str = "loading\nTraceback (most recent call last):\n  File \"/srv/a.py\", line \
                          3, in <module>\n    main()\n    ~~~~^^\n  File \"/srv/b.py\", line 9, in \
                          main\n    raise ValueError(\"no\\nend\")\nValueError: no end\n";

    #[test]
    fn pythons() {
        let found = traceback(PYTHON).unwrap();
        assert_eq!(found.kind, TracebackKind::Python);
        assert_eq!(found.error, "ValueError: no end");
        assert_eq!(found.place, Some("/srv/b.py\", line 9"));
        assert!(found.text.starts_with(PYTHON_HEAD) && found.text.ends_with("no end"));
    }

    #[test]
    fn of_a_chain_the_last() {
        let chain = format!(
            "{PYTHON}\nDuring handling of the above exception, another exception occurred:\n\n\
             Traceback (most recent call last):\n  File \"c.py\", line 1, in f\n    g()\nKeyError: 'x'\n"
        );
        assert_eq!(traceback(&chain).unwrap().error, "KeyError: 'x'");
    }

    #[test]
    fn cut_off_at_its_end_it_is_none() {
        assert_eq!(traceback("Traceback (most recent call last):\n  File \"c.py\", line 1"), None);
        assert_eq!(traceback("He said: Traceback (most recent call last):\nnothing"), None);
    }

    #[test]
    fn nodes() {
        let text = "/srv/w.js:3\n    throw new TypeError('no model');\n    ^\n\nTypeError: no \
                    model\n    at load (/srv/w.js:3:11)\n    at Object.<anonymous> (/srv/w.js:7:1)\n    \
                    at node:internal/main/run_main_module:36:49\n\nNode.js v20.20.2\n";
        let found = traceback(text).unwrap();
        assert_eq!(found.kind, TracebackKind::Node);
        assert_eq!(found.error, "TypeError: no model");
        assert_eq!(found.place, Some("/srv/w.js:3:11"));
        assert!(found.text.ends_with("36:49"), "{}", found.text);
    }

    #[test]
    fn rusts() {
        let text =
            "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds\nnote: run with\n";
        let found = traceback(text).unwrap();
        assert_eq!(found.kind, TracebackKind::Rust);
        assert_eq!((found.error, found.place), ("index out of bounds", Some("src/main.rs:2:5")));
    }

    #[test]
    fn a_log_is_no_traceback() {
        assert_eq!(traceback("epoch 1\nepoch 2\n    at last\nwarning: slow\n"), None);
        assert_eq!(traceback(""), None);
    }

    proptest! {
        #[test]
        fn any_text_has_one_or_none(
            text in "((Traceback \\(most recent call last\\):|  File \"|    at |Error: |thread '| panicked at |\\n|é|[a-z: ]{0,5})){0,40}"
        ) {
            if let Some(found) = traceback(&text) {
                prop_assert!(text.contains(found.text));
                prop_assert!(!found.error.is_empty());
            }
        }
    }
}
