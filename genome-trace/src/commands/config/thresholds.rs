//! From when on it is too much: a table for each group of detectors, put onto
//! what its detectors have by default.

use serde::Deserialize;

use super::values::{Amount, Bytes, Many, Share, Span};
use crate::detect::{FilePolicy, HabitPolicy, LevelPolicy, LoopPolicy};

/// A table whose keys go into a policy: key, how it is written, and the
/// policy's field.
macro_rules! table {
    ($name:ident for $policy:ty, $expecting:literal { $($key:ident: $kind:ty => $field:ident,)* }) => {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields, expecting = $expecting)]
        pub(super) struct $name {
            $($key: Option<$kind>,)*
        }

        impl $name {
            #[cfg(test)]
            const KEYS: &'static [&'static str] = &[$(stringify!($key),)*];

            /// The default, and over it what the file says.
            pub(super) fn policy(&self) -> $policy {
                let mut policy = <$policy>::default();
                $(if let Some(value) = &self.$key {
                    policy.$field = value.clone().into();
                })*
                policy
            }
        }
    };
}

table!(Files for FilePolicy, "the table [alerts.files]" {
    files: Many => files,
    window: Span => window_ns,
    churned_files: Many => churned_files,
    churned_share: Share => churned_share,
    equal_files: Many => equal_files,
    reads_per_second: u32 => reads_per_second,
    habit_spreads: Amount => habit_spreads,
    habit_factor: Amount => habit_factor,
    peak_factor: Amount => peak_factor,
    helper_factor: Many => helper_factor,
    tool_factor: Many => tool_factor,
    tools: Vec<String> => tools,
    build_folders: Vec<String> => build_folders,
    passing_endings: Vec<String> => passing_endings,
    quiet: Span => quiet_ns,
});

table!(Levels for LevelPolicy, "the table [alerts.levels]" {
    memory_factor: Amount => memory_factor,
    memory_more: Bytes => memory_more_bytes,
    machine_share: Share => machine_share,
    machine_share_within: Span => machine_share_ns,
    leak: Bytes => leak_bytes,
    leak_confidence: Share => leak_confidence,
    ram_caution: Share => ram_caution,
    ram_critical: Share => ram_critical,
    vram_caution: Share => vram_caution,
    vram_critical: Share => vram_critical,
    cpu_factor: Amount => cpu_factor,
    cpu_for: Span => cpu_ns,
    write_factor: Amount => write_factor,
    write_for: Span => write_ns,
    written_per_second: Bytes => write_bytes_per_second,
    write_calls_per_second: Amount => write_calls_per_second,
    thread_factor: Amount => thread_factor,
    threads_more: Many => threads_more,
    open_files_more: Many => open_files_more,
    spawn_factor: Amount => spawn_factor,
    spawns_per_second: Amount => spawns_per_second,
    spawns_per_second_of_anybody: Amount => spawns_per_second_of_anybody,
    spawn_for: Span => spawn_ns,
});

table!(Loops for LoopPolicy, "the table [alerts.loops]" {
    crashes: Many => crashes,
    crashes_within: Span => crash_window_ns,
    ooms: Many => ooms,
    ooms_within: Span => oom_window_ns,
    restarts: Many => restarts,
    restarts_within: Span => restart_window_ns,
    restart_life: Span => restart_life_ns,
});

table!(Habits for HabitPolicy, "the table [alerts.habits]" {
    samples_to_learn: Many => samples_to_learn,
    half_life_samples: Many => half_life_samples,
    strange_spreads: Amount => strange_spreads,
    strange_factor: Amount => strange_factor,
    patience_samples: Many => patience_samples,
    forgiven_per_sample: Share => forgiven_per_sample,
});

/// Every key, by its table.
#[cfg(test)]
pub(super) fn keys() -> [(&'static str, &'static [&'static str]); 4] {
    [
        ("files", Files::KEYS),
        ("levels", Levels::KEYS),
        ("loops", Loops::KEYS),
        ("habits", Habits::KEYS),
    ]
}
