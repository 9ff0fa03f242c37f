//! The machine's configuration, `/etc/genome-trace/config.toml`, and what of it
//! is a project's own.

mod alerts;
mod channels;
mod ci;
mod thresholds;
mod values;

use std::{collections::BTreeMap, fs, io, path::Path};

use anyhow::bail;
use serde::{Deserialize, de::DeserializeOwned};

pub(super) use channels::Channels;
pub(super) use ci::ci;

use super::remedy_options::RemedyOptions;
use crate::{
    cli::{Age, Size},
    detect::{CrashPolicy, DetectPolicy},
    render::text::Escaped,
    store::Retention,
};
use values::Text;

/// Read where it is there and no other file was asked for.
const MACHINE_CONFIG: &str = "/etc/genome-trace/config.toml";

/// What can be configured; what the file does not say is as without it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    retention: KeptFor,
    privacy: Privacy,
    crashes: Crashes,
    remedies: RemedyOptions,
    alerts: alerts::Alerts,
    ci: Option<ci::Ci>,
}

/// What is not kept of what programs write.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Privacy {
    /// Whether the end of a crashed worker's standard error is.
    capture_stderr: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { capture_stderr: true }
    }
}

/// What is no crash, of everybody's and by the name of a persona.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table [crashes]")]
struct Crashes {
    ordinary_exit_codes: Vec<ExitCode>,
    persona: BTreeMap<String, CrashesOf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table such as [crashes.persona.NAME]")]
struct CrashesOf {
    ordinary_exit_codes: Vec<ExitCode>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
struct ExitCode(u8);

impl TryFrom<i64> for ExitCode {
    type Error = String;

    fn try_from(code: i64) -> Result<Self, String> {
        u8::try_from(code)
            .map(Self)
            .map_err(|_| format!("{code} is no exit code, which is a number from 0 to 255"))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct KeptFor {
    events: Option<Text<Age>>,
    crashes: Option<Text<Age>>,
    minutes: Option<Text<Age>>,
    hours: Option<Text<Age>>,
    size: Option<Text<SizeCap>>,
}

#[derive(Debug)]
struct SizeCap(Option<u64>);

impl std::str::FromStr for SizeCap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        /// Less is full before it is of use.
        const LEAST: u64 = 1 << 20;
        if text == "unlimited" {
            return Ok(Self(None));
        }
        match text.parse::<Size>()?.bytes {
            bytes if bytes < LEAST => Err("a store needs 1M at least".to_owned()),
            bytes => Ok(Self(Some(bytes))),
        }
    }
}

impl Config {
    /// What is done about alerts.
    pub(super) const fn remedies(&self) -> &RemedyOptions {
        &self.remedies
    }

    /// When it is too much.
    pub(super) fn detect_policy(&self) -> DetectPolicy {
        self.alerts.policy()
    }

    /// Who is told of alerts.
    pub(super) const fn channels(&self) -> Channels<'_> {
        self.alerts.channels()
    }

