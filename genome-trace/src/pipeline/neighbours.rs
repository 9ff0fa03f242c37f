//! Who else was big when the OOM killer chose: the processes are read at once,
//! and kept for the crash that follows.

use std::{collections::VecDeque, rc::Rc, time::Duration};

use crate::{
    detect::{LARGEST_KEPT, largest, with_victim},
    kernel::clock::boot_ns,
    model::{
        Crash, CrashNeighbour, CrashPeer, Event, OomKill, Payload, Process, ProcessKey,
        ProcessSample,
    },
    probe::Tasks,
    wire::samples,
};

use super::{Attribution, Known};

/// Choices that come sooner after a look share it: a burst of them must not
/// keep the tracer from its rings.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Victims whose end is waited for. One that is not told of for longest is
/// forgotten.
const VICTIMS_KEPT: usize = 64;

/// Reads who is big, and keeps it.
pub(super) struct Neighbours {
    tasks: Rc<Tasks>,
    last: Option<Look>,
    victims: VecDeque<(ProcessKey, Found)>,
}

/// The biggest processes at one moment.
struct Look {
    /// On the boot clock.
    ktime_ns: u64,
    biggest: Vec<CrashNeighbour>,
}

/// What a victim's crash gets.
struct Found {
    largest: Vec<CrashNeighbour>,
    after_ns: i64,
}

impl Neighbours {
    pub(super) const fn new(tasks: Rc<Tasks>) -> Self {
        Self { tasks, last: None, victims: VecDeque::new() }
    }

    /// Looks around where the OOM killer has chosen.
    pub(super) fn hear(&mut self, event: &Event<'_>, around: &Known, whose: &Attribution) {
        let (Payload::OomKill(kill), Some(victim)) = (&event.payload, &event.process) else {
            return;
        };
        let is_fresh = |look: &Look| {
            Duration::from_nanos(boot_ns().saturating_sub(look.ktime_ns)) < LOOK_INTERVAL
        };
        if !self.last.as_ref().is_some_and(is_fresh) {
            // Without it the list is unknown: an old one would say nothing.
            self.last = self.look(around, whose);
        }
        let Some(look) = &self.last else { return };
        let found = Found {
            largest: with_victim(&look.biggest, of_victim(victim, kill, event)),
            after_ns: look.ktime_ns.cast_signed().saturating_sub(event.ktime_ns.cast_signed()),
        };
        self.victims.retain(|(key, _)| *key != victim.key);
        if self.victims.len() == VICTIMS_KEPT {
            self.victims.pop_front();
        }
        self.victims.push_back((victim.key, found));
    }

    fn look(&self, around: &Known, whose: &Attribution) -> Option<Look> {
        let ktime_ns = boot_ns();
        let records = self.tasks.read().ok()?;
        let sizes = samples(&records, around)
            .filter_map(|sample: ProcessSample<'_>| Some((sample.rss_bytes()?, sample.process)));
        // One more than is shown: the victim may take the place of another.
        let biggest = largest(sizes, LARGEST_KEPT + 1)
            .into_iter()
            .map(|(rss_bytes, process)| CrashNeighbour {
                process: peer(&process),
                persona: whose.persona_now(process.key).map(|persona| persona.name.clone()),
                rss_bytes,
            })
            .collect();
        Some(Look { ktime_ns, biggest })
    }

    /// Gives the crash of a victim what was found when it was chosen.
    pub(super) fn add_to(&mut self, crash: &mut Crash) {
        let Some(at) = self.victims.iter().position(|(key, _)| *key == crash.key) else { return };
        if let Some((_, found)) = self.victims.remove(at) {
            crash.largest = Some(found.largest);
            crash.largest_after_ns = Some(found.after_ns);
        }
    }
}

fn peer(process: &Process<'_>) -> CrashPeer {
    let comm = process.comm.map(|comm| String::from_utf8_lossy(comm).into_owned());
    CrashPeer { tgid: process.key.tgid, comm }
}

/// The victim as the OOM killer saw it: by now it may be shrinking, or gone.
fn of_victim(
    victim: &Process<'_>,
    kill: &OomKill<'_>,
    event: &Event<'_>,
) -> Option<CrashNeighbour> {
    let sizes = [kill.anon_rss_bytes?, kill.file_rss_bytes?, kill.shmem_rss_bytes?];
    Some(CrashNeighbour {
        process: peer(victim),
        persona: event.persona.map(|persona| persona.name.clone()),
        rss_bytes: sizes.into_iter().fold(0, u64::saturating_add),
    })
}
