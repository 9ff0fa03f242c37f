//! A process that is there as long as a test wants.

use std::{
    io::{self, BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A child of the test that waits until it is dropped.
pub struct Waiting(Child);

impl Waiting {
    /// Starts it, with these variables in its environment and no others, and
    /// returns when it runs its own program.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(variables: &[(&str, &str)]) -> io::Result<Self> {
        let child = Command::new("/bin/sh")
            // A builtin waits: a program would be a second process of the persona.
            .args(["-c", "echo here; read word"])
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut waiting = Self(child);
        let mut line = String::new();
        if let Some(stdout) = waiting.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line == "here\n" { Ok(waiting) } else { Err(io::Error::other("it did not start")) }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u64 {
        self.0.id().into()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