    /// Reads the file that was asked for, else the machine's.
    pub(super) fn read(asked_for: Option<&Path>) -> anyhow::Result<Self> {
        let path = asked_for.unwrap_or(Path::new(MACHINE_CONFIG));
        match fs::read_to_string(path) {
            Ok(text) => match Self::parse(path, &text)? {
                // It would hold every project's runs to the same.
                Self { ci: Some(_), .. } if asked_for.is_none() => bail!(
                    "cannot use the table [ci] of {}: what a build holds runs to is the \
                     project's affair; move it to .genome-trace.toml in the project's folder, or \
                     name the file with --config",
                    path.display()
                ),
                config => Ok(config),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound && asked_for.is_none() => {
                Ok(Self::default())
            }
            Err(error) => bail!(
                "cannot read the configuration {}: {error}; correct its path or its permissions, \
                 or do without it",
                path.display()
            ),
        }
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        parse(path, text)
    }

    /// Whether the end of what workers write to standard error is kept for
    /// their crashes.
    pub(super) const fn captures_stderr(&self) -> bool {
        self.privacy.capture_stderr
    }

    /// Which exit codes are ordinary ends.
    pub(super) fn crash_policy(&self) -> CrashPolicy {
        let codes = |codes: &[ExitCode]| codes.iter().map(|code| code.0).collect();
        let Crashes { ordinary_exit_codes, persona } = &self.crashes;
        let of_one =
            |(name, of): (&String, &CrashesOf)| (name.clone(), codes(&of.ordinary_exit_codes));
        CrashPolicy {
            everybodys: codes(ordinary_exit_codes),
            by_persona: persona.iter().map(of_one).collect(),
        }
    }

    /// How long to keep what.
    pub(super) fn retention(&self) -> Retention {
        let KeptFor { events, crashes, minutes, hours, size } = &self.retention;
        let default = Retention::default();
        let age = |age: &Option<Text<Age>>, default| age.as_ref().map_or(default, |a| a.0.duration);
        Retention {
            events: age(events, default.events),
            crashes: age(crashes, default.crashes),
            minutes: age(minutes, default.minutes),
            hours: age(hours, default.hours),
            size_bytes: size.as_ref().map_or(default.size_bytes, |size| size.0.0),
        }
    }
}

/// Reads a configuration's text; `path` is for what is said of it.
fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> anyhow::Result<T> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        // It may quote what stands in the file, on lines of its own.
        let message = error.message().replace('\n', " ");
        anyhow::anyhow!(
            "cannot use the configuration {}:{line}: {}; correct that line, as in \
             docs/recorder.md, docs/alerts.md and docs/regression.md, or take it out",
            path.display(),
            Escaped(message.as_bytes())
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Rule, Severity};

    fn parsed(text: &str) -> Result<Retention, String> {
        Config::parse(Path::new("c.toml"), text)
            .map(|config| config.retention())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(parsed(""), Ok(Retention::default()));
        assert_eq!(parsed("[retention]"), Ok(Retention::default()));
        let some = parsed("[retention]\nevents = \"2h\"\nsize = \"64M\"\n").unwrap();
        let wanted = Retention {
            events: Duration::from_secs(7200),
            size_bytes: Some(64 << 20),
            ..Retention::default()
        };
        assert_eq!(some, wanted);
        assert_eq!(parsed("retention.size = \"unlimited\"").unwrap().size_bytes, None);
    }

    #[test]
    fn exit_codes_that_are_ordinary() {
        let policy = |text| Config::parse(Path::new("c.toml"), text).unwrap().crash_policy();
        assert_eq!(policy(""), CrashPolicy::default());
        assert_eq!(policy("[crashes]"), CrashPolicy::default());
        let text = "[crashes]\nordinary_exit_codes = [130]\n\
                    [crashes.persona.\"CodeExpert\"]\nordinary_exit_codes = [2, 3, 255, 2]\n\
                    [crashes.persona.Judge]\n";
        let by_persona =
            [("CodeExpert".to_owned(), [2, 3, 255].into()), ("Judge".to_owned(), [].into())];
        let wanted = CrashPolicy { everybodys: [130].into(), by_persona: by_persona.into() };
        assert_eq!(policy(text), wanted);
    }

    fn policy(text: &str) -> DetectPolicy {
        Config::parse(Path::new("c.toml"), text).unwrap().detect_policy()
    }

