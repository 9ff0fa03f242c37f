use proptest::prelude::*;

use super::*;

const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000_000_000;
const A: ProcessKey = ProcessKey { tgid: 7, start_time: 5 };
const B: ProcessKey = ProcessKey { tgid: 8, start_time: 6 };

fn held(process: ProcessKey, vram_bytes: impl Into<Option<u64>>) -> Held {
    Held {
        process,
        vram_bytes: vram_bytes.into(),
        accounted_peak_bytes: None,
        card_bytes: Some(80 * GIB),
    }
}

/// One process, looked at once a second.
fn jumps_of(sizes: impl IntoIterator<Item = u64>) -> Vec<(u64, VramJump)> {
    let mut watch = VramWatch::new();
    let mut jumps = Vec::new();
    for (second, bytes) in sizes.into_iter().enumerate() {
        let second = second as u64;
        let found = watch.look((second + 1) * SECOND, true, &[held(A, bytes)]);
        jumps.extend(found.into_iter().map(|jump| (second, jump)));
    }
    jumps
}

#[test]
fn what_was_held_at_death_with_peak_and_age() {
    let mut watch = VramWatch::new();
    watch.look(SECOND, true, &[held(A, GIB), held(B, 2 * GIB)]);
    watch.look(2 * SECOND, true, &[held(A, 3 * GIB), held(B, 2 * GIB)]);
    watch.look(3 * SECOND, true, &[held(A, 2 * GIB), held(B, 2 * GIB)]);
    let end = watch.ended(A, 3 * SECOND + 7).unwrap();
    let samples = VramPeakSource::Samples;
    assert_eq!(
        end,
        VramAtDeath {
            bytes: Some(2 * GIB),
            peak_bytes: Some(3 * GIB),
            peak_source: samples,
            age_ns: 7
        }
    );
    assert_eq!(watch.last(B), Some(2 * GIB));
}

#[test]
fn accounting_knows_the_peak_better_unless_it_lags() {
    let mut watch = VramWatch::new();
    let accounted = |bytes| Held { accounted_peak_bytes: Some(bytes), ..held(A, GIB) };
    watch.look(SECOND, true, &[accounted(5 * GIB)]);
    let end = watch.ended(A, SECOND).unwrap();
    assert_eq!((end.peak_bytes, end.peak_source), (Some(5 * GIB), VramPeakSource::Accounting));
    watch.look(SECOND, true, &[]);
    watch.look(SECOND, true, &[accounted(0)]);
    let end = watch.ended(A, SECOND).unwrap();
    assert_eq!((end.peak_bytes, end.peak_source), (Some(GIB), VramPeakSource::Samples));
}

#[test]
fn one_that_no_gpu_named_held_nothing_and_one_between_two_looks_is_unknown() {
    let mut watch = VramWatch::new();
    assert_eq!(watch.ended(A, SECOND), None, "nobody has looked yet");
    watch.look(SECOND, true, &[]);
    let end = watch.ended(A, 2 * SECOND).unwrap();
    assert_eq!((end.bytes, end.age_ns), (Some(0), SECOND));
    let young = ProcessKey { tgid: 9, start_time: SECOND + 1 };
    assert_eq!(watch.ended(young, 2 * SECOND), None);
}

/// The driver named somebody by its number: it may hold anything.
#[test]
fn one_that_was_named_and_could_not_be_placed_is_unknown() {
    let mut watch = VramWatch::new();
    watch.look(SECOND, true, &[]);
    watch.not_placed([A.tgid].into_iter());
    assert_eq!(watch.ended(A, 2 * SECOND), None);
    assert_eq!(watch.ended(B, 2 * SECOND).unwrap().bytes, Some(0));
    watch.look(3 * SECOND, true, &[]);
    watch.not_placed([].into_iter());
    assert_eq!(watch.ended(A, 4 * SECOND).unwrap().bytes, Some(0));
}

