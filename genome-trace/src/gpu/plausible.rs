//! Values that NVML gives and that cannot be: they are unknown.

/// NVML_VALUE_NOT_AVAILABLE, in the two widths that it comes in (nvml.h).
const NOT_AVAILABLE: [u64; 2] = [u64::MAX, u32::MAX as u64];
/// More than any GPU draws, in milliwatts.
const POWER_MAX_MILLIWATTS: u32 = 100_000_000;
/// Hotter than any GPU gets, in degrees Celsius.
const TEMPERATURE_MAX_CELSIUS: u32 = 250;
/// More than any clock, in MHz.
const CLOCK_MAX_MHZ: u32 = 1_000_000;

/// Memory of a GPU that has `total` bytes; without that, what is no marker.
pub(super) fn vram(bytes: u64, total: Option<u64>) -> Option<u64> {
    let is_marker = bytes == u64::MAX || total.is_none() && NOT_AVAILABLE.contains(&bytes);
    (!is_marker && total.is_none_or(|total| bytes <= total)).then_some(bytes)
}

/// A share of 100.
pub(super) fn percent(value: u32) -> Option<u32> {
    (value <= 100).then_some(value)
}

/// Power.
pub(super) fn milliwatts(value: u32) -> Option<u32> {
    (value <= POWER_MAX_MILLIWATTS).then_some(value)
}

/// Temperature.
pub(super) fn celsius(value: u32) -> Option<u32> {
    (value <= TEMPERATURE_MAX_CELSIUS).then_some(value)
}

/// A clock.
pub(super) fn megahertz(value: u32) -> Option<u32> {
    (value <= CLOCK_MAX_MHZ).then_some(value)
}

/// A count.
pub(super) fn count(value: u64) -> Option<u64> {
    (!NOT_AVAILABLE.contains(&value)).then_some(value)
}

/// A count of 32 bits.
pub(super) fn small_count(value: u32) -> Option<u32> {
    (value != u32::MAX).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn no_process_holds_more_than_the_card_has() {
        assert_eq!(vram(GIB, Some(8 * GIB)), Some(GIB));
        assert_eq!(vram(8 * GIB, Some(8 * GIB)), Some(8 * GIB));
        assert_eq!(vram(9 * GIB, Some(8 * GIB)), None);
        assert_eq!(vram(u64::MAX, Some(8 * GIB)), None);
        assert_eq!(vram(u64::MAX, None), None);
        assert_eq!(vram(9 * GIB, None), Some(9 * GIB));
    }

    #[test]
    fn four_gibibytes_less_one_byte_are_memory_where_the_card_has_more() {
        assert_eq!(vram(u32::MAX.into(), Some(8 * GIB)), Some(u32::MAX.into()));
        assert_eq!(vram(u32::MAX.into(), None), None);
    }

    #[test]
    fn markers_are_unknown_and_nought_is_not() {
        assert_eq!((percent(0), percent(100), percent(101)), (Some(0), Some(100), None));
        assert_eq!((celsius(0), celsius(u32::MAX)), (Some(0), None));
        assert_eq!((milliwatts(700_000), milliwatts(u32::MAX)), (Some(700_000), None));
        assert_eq!((megahertz(1980), megahertz(u32::MAX)), (Some(1980), None));
        assert_eq!((count(0), count(u64::MAX), count(u32::MAX.into())), (Some(0), None, None));
        assert_eq!((small_count(16), small_count(u32::MAX)), (Some(16), None));
    }
}
