//! Event sets. Errors (Xid) are the one kind of event here.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::{c_uint, c_ulonglong};
use std::thread;
use std::time::{Duration, Instant};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlEventData_t, nvmlEventSet_t, nvmlEventTypeXidCriticalError, nvmlReturn_t,
};

use crate::answer::{Answer, Refusal};
use crate::library::{EVENT_SETS, Handle, Now, POLL, call, look_again};
use crate::output::Out;
use crate::script::Xid;

/// The bit of errors in a mask of events.
const XID: c_ulonglong = nvmlEventTypeXidCriticalError as c_ulonglong;

/// An error is not of an instance, or it is not known of which.
const NO_INSTANCE: c_uint = c_uint::MAX;

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetCreate(set: *mut nvmlEventSet_t) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let set = unsafe { Out::new(set) };
    call("nvmlEventSetCreate", |_| {
        let made = EVENT_SETS.create();
        // A set whose number nobody has could not be freed.
        set.set(made).or_else(|refusal| EVENT_SETS.free(made).and(Err(refusal)))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetFree(set: nvmlEventSet_t) -> nvmlReturn_t {
    call("nvmlEventSetFree", |_| EVENT_SETS.free(set))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetSupportedEventTypes(
    device: nvmlDevice_t,
    types: *mut c_ulonglong,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let types = unsafe { Out::new(types) };
    call("nvmlDeviceGetSupportedEventTypes", |now| types.set(event_types(now, device)?))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceRegisterEvents(
    device: nvmlDevice_t,
    types: c_ulonglong,
    set: nvmlEventSet_t,
) -> nvmlReturn_t {
    call("nvmlDeviceRegisterEvents", |now| {
        if types & !event_types(now, device)? != 0 {
            return Err(Refusal::NOT_SUPPORTED);
        }
        if types == 0 {
            return EVENT_SETS.check(set);
        }
        let handle = Handle::from_raw(device).ok_or(Refusal::INVALID_ARGUMENT)?;
        EVENT_SETS.register(set, handle.gpu)
    })
}

fn event_types(now: &Now, device: nvmlDevice_t) -> Answer<c_ulonglong> {
    Ok(if now.gpu(device)?.xid_events { XID } else { 0 })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlEventSetWait_v2(
    set: nvmlEventSet_t,
    data: *mut nvmlEventData_t,
    timeout_ms: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the text of the module above.
    let data = unsafe { Out::new(data) };
    let began = Instant::now();
    let timeout = Duration::from_millis(timeout_ms.into());
    call("nvmlEventSetWait_v2", |now| {
        let mut now = now.clone();
        loop {
            if let Some(xid) = EVENT_SETS.take(set, &now)? {
                return data.set(event(&xid)?);
            }
            let left = timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(Refusal::TIMEOUT);
            }
            // Nothing tells of a change of a file's name but looking.
            thread::sleep(left.min(POLL));
            now = look_again()?;
        }
    })
}

fn event(xid: &Xid) -> Answer<nvmlEventData_t> {
    let handle = Handle { gpu: xid.gpu, mig: None };
    Ok(nvmlEventData_t {
        device: handle.to_raw().ok_or(Refusal::UNKNOWN)?,
        eventType: XID,
        eventData: xid.code,
        gpuInstanceId: NO_INSTANCE,
        computeInstanceId: NO_INSTANCE,
    })
}
