//! Who may say by its environment whose it is.

use toml::Spanned;
use toml::de::DeValue;

use super::error::Problems;
use super::file::a_type;
use crate::persona::Facts;

const RIGHT: &str = r#"write "all", "uid:1000" or "cgroup:/ai""#;

/// Processes that are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    All,
    Uid(u32),
    /// Those in this cgroup and below; without a slash at the end.
    Cgroup(Box<[u8]>),
}

impl Trust {
    fn parse(item: &str) -> Result<Self, String> {
        if item == "all" {
            return Ok(Self::All);
        }
        if let Some(uid) = item.strip_prefix("uid:") {
            return uid
                .parse()
                .map(Self::Uid)
                .map_err(|_| format!("`{uid}` is no user id: write a number, as in \"uid:1000\""));
        }
        if let Some(path) = item.strip_prefix("cgroup:") {
            return if path.starts_with('/') {
                Ok(Self::Cgroup(path.trim_end_matches('/').as_bytes().into()))
            } else {
                Err(format!("`{path}` is no path of a cgroup: it must begin with `/`"))
            };
        }
        Err(format!("`{item}` names no processes: {RIGHT}"))
    }

    pub(super) fn covers(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Uid(uid) => facts.uid == Some(*uid),
            Self::Cgroup(path) => facts
                .cgroup_path
                .as_deref()
                .and_then(|of_process| of_process.strip_prefix(path.as_ref()))
                .is_some_and(|below| matches!(below.first(), None | Some(b'/'))),
        }
    }
}

/// The value of `trust_env`.
pub(super) fn read(value: &Spanned<DeValue<'_>>, problems: &mut Problems<'_>) -> Vec<Trust> {
    let DeValue::Array(items) = value.get_ref() else {
        let found = a_type(value.get_ref());
        problems.add(
            value.span().start,
            format!("`trust_env` must be a list of strings, not {found}: in brackets, {RIGHT}"),
        );
        return Vec::new();
    };
    let mut trust = Vec::new();
    for item in items {
        let read = match item.get_ref() {
            DeValue::String(text) => Trust::parse(text),
            other => Err(format!("a string is needed here, not {}: {RIGHT}", a_type(other))),
        };
        match read {
            Ok(who) => trust.push(who),
            Err(message) => problems.add(item.span().start, message),
        }
    }
    trust
}

#[cfg(test)]
mod tests {
    use super::Trust;
    use crate::persona::Facts;

    fn covers(item: &str, cgroup: &str) -> bool {
        let facts = Facts {
            uid: Some(1000),
            cgroup_path: Some(cgroup.as_bytes().into()),
            ..Facts::default()
        };
        Trust::parse(item).unwrap().covers(&facts)
    }

    #[test]
    fn a_cgroup_and_below() {
        assert!(covers("cgroup:/ai", "/ai"));
        assert!(covers("cgroup:/ai/", "/ai/x"));
        assert!(!covers("cgroup:/ai", "/ai2"));
        assert!(!covers("cgroup:/ai", "/x/ai"));
        assert!(covers("cgroup:/", "/x"));
        assert!(covers("cgroup:/", "/"));
    }

    #[test]
    fn users_and_the_unknown() {
        assert!(covers("uid:1000", "/"));
        assert!(!covers("uid:100", "/"));
        assert!(covers("all", "/"));
        let unknown = Facts::default();
        assert!(Trust::All.covers(&unknown));
        assert!(!Trust::Uid(0).covers(&unknown));
        assert!(!Trust::parse("cgroup:/").unwrap().covers(&unknown));
    }

    #[test]
    fn others_are_errors() {
        for item in ["", "none", "uid:", "uid:-1", "uid:4294967296", "cgroup:ai", "gid:1", "All"] {
            assert!(Trust::parse(item).is_err(), "{item}");
        }
    }
}
