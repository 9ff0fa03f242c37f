//! Waiting for XID errors. NVML delivers one at a time and keeps only the last
//! code, so somebody has to wait for them all the time.

use std::time::Duration;

use nvml_wrapper::{
    Device, EventSet, Nvml, bitmasks::event::EventTypes, enums::event::XidError, error::NvmlError,
};

use super::{
    monitor::{Stop, XidReport},
    session::identity,
};

/// How long one wait lasts: nothing else ends it when the session is over.
const WAIT_MS: u32 = 200;
/// How long to leave NVML alone after it refused to wait.
const REFUSED_WAIT: Duration = Duration::from_secs(1);

/// Reports each XID error on any of these GPUs until the session is over.
pub(super) fn watch(
    nvml: &Nvml,
    devices: Vec<&Device<'_>>,
    over: &Stop,
    now: fn() -> u64,
    mut report: impl FnMut(XidReport),
) {
    let Some(events) = register(nvml, devices) else { return };
    while !over.is_set() {
        match events.wait(WAIT_MS) {
            Ok(event) => {
                let Some(xid) = event.event_data else { continue };
                report(XidReport {
                    ktime_ns: now(),
                    // A lost GPU does not tell its index any more; its XID is
                    // told all the same.
                    gpu: event.device.index().ok().map(|index| identity(&event.device, index)),
                    xid: match xid {
                        XidError::Value(value) => u32::try_from(value).ok(),
                        XidError::Unknown => None,
                    },
                });
            }
            Err(NvmlError::Timeout) => {}
            Err(_) => {
                over.wait(REFUSED_WAIT);
            }
        }
    }
}

/// A set of the events of those that support them.
fn register<'nvml>(nvml: &'nvml Nvml, mut devices: Vec<&Device<'nvml>>) -> Option<EventSet<'nvml>> {
    while !devices.is_empty() {
        match register_all(nvml.create_event_set().ok()?, &devices) {
            Ok(events) => return Some(events),
            Err(refused) => {
                devices.remove(refused);
            }
        }
    }
    None
}

/// The place of the first that refuses, which takes the set with it.
fn register_all<'nvml>(
    mut events: EventSet<'nvml>,
    devices: &[&Device<'nvml>],
) -> Result<EventSet<'nvml>, usize> {
    for (place, device) in devices.iter().enumerate() {
        events =
            device.register_events(EventTypes::CRITICAL_XID_ERROR, events).map_err(|_| place)?;
    }
    Ok(events)
}
