//! A trace of one's own that nobody sees: a recorder without a store, in a
//! thread, whose only reader is this process.

use std::{
    os::unix::net::UnixStream,
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use tokio::sync::oneshot;

use super::super::{
    follow, gpus,
    session::{self, Granted, Session, Wishes},
};
use crate::{
    cli::View,
    kernel::cgroup::Hierarchy,
    model::Event,
    pipeline::{GpuParts, Pipeline, SamplingParts},
    render::{Form, line::LineStyle},
    sink::{NewReader, Readers},
};

/// Ends with this value.
pub(super) struct OwnTrace {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OwnTrace {
    /// Attaches the probes; what they tell comes out of the socket.
    pub(super) fn start(view: &View, interval: Duration) -> anyhow::Result<(Self, UnixStream)> {
        let granted = wishes(view).grant().context(
            "cannot look at what everybody uses: no recorder lets this user read along (start \
             one with genome-trace record, and join its group), and to look without one",
        )?;
        // Nobody is to see that there is a trace.
        let gpus = gpus::parts(view.gpu_interval, &view.nvml_library, &view.kernel_log)?;
        let gpus = gpus.map(|parts| GpuParts { say: Box::new(|_| {}), ..parts });
        let (reads, writes) = UnixStream::pair().context("cannot make a pair of sockets")?;
        writes.set_nonblocking(true).context("cannot set up a socket")?;
        let style = LineStyle { color: false, ..follow::style(true) };
        let (stop, stopped) = oneshot::channel();
        let (report, started) = channel();
        let thread = thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || run(granted, gpus, writes, style, interval, stopped, &report))
            .context("cannot start the thread that traces")?;
        let own = Self { stop: Some(stop), thread: Some(thread) };
        match started.recv() {
            Ok(started) => started.map(|()| (own, reads)),
            Err(_) => Err(anyhow!("cannot trace: the thread that does has ended")),
        }
    }
}

impl Drop for OwnTrace {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // One that has ended does not wait for it.
            let _ = stop.send(());
        }
        // It takes its probes away.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn wishes(view: &View) -> Wishes {
    let rings = follow::rings(view.ring_size, view.lifecycle_ring_size);
    Wishes::of_whole_machine(view.probe_mode, view.personas.clone(), rings)
}

#[allow(clippy::needless_pass_by_value)]
fn run(
    granted: Granted,
    gpus: Option<GpuParts>,
    socket: UnixStream,
    style: LineStyle,
    interval: Duration,
    stopped: oneshot::Receiver<()>,
    report: &Sender<anyhow::Result<()>>,
) {
    let readers = Readers::default();
    let wants = |event: &Event<'_>| event.kind().is_notable() && event.is_somebodys();
    let place = readers.add(NewReader {
        socket,
        greeting: Vec::new(),
        wants: Box::new(wants),
        form: Form::Line(style),
        looks: true,
    });
    let start = || {
        let Session { mut parts, .. } = granted.attach()?;
        parts.gpus = gpus;
        let looked = readers.clone();
        parts.sampling = Some(SamplingParts {
            interval,
            hierarchy: Hierarchy::find(),
            publish: Box::new(move |usage, _| looked.look(usage)),
        });
        anyhow::Ok((parts, session::event_loop()?))
    };
    let (parts, runtime) = match start() {
        Ok(started) => started,
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    if report.send(Ok(())).is_err() {
        return;
    }
    let stop = async {
        // Whoever is gone has stopped it, too.
        let _ = stopped.await;
    };
    let (_, result) =
        runtime.block_on(async { Pipeline::new(parts, readers.clone()).run(stop).await });
    drop(place);
    // The reader sees the end; why is told where somebody can read it.
    if let Err(error) = session::told(result) {
        eprintln!("genome-trace: {error:#}");
    }
}