    #[test]
    fn alerts_as_they_are_configured() {
        let default = DetectPolicy::default();
        for nothing in ["", "[alerts]", "[alerts.files]\n[alerts.rule.mass_create]"] {
            let book = policy(nothing).book;
            assert_eq!(book.cooldown_ns, default.book.cooldown_ns);
            assert!(book.rule(Rule::MassCreate).enabled && book.enabled);
        }
        let text = r#"
            [alerts]
            cooldown = "2m"
            error_after = "never"
            critical_after = "1h"
            causes_apart = 5
            [alerts.rule.file_churn]
            enabled = false
            [alerts.rule.vram_limit]
            severity = "critical"
            escalates = true
            [alerts.persona."Code Expert"]
            muted = ["write_storm", "file_churn"]
            [alerts.files]
            files = 1000
            window = "90s"
            churned_share = 1
            tools = ["cc"]
            [alerts.levels]
            leak = "1G"
            written_per_second = "64M"
            cpu_factor = 2.5
            vram_caution = 0.9
            [alerts.loops]
            crashes = 7
            crashes_within = "1h"
            [alerts.habits]
            samples_to_learn = 10
        "#;
        let DetectPolicy { files, levels, loops, habits, book } = policy(text);
        assert_eq!((book.cooldown_ns, book.causes_apart), (120_000_000_000, 5));
        assert_eq!((book.to_error_ns, book.to_critical_ns), (None, Some(3_600_000_000_000)));
        assert!(!book.rule(Rule::FileChurn).enabled && book.rule(Rule::VramSpike).enabled);
        let vram = book.rule(Rule::VramLimit);
        assert_eq!((vram.severity, vram.escalates), (Some(Severity::Critical), true));
        let muted = [Rule::FileChurn, Rule::WriteStorm].into();
        assert_eq!(book.muted, [("Code Expert".to_owned(), muted)].into());
        assert_eq!(
            (files.files, files.window_ns, files.tools),
            (1000, 90_000_000_000, vec!["cc".to_owned()])
        );
        assert_eq!(files.equal_files, default.files.equal_files, "what is not said");
        assert!((files.churned_share - 1.0).abs() < f64::EPSILON);
        assert_eq!(levels.leak_bytes, 1 << 30);
        assert!((levels.write_bytes_per_second - f64::from(64 << 20)).abs() < 0.5);
        assert!((levels.cpu_factor - 2.5).abs() < f64::EPSILON);
        assert!((levels.vram_caution - 0.9).abs() < f64::EPSILON);
        assert_eq!((loops.crashes, loops.crash_window_ns), (7, 3_600_000_000_000));
        assert_eq!(habits.samples_to_learn, 10);
    }

    /// The file in packaging/, and the block of docs/alerts.md, which is a part
    /// of it, say what the defaults are, and leave no threshold out.
    #[test]
    fn the_example_has_every_default() {
        const EXAMPLE: &str = include_str!("../../../../packaging/config.toml");
        const PAGE: &str = include_str!("../../../../docs/alerts.md");
        let example = Config::parse(Path::new("config.toml"), EXAMPLE).unwrap();
        let default = Config::default();
        let shown = |config: &Config| format!("{:?}", config.detect_policy());
        assert_eq!(shown(&example), shown(&default));
        assert_eq!(example.retention(), default.retention());
        assert_eq!(example.crash_policy(), default.crash_policy());
        assert_eq!(example.captures_stderr(), default.captures_stderr());
        let least = |config: &Config| {
            let channels = config.channels();
            (channels.terminal.least(), channels.journal.least(), channels.desktop.least())
        };
        assert_eq!(least(&example), least(&default));
        let block = PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        assert!(EXAMPLE.contains(block.trim_end()), "the page has other defaults");
        // Lists have too many defaults for an example.
        let lists = ["tools", "build_folders", "passing_endings"];
        for (table, keys) in thresholds::keys() {
            let section = block.split(&format!("[alerts.{table}]\n")).nth(1).unwrap();
            let section = section.split("\n[").next().unwrap();
            for key in keys.iter().filter(|key| !lists.contains(key)) {
                let is_it = |line: &str| line.starts_with(&format!("{key} = "));
                assert!(section.lines().any(is_it), "[alerts.{table}] {key}");
                assert!(PAGE.contains(&format!("`{table}.{key}`")), "{table}.{key}");
            }
        }
    }

