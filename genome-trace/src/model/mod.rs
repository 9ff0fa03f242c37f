//! What genome-trace talks about: processes, events, losses. Pure types; they
//! know neither the kernel's layout nor how they are shown.

mod act;
mod alert;
mod alert_report;
mod attach;
mod baseline;
mod compare_report;
mod content;
mod cost;
mod crash;
mod crash_report;
mod diagnosis;
mod ending;
mod event;
mod exposed;
mod gap;
mod gpu;
mod health;
mod history_report;
mod kind;
mod lost;
mod metric;
mod model_file;
mod overview;
mod persona;
mod persona_report;
mod prediction;
mod process;
mod process_sample;
mod recorded;
mod roster;
mod run;
mod sample;
mod series;
mod session;
mod signal;
mod sort_key;
mod stack;
mod stats;
mod time;
mod usage;
mod xid;

pub use act::{Act, ActOutcome, Approval, Remedy, UnknownRemedy};
pub use alert::{
    Alert, AlertChange, AlertFiles, AlertProcess, Anomaly, Basis, Rule, Severity, UnknownRule,
    UnknownSeverity,
};
pub use alert_report::{AlertReport, AlertState};
pub use attach::{
    ATTACH_LINE_MAX, ATTACH_PROTOCOL, AttachAnswer, AttachFailure, AttachForm, AttachNote,
    AttachRequest, AttachWelcome, look_from_line, write_look,
};
pub use baseline::{BaselineRow, HabitReport, HabitsReport};
pub use compare_report::{CompareReport, Comparison, Difference, PersonaProgram};
pub use content::{FileContent, FileRead, FileToRead, NotRead};
pub use cost::{Cost, ModeCost, ProgramCost, TotalCost, TracerCost};
pub use crash::{
    Crash, CrashActivity, CrashConstraint, CrashFiles, CrashKind, CrashMemory, CrashNeighbour,
    CrashOom, CrashPeer, CrashSignal, CrashTraceback, CrashXid, Evidence, Known, UnknownCrashKind,
};
pub use crash_report::{Advice, CrashReport, PersonaCrashes, ReportedCrash};
pub use diagnosis::{Check, CheckState, Diagnosis, ModeState, ProbeState, RingState, RouteState};
pub use ending::Ending;
pub use event::{
    Argv, Event, Exec, Exit, FileCreate, FileUnlink, FileWrite, GpuXid, MemoryConstraint, OomKill,
    Payload, Signal, VramSpike, XidTie,
};
pub use exposed::{Crashed, Exposed, OpenAlert, StoreTally, Tally};
pub use gap::{Gap, GapReason};
pub use gpu::{
    Gpu, GpuAccess, GpuDetails, GpuHealth, GpuIdentity, GpuName, GpuProcess, GpuProcessType,
    GpuProcessUtilization, GpuSnapshot, MigInstance, Vram, VramAtDeath, VramPeakSource,
};
pub use health::{Health, HealthEvidence, HealthReason, HealthState, Light, RecentCrash, Score};
pub use history_report::{Course, HistoryReport, SampleSpan};
pub use kind::{EventKind, UnknownKind};
pub use lost::Lost;
pub use metric::{Figures, Metric, Unit, UnknownMetric};
pub use model_file::{ModelFile, ModelFileKind};
pub use overview::{Active, Outlook, Overview, Recent, RecentFigure, Warning};
pub use persona::{Decision, Persona, PersonaSource};
pub use persona_report::{NotableEvent, PersonaHour, PersonaReport};
pub use prediction::{Forecast, NoForecast, PredictReport, Prediction, Supply};
pub use process::{Process, ProcessKey, Watch};
pub use process_sample::{ProcessSample, Used};
pub use recorded::{ProcessRecord, RecorderRun, TimeRange};
pub use roster::{RosterEntry, RosterProcess};
pub use run::{
    RUN_SCHEMA_VERSION, Run, RunClass, RunExecutable, RunFigures, RunFolder, RunMachine, RunMetric,
    RunReport, RunReportType, RunUnit, RunUnlisted, UnknownRunMetric,
};
pub use sample::{RollUp, RoomSample, Sample, SampleSource};
pub use series::{Change, Point, Series, Stretch, Summary, Track, Trend};
pub use session::{
    Extent, FIRST_PHASE, Finding, PhaseStretch, Released, SESSION_GPU_COLUMNS, SESSION_KEYS,
    SESSION_LIMITS, Session, SessionGpuRow, SessionRow, SessionSummary, StretchUsage,
};
pub use signal::SignalNumber;
pub use sort_key::{Sighting, SortKey, UnknownSortKey};
pub use stack::{BuildId, Frame, LoadedProgram, NoFrame, SymbolizedFrame, UserStack};
pub use stats::{Holder, PersonaVram, Stats};
pub use time::WallTime;
pub use usage::{MachineUsage, PersonaUsage, ProcessUsage, Usage};
pub use xid::{XidCause, XidMeaning, xid_meaning};
