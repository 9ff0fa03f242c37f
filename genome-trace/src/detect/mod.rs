//! What follows from what was seen: folds over events and samples that know
//! neither clocks nor the kernel, and so are tested without either.

mod advice;
mod alerts;
mod crash;
mod health;
mod largest;
mod outlook;
mod predict;
mod regression;
mod remedy;
mod secrets;
mod series;
mod session;
mod tally;
mod traceback;
mod vram;

pub use advice::advise;
pub use alerts::{
    Baselines, BookPolicy, DetectPolicy, Detectors, FilePolicy, Habit, HabitPolicy, LevelPolicy,
    LoopPolicy, Normal, Quantity, RulePolicy, ShownHabit,
};
pub use crash::{CrashPolicy, CrashWatch, Ended, add_stderr};
pub use health::{HealthFacts, health};
pub use largest::{LARGEST_KEPT, largest, with_victim};
pub use outlook::{OutlookFacts, outlook};
pub use predict::{PredictFacts, predict, predict_advice};
pub use regression::{
    DEFAULT_TOLERANCE_PERCENT, GateRule, Places, compare_runs, judge_rules, rule_obstacle,
};
pub use remedy::{Intent, Obstacle, RemedyPolicy, remedy};
pub use secrets::{masked, masked_arguments};
pub use series::{
    Times, change, differences, forecast, joined, percent, resample, step_ns, summarize, trend,
};
pub use session::summarize_session;
pub use tally::{COUNTED_PERSONAS, Count};
pub use traceback::{Traceback, TracebackKind, traceback};
pub use vram::{Held, VramJump, VramWatch};
