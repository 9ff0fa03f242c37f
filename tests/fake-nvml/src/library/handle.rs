//! Device handles: numbers that are never followed. The low half is the index
//! of the GPU and 1, the high half that of the MIG instance and 1, or 0.

use std::ptr;

use nvml_wrapper_sys::bindings::nvmlDevice_t;

const HALF: u32 = 16;
const LOW: usize = (1 << HALF) - 1;

/// Which device a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    /// Index of the GPU.
    pub(crate) gpu: usize,
    /// Index of the instance on it, where it is one.
    pub(crate) mig: Option<usize>,
}

impl Handle {
    /// What a caller handed over; `None` where none of ours can look so.
    pub(crate) fn from_raw(raw: nvmlDevice_t) -> Option<Self> {
        let number = raw.addr();
        Some(Self { gpu: (number & LOW).checked_sub(1)?, mig: (number >> HALF).checked_sub(1) })
    }

    /// What a caller gets; `None` for more devices than there are numbers.
    pub(crate) fn to_raw(self) -> Option<nvmlDevice_t> {
        let half = |index: usize| index.checked_add(1).filter(|number| *number <= LOW);
        let high = self.mig.map_or(Some(0), half)?;
        Some(ptr::without_provenance_mut((high << HALF) | half(self.gpu)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for handle in [
            Handle { gpu: 0, mig: None },
            Handle { gpu: 7, mig: Some(0) },
            Handle { gpu: LOW - 1, mig: Some(6) },
        ] {
            assert_eq!(handle.to_raw().and_then(Handle::from_raw), Some(handle));
        }
        assert_eq!(Handle::from_raw(ptr::null_mut()), None);
        assert_eq!(Handle { gpu: LOW, mig: None }.to_raw(), None);
    }
}
