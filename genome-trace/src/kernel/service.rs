//! What a service tells the service manager that started it (sd_notify(3)):
//! datagrams to a socket that the environment names.

use std::{
    env,
    ffi::OsString,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{ffi::OsStrExt as _, net},
    },
    time::Duration,
};

use super::clock::monotonic_ns;

/// The way to the service manager; silent where there is none.
#[derive(Debug, Default)]
pub struct Service {
    socket: Option<(net::UnixDatagram, net::SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Service {
    /// The one that `NOTIFY_SOCKET` names.
    ///
    /// # Errors
    /// It names none that can be used.
    pub fn from_env() -> io::Result<Self> {
        Self::new(env::var_os("NOTIFY_SOCKET"), &|name| env::var(name).ok())
    }

    fn new(
        address: Option<OsString>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> io::Result<Self> {
        let Some(address) = address.filter(|address| !address.is_empty()) else {
            return Ok(Self::default());
        };
        let address = match address.as_bytes() {
            // A name that no file has (unix(7)).
            [b'@', name @ ..] => net::SocketAddr::from_abstract_name(name)?,
            _ => net::SocketAddr::from_pathname(&address)?,
        };
        let socket = net::UnixDatagram::unbound()?;
        // Whatever the manager does, it must not hold the caller up.
        socket.set_nonblocking(true)?;
        Ok(Self { socket: Some((socket, address)), watchdog: watchdog(variable) })
    }

    /// How long the manager waits for a sign of life (sd_watchdog_enabled(3)).
    #[must_use]
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The service does what it is for.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The configuration is being read again, until [`Service::ready`].
    pub fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_ns() / 1000));
    }

    /// The service is about to end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// A sign of life.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// How it stands, in one line.
    pub fn status(&self, line: &str) {
        self.tell(&format!("STATUS={}", line.replace('\n', " ")));
    }

    /// A manager that does not listen is its own affair.
    fn tell(&self, message: &str) {
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

/// Whether standard error is a stream to the journal, which takes priorities in
/// front of lines (systemd.exec(5), `JOURNAL_STREAM`).
#[must_use]
pub fn stderr_is_journal() -> bool {
    let Ok(stat) = rustix::fs::fstat(std::io::stderr()) else { return false };
    is_stream(env::var("JOURNAL_STREAM").ok().as_deref(), stat.st_dev, stat.st_ino)
}

/// A child may have the variable of a parent whose stream it does not have.
fn is_stream(variable: Option<&str>, device: u64, inode: u64) -> bool {
    let parts = variable.and_then(|variable| variable.split_once(':'));
    parts.is_some_and(|(of_device, of_inode)| {
        of_device.parse() == Ok(device) && of_inode.parse() == Ok(inode)
    })
}

fn watchdog(variable: &dyn Fn(&str) -> Option<String>) -> Option<Duration> {
    let is_ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
    let wait = Duration::from_micros(variable("WATCHDOG_USEC")?.parse().ok()?);
    (is_ours && !wait.is_zero()).then_some(wait)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn heard(socket: &net::UnixDatagram) -> String {
        let mut room = [0; 256];
        let len = socket.recv(&mut room).unwrap();
        String::from_utf8(room.get(..len).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_journals_stream_is_known_by_its_numbers() {
        assert!(is_stream(Some("8:123"), 8, 123));
        for variable in [None, Some(""), Some("8"), Some("8:124"), Some("9:123"), Some("a:b")] {
            assert!(!is_stream(variable, 8, 123), "{variable:?}");
        }
    }

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_path_and_an_abstract_name_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("genome-trace-{}", std::process::id());
        let at_path = net::UnixDatagram::bind(&path).unwrap();
        let address = net::SocketAddr::from_abstract_name(&name).unwrap();
        let at_name = net::UnixDatagram::bind_addr(&address).unwrap();
        for (socket, address) in
            [(at_path, path.into_os_string()), (at_name, format!("@{name}").into())]
        {
            let service = Service::new(Some(address), &none).unwrap();
            service.ready();
            service.status("one\ntwo");
            service.reloading();
            assert_eq!(heard(&socket), "READY=1");
            assert_eq!(heard(&socket), "STATUS=one two");
            let reloading = heard(&socket);
            let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(at.parse::<u64>().unwrap() > 0);
        }
    }

    #[test]
    fn without_a_manager_nothing_is_told_and_nothing_fails() {
        for address in [None, Some(OsString::new())] {
            let service = Service::new(address, &none).unwrap();
            service.ready();
            assert_eq!(service.watchdog(), None);
        }
        let nobody = Service::new(Some("/no/such/socket".into()), &none).unwrap();
        nobody.ready();
    }

    #[test]
    fn the_watchdog_is_of_the_process_that_it_names() {
        let of = |pid: Option<String>, wait: &'static str| {
            watchdog(&move |name| match name {
                "WATCHDOG_PID" => pid.clone(),
                _ => Some(wait.to_owned()),
            })
        };
        let own = std::process::id().to_string();
        assert_eq!(of(None, "2000000"), Some(Duration::from_secs(2)));
        assert_eq!(of(Some(own.clone()), "2000000"), Some(Duration::from_secs(2)));
        assert_eq!(of(Some("1".to_owned()), "2000000"), None);
        assert_eq!(of(Some(own.clone()), "0"), None);
        assert_eq!(of(Some(own), "soon"), None);
    }
}
