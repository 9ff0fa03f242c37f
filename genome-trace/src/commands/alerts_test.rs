//! `alerts test`: whether an alert would reach anybody.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;

use super::{config::Config, notifying::channels};
use crate::{
    cli::AlertsTest,
    kernel::{clock, machine},
    notify::{Attempts, Failure, Message, test_alert},
    render::text::Escaped,
};

/// Somebody waits for it.
const ATTEMPTS: Attempts = Attempts { most: 2, pause: Duration::from_millis(500) };

pub(super) fn run(options: &AlertsTest) -> anyhow::Result<ExitCode> {
    let config = Config::read(options.config.as_deref())?;
    let mut channels = channels(&config, true)?;
    if let Some(name) = &options.channel {
        if !channels.iter().any(|channel| channel.name == *name) {
            let names: Vec<&str> = channels.iter().map(|of| of.name.as_str()).collect();
            let there_are = match names.is_empty() {
                true => "none is on".to_owned(),
                false => format!("there are {}", names.join(", ")),
            };
            bail!(
                "no alert channel is called {name:?}: {}; the configuration names them \
                 (docs/alerts.md)",
                Escaped(there_are.as_bytes())
            );
        }
        channels.retain(|channel| channel.name == *name);
    }
    if channels.is_empty() {
        bail!("no alert channel is on; turn one on in the configuration (docs/alerts.md)");
    }
    let message = Message::new(test_alert(clock::now()), machine::host_name().into());
    let mut all_went = true;
    for channel in &mut channels {
        let outcome = channel.try_out(&message, ATTEMPTS);
        let name = Escaped(channel.name.as_bytes());
        match outcome {
            Ok(()) => println!("{name}: sent"),
            Err(Failure::Absent(reason)) => {
                println!("{name}: nobody to tell: {}", Escaped(reason.as_bytes()));
            }
            Err(failure) => {
                all_went = false;
                println!("{name}: failed: {}", Escaped(failure.reason().as_bytes()));
            }
        }
    }
    Ok(if all_went { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
