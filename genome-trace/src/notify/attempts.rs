//! How often something is tried, and how long between.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

use super::{Channel, Failure, Message};

/// Each pause is twice as long as the one before, less a random part of up to
/// a half: many machines that lost the same server do not come back at once.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    /// How often in all.
    pub most: u32,
    /// The first pause.
    pub pause: Duration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { most: 5, pause: Duration::from_secs(1) }
    }
}

/// Where doubling ends.
const LONGEST: Duration = Duration::from_secs(60);

impl Attempts {
    /// Tries until it arrives, will not, or has been tried often enough; `wait`
    /// says whether it is to be tried again after a pause.
    pub(super) fn send(
        self,
        channel: &mut dyn Channel,
        message: &Message,
        mut wait: impl FnMut(Duration) -> bool,
    ) -> Result<(), Failure> {
        let mut tried = 0;
        loop {
            let failure = match channel.send(message) {
                Err(failure @ Failure::Passing(_)) => failure,
                other => return other,
            };
            tried += 1;
            if tried >= self.most || !wait(self.pause_after(tried, random())) {
                return Err(failure);
            }
        }
    }

    /// The pause after so many attempts, from 1; `random` is any number.
    fn pause_after(self, tried: u32, random: u64) -> Duration {
        let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
        let pause = self.pause.saturating_mul(doubled).min(LONGEST);
        // From a half to nearly the whole.
        pause.mul_f64(0.5 + (random % 1024) as f64 / 2048.0)
    }
}

/// The standard library has no other source.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_somewhere_and_are_not_alike() {
        let attempts = Attempts::default();
        for (tried, longest) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (60, 60), (u32::MAX, 60)]
        {
            for random in [0, 1, 512, 1023, u64::MAX] {
                let pause = attempts.pause_after(tried, random);
                let longest = Duration::from_secs(longest);
                assert!(pause <= longest && pause >= longest / 2, "{tried}: {pause:?}");
            }
        }
        assert_ne!(attempts.pause_after(3, 0), attempts.pause_after(3, 1));
        let some: Vec<u64> = (0..8).map(|_| random()).collect();
        assert!(some.windows(2).any(|pair| matches!(pair, [a, b] if a != b)));
    }
}
