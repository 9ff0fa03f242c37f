//! As whom a command runs: who called sudo, not root.

use std::{env, ffi::OsString, process::Command};

use anyhow::{Context as _, bail};
use rustix::process::{geteuid, getuid};

use crate::{
    cli::Run,
    kernel::{held::Identity, user::User},
};

/// What sudo tells a program of who called it; nothing that the command would
/// know if it had not been run by sudo.
const OF_SUDO: [&str; 5] = ["SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND", "SUDO_HOME"];

/// As whom a command runs.
pub(super) struct Invoker {
    /// Where that is not who runs genome-trace.
    other: Option<Other>,
}

struct Other {
    identity: Identity,
    /// What the user's own shell would have set.
    variables: Vec<(&'static str, OsString)>,
}

impl Invoker {
    /// The user of that name, else who called sudo, else who runs this.
    pub(super) fn find(name: Option<&str>) -> anyhow::Result<Self> {
        let is_root = geteuid().is_root();
        let other = match name {
            Some(name) => {
                let user = named(name)?;
                if !is_root && user.uid != geteuid().as_raw() {
                    bail!(
                        "cannot run the command as {name:?}: only root may run it as somebody \
                         else; use sudo, or leave --user out"
                    );
                }
                is_root.then(|| of(&user)).transpose()?
            }
            None if is_root => by_sudo()?,
            None => None,
        };
        Ok(Self { other })
    }

    /// The command, in the environment that it would have without us, but for
    /// the name of its persona.
    pub(super) fn command(&self, options: &Run) -> anyhow::Result<(Command, Option<Identity>)> {
        let (program, arguments) =
            options.command.split_first().context("cannot run a command: none was given")?;
        let mut command = Command::new(program);
        command.args(arguments);
        if let Some(other) = &self.other {
            for name in OF_SUDO {
                command.env_remove(name);
            }
            command.envs(other.variables.iter().map(|(name, value)| (name, value)));
        }
        if let Some(persona) = &options.persona {
            command.env("GENOME_PERSONA", persona);
            match &options.genome_id {
                Some(id) => command.env("GENOME_ID", id),
                // Another persona's id is not this one's.
                None => command.env_remove("GENOME_ID"),
            };
        }
        Ok((command, self.other.as_ref().map(|other| other.identity.clone())))
    }

    /// The command's home.
    pub(super) fn home(&self) -> Option<OsString> {
        let Some(other) = &self.other else { return env::var_os("HOME") };
        let home = other.variables.iter().find(|(name, _)| *name == "HOME");
        home.map(|(_, home)| home.clone())
    }

    /// Whose a file becomes that the command's user asked for; `None` where
    /// that is who runs genome-trace.
    pub(super) fn owner(&self) -> Option<(u32, u32)> {
        self.other.as_ref().map(|other| (other.identity.uid, other.identity.gid))
    }

    /// The command's real user.
    pub(super) fn uid(&self) -> u32 {
        self.other.as_ref().map_or_else(|| getuid().as_raw(), |other| other.identity.uid)
    }
}

/// By name or by number.
fn named(name: &str) -> anyhow::Result<User> {
    let asked = match name.parse() {
        Ok(uid) => User::by_id(uid),
        Err(_) => User::by_name(name),
    };
    match asked.with_context(|| format!("cannot look up the user {name:?}"))? {
        Some(user) => Ok(user),
        None => {
            bail!("cannot run the command as {name:?}: there is no such user; see getent passwd")
        }
    }
}

fn of(user: &User) -> anyhow::Result<Other> {
    let name = user.name.display();
    let groups = user.groups().with_context(|| format!("cannot look up the groups of {name}"))?;
    let variables = [
        ("HOME", user.home.clone()),
        ("USER", user.name.clone()),
        ("LOGNAME", user.name.clone()),
        ("SHELL", user.shell.clone()),
    ];
    Ok(Other {
        identity: Identity { uid: user.uid, gid: user.gid, groups },
        variables: variables.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
    })
}

/// Who called sudo; nobody where root did, or no sudo was used.
fn by_sudo() -> anyhow::Result<Option<Other>> {
    let number = |name| env::var(name).ok()?.parse::<u32>().ok();
    let Some(uid) = number("SUDO_UID").filter(|uid| *uid != 0) else { return Ok(None) };
    let user = User::by_id(uid).with_context(|| format!("cannot look up the user {uid}"))?;
    match (user, number("SUDO_GID")) {
        (Some(user), _) => of(&user).map(Some),
        // One that no list has, as in a container.
        (None, Some(gid)) => {
            let identity = Identity { uid, gid, groups: vec![gid] };
            Ok(Some(Other { identity, variables: Vec::new() }))
        }
        (None, None) => bail!(
            "cannot run the command as the user {uid} who called sudo: no list has that user; \
             name one with --user"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_user_goes_by_name_and_by_number() {
        assert_eq!(named("root").unwrap(), named("0").unwrap());
        let error = named("no-such-user-of-anybody").unwrap_err().to_string();
        assert!(error.contains("no-such-user-of-anybody"), "{error}");
        let root = of(&named("root").unwrap()).unwrap();
        assert!(root.variables.contains(&("LOGNAME", "root".into())));
        assert!(root.identity.groups.contains(&0));
    }
}