#[test]
fn a_look_that_is_not_whole_makes_nobody_hold_nothing() {
    let mut watch = VramWatch::new();
    watch.look(SECOND, true, &[held(A, GIB)]);
    watch.look(2 * SECOND, false, &[]);
    assert_eq!(watch.ended(A, 2 * SECOND).unwrap().bytes, Some(GIB));
    let mut watch = VramWatch::new();
    watch.look(SECOND, false, &[]);
    assert_eq!(watch.ended(B, 2 * SECOND), None);
}

#[test]
fn freed_before_the_end_is_nought_and_the_peak_stays() {
    let mut watch = VramWatch::new();
    watch.look(SECOND, true, &[held(A, GIB)]);
    watch.look(2 * SECOND, true, &[]);
    let end = watch.ended(A, 2 * SECOND).unwrap();
    assert_eq!((end.bytes, end.peak_bytes), (Some(0), Some(GIB)));
}

#[test]
fn what_the_driver_does_not_tell_is_unknown() {
    let mut watch = VramWatch::new();
    watch.look(SECOND, true, &[held(A, None)]);
    let end = watch.ended(A, 2 * SECOND).unwrap();
    assert_eq!((end.bytes, end.peak_bytes), (None, None));
}

#[test]
fn the_dead_are_not_taken_up_again_while_the_driver_cleans_up() {
    let mut watch = VramWatch::new();
    watch.look(SECOND, true, &[held(A, GIB)]);
    watch.ended(A, SECOND);
    watch.look(2 * SECOND, true, &[held(A, GIB)]);
    assert_eq!(watch.last(A), None);
    watch.look(3 * SECOND, true, &[]);
    assert!(watch.ended.is_empty());
}

#[test]
fn a_pid_that_is_used_again_inherits_nothing() {
    let mut watch = VramWatch::new();
    let next = ProcessKey { tgid: A.tgid, start_time: 2 * SECOND };
    // A look from before it began speaks of the one before it.
    watch.look(SECOND, true, &[held(next, GIB)]);
    assert_eq!(watch.ended(next, 3 * SECOND), None);
}

#[test]
fn loading_a_model_is_no_spike() {
    assert_eq!(jumps_of((0..9).map(|second| second * 8 * GIB)), []);
    assert_eq!(jumps_of([0; 20].into_iter().chain([70 * GIB; 5])), []);
}

#[test]
fn a_spike_is_told_once_with_what_it_rests_on() {
    let jumps = jumps_of([GIB; 12].into_iter().chain([20 * GIB; 5]));
    let [(12, jump)] = jumps.as_slice() else { panic!("{jumps:?}") };
    assert_eq!((jump.vram_bytes, jump.baseline_bytes), (20 * GIB, GIB));
    assert_eq!((jump.baseline_looks, jump.window_ns), (12, 12 * SECOND));
}

#[test]
fn much_of_the_card_is_a_spike_without_the_factor_and_small_change_is_none() {
    assert_eq!(jumps_of([20 * GIB; 12].into_iter().chain([36 * GIB])).len(), 1);
    assert_eq!(jumps_of([20 * GIB; 12].into_iter().chain([35 * GIB])), []);
    assert_eq!(jumps_of([8 << 20; 12].into_iter().chain([200 << 20])), []);
}

#[test]
fn a_second_spike_after_the_first_has_gone_is_told_too() {
    let wave = [GIB; 12].into_iter().chain([20 * GIB; 3]);
    assert_eq!(jumps_of(wave.clone().chain(wave)).len(), 2);
}

proptest! {
    #[test]
    fn a_peak_is_never_below_what_was_seen(sizes in prop::collection::vec(any::<u64>(), 1..300)) {
        let mut watch = VramWatch::new();
        for (second, bytes) in sizes.iter().enumerate() {
            watch.look((second as u64 + 1) * SECOND, true, &[held(A, *bytes)]);
        }
        let end = watch.ended(A, u64::MAX).unwrap();
        prop_assert_eq!(end.bytes, sizes.last().copied());
        prop_assert_eq!(end.peak_bytes, sizes.iter().max().copied());
    }
}
