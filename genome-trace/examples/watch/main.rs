//! The live screen over looks at a machine that does not exist:
//! `cargo run --example watch`, and with `| cat` what a pipe gets. A word says
//! what is to go wrong: `fails` after five looks, `panics` after two.

mod script;

use std::{env, io::IsTerminal as _, time::Duration};

use genome_trace::screen::{self, Look, Looks, Setting};

struct Scripted {
    step: u32,
    fate: Option<String>,
}

impl Looks for Scripted {
    fn look(&mut self) -> anyhow::Result<Look> {
        let step = self.step;
        self.step += 1;
        assert!(self.fate.as_deref() != Some("panics") || step < 2, "as asked for");
        match self.fate.as_deref() {
            Some("fails") if step >= 5 => anyhow::bail!(
                "cannot reach the recorder at /run/genome-trace.sock: start it with \
                 systemctl start genome-trace"
            ),
            Some("empty") => Ok(script::empty()),
            _ => Ok(script::look(step)),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let setting = Setting {
        host: "box".to_owned(),
        version: "0.1.0".to_owned(),
        time_zone: jiff::tz::TimeZone::UTC,
        color: env::var_os("NO_COLOR").is_none(),
    };
    let source = Box::new(Scripted { step: 0, fate: env::args().nth(1) });
    let interval = Duration::from_secs(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if std::io::stdout().is_terminal() {
        runtime.block_on(screen::run(source, setting, interval))
    } else {
        runtime.block_on(screen::run_plain(source, setting, interval))
    }
}
