//! Work at a pace: so much a second, or as fast as it goes.

use std::time::{Duration, Instant};

/// How often what is due is done. Shorter, and the sleep between two would be
/// most of it.
const TICK: Duration = Duration::from_millis(10);

/// Says how much is due when.
pub(crate) struct Pace {
    count: u64,
    rate: u64,
    started: Instant,
    tick: u32,
}

impl Pace {
    /// `count` in all, of which `rate` a second; 0 for as fast as it goes.
    pub(crate) fn begin(count: u64, rate: u64) -> Self {
        Self { count, rate, started: Instant::now(), tick: 0 }
    }

    /// How much shall be done by the end of the next tick.
    pub(crate) fn due(&mut self) -> u64 {
        self.tick += 1;
        due(self.count, self.rate, self.tick)
    }

    /// Waits for the end of the tick. Who is late makes up for it at once.
    pub(crate) fn rest(&self) {
        // The pace is the work.
        std::thread::sleep((TICK * self.tick).saturating_sub(self.started.elapsed()));
    }

    /// Since when it works.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How much shall be done by the end of a tick, the first being 1.
fn due(count: u64, rate: u64, tick: u32) -> u64 {
    if rate == 0 {
        return count;
    }
    let ticks_a_second = u64::from(1000 / TICK.subsec_millis());
    count.min(rate.saturating_mul(u64::from(tick)) / ticks_a_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_as_many_as_the_rate_says() {
        assert_eq!(
            [1, 2, 100, 1200, 5000].map(|tick| due(3000, 250, tick)),
            [2, 5, 250, 3000, 3000]
        );
        assert_eq!(due(7, 0, 1), 7);
    }
}
