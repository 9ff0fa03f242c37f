//! Notifications over a real D-Bus daemon, with somebody on it who shows them,
//! and with nobody.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Sender},
    time::Duration,
};

use genome_trace_tests_e2e::{Ended, Invocation};
use zbus::{blocking::connection::Builder, zvariant::OwnedValue};

const LONG: Duration = Duration::from_secs(60);

/// A bus of this test's own, which ends with it.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    /// `None` where there is no daemon.
    fn start() -> Option<Self> {
        let mut daemon = Command::new("dbus-daemon");
        let daemon = daemon.args(["--session", "--nofork", "--print-address=1"]);
        let Ok(mut daemon) = daemon.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            eprintln!("left out: there is no dbus-daemon");
            return None;
        };
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { daemon, address: address.trim_end().to_owned() })
    }

    /// `alerts test` through the desktop alone, in a session with this bus.
    fn test(&self) -> Ended {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, "[alerts.desktop]\nenabled = true\n").unwrap();
        let config = format!("--config={}", config.display());
        Invocation::new(["alerts", "test", "--channel=desktop", config.as_str()])
            .unwrap()
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .run()
            .unwrap()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// What was shown: who shows it, the heading, the text, and how urgent it is.
type Shown = (String, String, String, u8);

/// Shows notifications, as a desktop does (Desktop Notifications
/// Specification).
struct Desktop(Sender<Shown>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    #[allow(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        app: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let urgency = hints.get("urgency").and_then(|urgency| u8::try_from(urgency).ok());
        self.0.send((app, summary, body, urgency.unwrap_or(u8::MAX))).unwrap();
        1
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        let word = |word: &str| word.to_owned();
        (word("desktop"), word("test"), word("1"), word("1.2"))
    }
}

#[test]
fn who_shows_notifications_gets_the_alert() {
    let Some(bus) = Bus::start() else { return };
    let (sent, got) = mpsc::channel();
    let _desktop = Builder::address(bus.address.as_str())
        .unwrap()
        .name("org.freedesktop.Notifications")
        .unwrap()
        .serve_at("/org/freedesktop/Notifications", Desktop(sent))
        .unwrap()
        .build()
        .unwrap();
    let ended = bus.test();
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(0), "desktop: sent\n"), "{ended:?}");
    let (app, summary, body, urgency) = got.recv_timeout(LONG).unwrap();
    assert_eq!(app, "genome-trace");
    assert!(summary.starts_with("critical: "), "{summary}");
    assert!(body.contains("TEST, nothing is wrong"), "{body}");
    assert_eq!(urgency, 2, "critical");
    assert!(got.try_recv().is_err(), "it was shown twice");
}

#[test]
fn a_bus_with_nobody_who_shows_them_is_no_error() {
    let Some(bus) = Bus::start() else { return };
    let ended = bus.test();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("desktop: nobody to tell: no desktop shows it"), "{ended:?}");
}