    #[test]
    fn channels_as_they_are_configured() {
        let text = r#"
            [alerts.terminal]
            enabled = false
            [alerts.journal]
            severity = "error"
            [alerts.desktop]
            enabled = true
            [alerts.webhook.ops]
            url = "https://hooks.example.com/s3cret"
            headers = { Authorization = "Bearer s3cret" }
            severity = "critical"
            timeout = "3s"
            [alerts.command.page]
            argv = ["/usr/local/bin/page", "--now"]
        "#;
        let config = Config::parse(Path::new("c.toml"), text).unwrap();
        assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
        let channels = config.channels();
        assert_eq!(channels.terminal.least(), None);
        assert_eq!(channels.journal.least(), Some(Severity::Error));
        assert_eq!(channels.desktop.least(), Some(Severity::Warning));
        let ops = &channels.webhook["ops"];
        assert_eq!((ops.least(), ops.timeout()), (Severity::Critical, Duration::from_secs(3)));
        let page = &channels.command["page"];
        assert_eq!(page.argv(), ["/usr/local/bin/page", "--now"]);
        let default = Config::default();
        assert_eq!(default.channels().terminal.least(), Some(Severity::Warning));
        assert_eq!(default.channels().desktop.least(), None);
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line_with_its_place() {
        for (text, line, word) in [
            ("[retention]\nevent = \"2h\"", 2, "event"),
            ("[retention]\n\nevents = \"2 fortnights\"", 3, "fortnights"),
            ("[retention]\nevents = 2", 2, "string"),
            ("[retention]\nsize = \"1K\"", 2, "1M"),
            ("[crashes]\nordinary_exit_codes = [2, -1]", 2, "-1 is no exit code"),
            ("[crashes]\nordinary_exit_codes = [256]", 2, "from 0 to 255"),
            ("[crashes]\nordinary_exit_codes = 2", 2, "sequence"),
            ("[crashes]\nordinary_exit_codes = [\"2\"]", 2, "string"),
            ("[crashes]\nordinary = [2]", 2, "ordinary"),
            ("[crashes.persona.A]\nordinary_exit_code = [2]", 2, "ordinary_exit_code"),
            ("\n[crashes.personas.A]\nordinary_exit_codes = [2]", 2, "personas"),
            ("[crashes.persona]\nA = 2", 2, "crashes.persona.NAME"),
            ("[alerts]\ncooldown = \"soon\"", 2, "no length of time"),
            ("[alerts]\ncooldown = 60", 2, "string"),
            ("[alerts]\ncooldown = \"-1s\"", 2, "no length of time"),
            ("[alerts]\ncauses_apart = 0", 2, "from 1 on"),
            ("[alerts]\ncool = \"1s\"", 2, "cool"),
            ("[alerts.rule.mass]\nenabled = true", 1, "no alert rule is called"),
            ("[alerts.rule.mass_create]\nseverity = \"bad\"", 2, "no severity"),
            ("[alerts.rule.mass_create]\nfiles = 3", 2, "files"),
            ("[alerts.persona.A]\nmuted = [\"all\"]", 2, "no alert rule is called"),
            ("[alerts.files]\nfiles = -1", 2, "from 1 on"),
            ("[alerts.files]\nfile = 1", 2, "file"),
            ("[alerts.levels]\nvram_caution = 67", 2, "from 0 to 1"),
            ("[alerts.levels]\nleak = \"much\"", 2, "unit of size"),
            ("[alerts.levels]\ncpu_factor = -2.0", 2, "from 0 on"),
            ("[alerts.levels]\ncpu_factor = nan", 2, "from 0 on"),
            ("[alerts.webhook.a]\nseverity = \"error\"", 1, "url"),
            ("[alerts.command.a]\nargv = []", 2, "names no program"),
            ("[alerts.command.a]\nargv = \"page\"", 2, "sequence"),
            ("[alerts.mail.a]\nto = \"x\"", 1, "mail"),
            ("x = 1\n", 1, "x"),
            ("[retention", 1, "TOML"),
        ] {
            let said = parsed(text).unwrap_err();
            assert!(
                said.starts_with(&format!("cannot use the configuration c.toml:{line}: ")),
                "{said}"
            );
            assert!(word == "TOML" || said.contains(word), "{said}");
            assert!(said.contains("docs/recorder.md") && !said.contains('\n'), "{said}");
        }
    }
}
