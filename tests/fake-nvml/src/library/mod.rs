//! The library as a program has it loaded: how often it was initialised, its
//! script, its event sets, and what every call has in common. Nothing is locked
//! while a call waits.

mod event_set;
mod file;
mod handle;
mod now;

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nvml_wrapper_sys::bindings::nvmlReturn_t;

pub(crate) use handle::Handle;
pub(crate) use now::{Device, Now, microseconds};

use crate::SCRIPT_VARIABLE;
use crate::answer::{Answer, Refusal, returned};
use event_set::EventSets;
use file::ScriptFile;

static REFERENCES: AtomicU32 = AtomicU32::new(0);
static SCRIPT: ScriptFile = ScriptFile::new();
/// The event sets of the program.
pub(crate) static EVENT_SETS: EventSets = EventSets::new();

/// How long a waiting call leaves the script alone.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// One more user of the library.
pub(crate) fn initialize(name: &str) -> nvmlReturn_t {
    returned(|| {
        if REFERENCES.load(Ordering::Acquire) == 0 {
            SCRIPT.watch(std::env::var_os(SCRIPT_VARIABLE).map(Into::into));
        }
        unstalled(name).check_driver()?;
        REFERENCES.fetch_add(1, Ordering::AcqRel);
        Ok(())
    })
}

/// One user less. It works whatever the script says.
pub(crate) fn shut_down() -> nvmlReturn_t {
    returned(|| {
        let before = REFERENCES
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1))
            .map_err(|_| Refusal::UNINITIALIZED)?;
        if before == 1 {
            EVENT_SETS.clear();
        }
        Ok(())
    })
}

/// Answers the call of that name, when it does not stall any longer.
pub(crate) fn call(name: &str, answer: impl FnOnce(&Now) -> Answer) -> nvmlReturn_t {
    returned(|| {
        check_initialized()?;
        let now = unstalled(name);
        now.check_driver()?;
        answer(&now)
    })
}

/// What a call that waits asks again: the script as it is now.
pub(crate) fn look_again() -> Answer<Now> {
    check_initialized()?;
    let now = look();
    now.check_driver()?;
    Ok(now)
}

fn check_initialized() -> Answer {
    match REFERENCES.load(Ordering::Acquire) {
        0 => Err(Refusal::UNINITIALIZED),
        _ => Ok(()),
    }
}

fn look() -> Now {
    Now::of(SCRIPT.current())
}

fn unstalled(name: &str) -> Now {
    loop {
        let now = look();
        match now.stall_of(name) {
            Some(rest) => thread::sleep(rest.min(POLL)),
            None => return now,
        }
    }
}
