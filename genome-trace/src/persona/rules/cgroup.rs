//! Containers and systemd units, by how runtimes and systemd name cgroups.

use std::borrow::Cow;

use crate::model::{Decision, Persona, PersonaSource};

/// Length of a whole container id, and of what is shown of it.
const WHOLE_ID: usize = 64;
const SHORT_ID: usize = 12;

/// Whose a process in this cgroup is, where nothing better is known.
pub(super) fn decide(path: &[u8]) -> Option<Decision> {
    if let Some(container) = container(path) {
        let genome_id = is_id(container)
            .then(|| container.iter().take(SHORT_ID).map(|byte| char::from(*byte)).collect());
        let name = genome_id.clone().map_or_else(|| name(container), Some)?;
        let persona = Persona { name: format!("container {name}"), genome_id };
        return Some(Decision { persona, source: PersonaSource::Container });
    }
    let unit = unit(path)?;
    let without_type = unit.strip_suffix(b".service").unwrap_or(unit);
    // systemd escapes the dash in names that it makes out of paths.
    let name = name(without_type)?.replace(r"\x2d", "-");
    let persona = Persona { name, genome_id: None };
    Some(Decision { persona, source: PersonaSource::Unit })
}

/// The container that a cgroup belongs to: the whole id, or the name of one of
/// LXC. Where containers are inside others, the innermost.
pub(super) fn container(path: &[u8]) -> Option<&[u8]> {
    let components = || path.split(|byte| *byte == b'/').rev();
    let parents = components().skip(1).map(Some).chain([None]);
    components()
        .zip(parents)
        .find_map(|(component, parent)| id_in(component).or_else(|| lxc(component, parent)))
}

/// The service that a cgroup belongs to, the innermost one. The service that
/// is the user's own systemd says nothing: all that a user runs is in it.
pub(super) fn unit(path: &[u8]) -> Option<&[u8]> {
    path.split(|byte| *byte == b'/').rev().find(|component| {
        component
            .strip_suffix(b".service")
            .is_some_and(|name| !name.is_empty() && !name.starts_with(b"user@"))
    })
}

/// An id by itself, behind the name of its runtime (`docker-ID.scope`), or
/// behind slice and runtime (`kubepods-podX.slice:cri-containerd:ID`). Not
/// `crio-conmon-ID.scope`: that is the container's monitor.
fn id_in(component: &[u8]) -> Option<&[u8]> {
    const RUNTIMES: [&[u8]; 6] =
        [b"docker-", b"cri-containerd-", b"containerd-", b"nerdctl-", b"crio-", b"libpod-"];
    let last = component.rsplit(|byte| *byte == b':').next()?;
    let name = last.strip_suffix(b".scope").unwrap_or(last);
    let id = RUNTIMES.iter().find_map(|runtime| name.strip_prefix(*runtime)).unwrap_or(name);
    is_id(id).then_some(id)
}

/// `lxc.payload.NAME`, or NAME in a folder `lxc` or `lxc.payload`.
fn lxc<'p>(component: &'p [u8], parent: Option<&[u8]>) -> Option<&'p [u8]> {
    let in_folder = matches!(parent, Some(b"lxc" | b"lxc.payload")).then_some(component);
    component.strip_prefix(b"lxc.payload.").or(in_folder).filter(|name| !name.is_empty())
}

fn is_id(name: &[u8]) -> bool {
    name.len() == WHOLE_ID && name.iter().all(u8::is_ascii_hexdigit)
}

fn name(bytes: &[u8]) -> Option<String> {
    super::template::clean(String::from_utf8_lossy(bytes)).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2a9c0d1e5b7a8891a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7ab";

    fn found(path: &str) -> Option<(String, Option<String>, &'static str)> {
        let path = path.replace("ID", ID);
        let Decision { persona, source } = decide(path.as_bytes())?;
        Some((persona.name, persona.genome_id, source.name()))
    }

    #[test]
    fn containers_have_the_beginning_of_their_id() {
        for path in [
            "/docker/ID",
            "/system.slice/docker-ID.scope",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-ID.scope",
            "/kubepods/besteffort/pod0c1d/ID",
            "/kubepods.slice/crio-ID.scope/container",
            "/machine.slice/libpod-ID.scope",
            "/libpod_parent/libpod-ID",
            "/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:ID",
            "/user.slice/user-1.slice/user@1.service/user.slice/libpod-ID.scope/container",
            "/docker/ID/system.slice/cron.service",
            "/lxc/name/docker/ID",
        ] {
            let id = Some("3f2a9c0d1e5b".to_owned());
            let expected = Some(("container 3f2a9c0d1e5b".to_owned(), id, "container"));
            assert_eq!(found(path), expected, "{path}");
        }
    }

    #[test]
    fn containers_of_lxc_have_names() {
        for path in [
            "/lxc/web-1",
            "/lxc.payload.web-1/system.slice/cron.service",
            "/lxc.payload/web-1",
            "/docker/ID/lxc/web-1/init.scope",
        ] {
            let expected = Some(("container web-1".to_owned(), None, "container"));
            assert_eq!(found(path), expected, "{path}");
        }
        assert_eq!(found("/lxc"), None);
        assert_eq!(found("/lxc/"), None);
        assert_eq!(found("/lxc.monitor.web-1"), None);
    }

    #[test]
    fn the_innermost_container_counts() {
        let other = ID.replace('3', "4");
        assert_eq!(
            container(format!("/docker/{other}/docker/{ID}/init").as_bytes()),
            Some(ID.as_bytes())
        );
    }

    #[test]
    fn services_have_their_name() {
        for (path, name) in [
            ("/system.slice/ollama.service", "ollama"),
            ("/system.slice/system-vllm.slice/vllm@a.service/sub", "vllm@a"),
            (r"/system.slice/code\x2dexpert.service", "code-expert"),
            ("/user.slice/user-1.slice/user@1.service/app.slice/aider.service", "aider"),
            ("/system.slice/docker-abc.scope/inner.service", "inner"),
        ] {
            assert_eq!(
                found(path),
                Some((name.to_owned(), None, "systemd unit"))
                    .map(|(name, id, _)| (name, id, "unit")),
                "{path}"
            );
        }
    }

    #[test]
    fn everything_else_has_nobody() {
        for path in [
            "",
            "/",
            "/user.slice/user-1000.slice/session-2.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.scope",
            "/user.slice/user-1000.slice/user@1000.service/init.scope",
            "/system.slice",
            "/system.slice/.service",
            "/machine.slice/libpod-conmon-ID.scope",
            "/docker/3f2a9c0d1e5b",
            "/docker/zID",
            "/docker",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
