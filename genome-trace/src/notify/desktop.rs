//! A notification on the desktop, over D-Bus (Desktop Notifications
//! Specification). Where there is no bus, or nobody on it who shows them, that
//! is no error.

use super::{Channel, Failure, Message};

/// Notifications of the session that this process is in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Desktop;

#[cfg(feature = "desktop")]
impl Channel for Desktop {
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        use notify_rust::{Notification, Urgency};

        use crate::model::{AlertChange, Severity};

        let alert = &message.alert;
        // Else the library starts a bus of its own by a helper program.
        if !has_bus() {
            return Err(Failure::Absent(
                "there is no session bus here (DBUS_SESSION_BUS_ADDRESS)".to_owned(),
            ));
        }
        let urgency = match (alert.change, alert.severity) {
            (AlertChange::Ended, _) => Urgency::Low,
            (_, Severity::Critical) => Urgency::Critical,
            _ => Urgency::Normal,
        };
        let shown = Notification::new()
            .appname("genome-trace")
            .summary(&summary(message))
            .body(&body(message))
            .icon("dialog-warning")
            .urgency(urgency)
            .show();
        match shown {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Absent(format!("no desktop shows it: {error}"))),
        }
    }
}

#[cfg(not(feature = "desktop"))]
impl Channel for Desktop {
    fn send(&mut self, _: &Message) -> Result<(), Failure> {
        Err(Failure::Absent("this genome-trace was built without it".to_owned()))
    }
}

/// The address, or the socket that a session has by default.
#[cfg(feature = "desktop")]
fn has_bus() -> bool {
    let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    is_set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || is_set("XDG_RUNTIME_DIR")
            .is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists())
}

#[cfg(any(feature = "desktop", test))]
pub(super) fn summary(message: &Message) -> String {
    use crate::render::text::Escaped;

    let alert = &message.alert;
    let whose = match &alert.anomaly.persona {
        Some(persona) => Escaped(persona.name.as_bytes()).to_string(),
        None => message.host().to_owned(),
    };
    format!("{}: {} of {whose}", alert.severity, alert.anomaly.rule)
}

/// Bodies may have markup, so what would be markup is escaped.
#[cfg(any(feature = "desktop", test))]
pub(super) fn body(message: &Message) -> String {
    let mut body = message.line();
    for advice in message.alert.advice.iter().take(1) {
        body.push('\n');
        body.push_str(advice);
    }
    body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
