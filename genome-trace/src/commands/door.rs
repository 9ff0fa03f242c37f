//! The recorder's socket: who comes in is asked what it wants, and reads along.

use std::{
    convert::Infallible,
    io,
    os::{fd::AsFd as _, unix::net::UnixListener as StdListener},
    path::Path,
    rc::Rc,
    time::Duration,
};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use tokio::{
    io::Interest,
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc, oneshot},
    task::spawn_local,
    time::{sleep, timeout},
};

use super::{attach_line::read_line, follow};
use crate::{
    cli::DEFAULT_SOCKET,
    kernel::{
        local_socket::{ListenFailure, LocalSocket},
        machine,
    },
    model::{
        ATTACH_PROTOCOL, AttachAnswer, AttachFailure, AttachForm, AttachRequest, AttachWelcome,
        Event,
    },
    pipeline::{Filter, Request},
    render::{Form, line::LineStyle},
    sink::{NewReader, Place, Readers, Standing},
};

/// Readers at the same time.
const SEATS: usize = 16;
/// How long somebody may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a reader that leaves, or is turned away, is waited for.
const FAREWELL: Duration = Duration::from_secs(2);

/// A socket at which nobody is let in yet.
pub(super) struct Door {
    /// Removes the file at the end.
    _socket: LocalSocket,
    listener: StdListener,
}

/// What each reader needs.
struct Host {
    readers: Readers,
    welcome: AttachWelcome,
    ask: mpsc::Sender<Request>,
    seats: Semaphore,
    patience: Duration,
}

impl Door {
    /// Listens at `path`. Where that cannot be at the place that nobody asked
    /// for, it is said, and the recorder goes on without; but not where another
    /// recorder listens.
    pub(super) fn listen(path: &Path, group: Option<u32>) -> anyhow::Result<Option<Self>> {
        match LocalSocket::listen(path, group) {
            Ok((socket, listener)) => Ok(Some(Self { _socket: socket, listener })),
            Err(failure) => {
                let is_chosen = path != Path::new(DEFAULT_SOCKET);
                let must = is_chosen || matches!(failure, ListenFailure::Served);
                let what = format!(
                    "cannot listen at {} for --follow (--socket: elsewhere, --no-socket: nowhere)",
                    path.display()
                );
                if must {
                    return Err(failure).context(what);
                }
                eprintln!("genome-trace: {what}: {failure}");
                Ok(None)
            }
        }
    }

    /// Lets readers in, each looked after in a task of its own. To be called
    /// within a set of local tasks.
    pub(super) async fn attend(
        &self,
        readers: Readers,
        welcome: AttachWelcome,
        ask: mpsc::Sender<Request>,
    ) -> Infallible {
        let seats = Semaphore::new(SEATS);
        let host = Rc::new(Host { readers, welcome, ask, seats, patience: PATIENCE });
        let listener = self.listener.try_clone().and_then(UnixListener::from_std);
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => {
                eprintln!("genome-trace: cannot let readers in: {error}");
                return std::future::pending().await;
            }
        };
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let host = Rc::clone(&host);
                    // One that fails is gone, and nobody is there to be told.
                    spawn_local(async move { host.receive(&stream).await.unwrap_or_default() });
                }
                // No descriptor is left, perhaps: later there may be.
                Err(_) => sleep(follow::LOOK).await,
            }
        }
    }
}

impl Host {
    async fn receive(&self, stream: &UnixStream) -> io::Result<()> {
        let Ok(_seat) = self.seats.try_acquire() else {
            let full = format!("{SEATS} readers are attached already; end one of them");
            return turn_away(stream, full).await;
        };
        let line = match timeout(self.patience, read_line(stream)).await {
            Err(_) => {
                let late = format!("no request came within {:?}", self.patience);
                return turn_away(stream, late).await;
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                return turn_away(stream, format!("the request is {error}")).await;
            }
            Ok(line) => line?,
        };
        // Whoever says nothing only wanted to know whether somebody is here.
        let Some((line, rest)) = line else { return Ok(()) };
        let new = match self.judge(&line, &rest, stream) {
            Ok(new) => new,
            Err(sentence) => return turn_away(stream, sentence).await,
        };
        let place = self.readers.add(new?);
        self.look_after(stream, &place).await
    }

    /// A request is granted, or refused with a sentence.
    fn judge(
        &self,
        line: &[u8],
        rest: &[u8],
        stream: &UnixStream,
    ) -> Result<io::Result<NewReader>, String> {
        if !rest.is_empty() {
            return Err("the request is more than a line".to_owned());
        }
        let request = AttachRequest::from_line(line).map_err(|failure| match failure {
            AttachFailure::OtherVersion(version) => format!(
                "it speaks version {ATTACH_PROTOCOL} of the protocol, and was asked in version \
                 {version}: use the same genome-trace for both"
            ),
            AttachFailure::Nonsense(reason) => format!("the request makes no sense: {reason}"),
        })?;
        let kinds = request.event_kinds()?;
        let form = form(request.form)?;
        let looks = request.looks;
        let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let peer = peer.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0);
        let filter = Filter {
            kinds,
            comms: request.comms.into_iter().map(String::into_bytes).collect(),
            uids: request.uids,
            personas: request.personas,
            cgroups: request.cgroups.into_iter().map(String::into_bytes).collect(),
            only_in_tree: false,
            excluded_tgid: peer.filter(|_| request.exclude_self),
        };
        Ok(self.new_reader(stream, filter, form, looks))
    }

    fn new_reader(
        &self,
        stream: &UnixStream,
        filter: Filter,
        form: Form,
        looks: bool,
    ) -> io::Result<NewReader> {
        // A descriptor of the pipeline's own, to which it writes at once, while
        // the event loop waits for the other where it has to.
        let socket = stream.as_fd().try_clone_to_owned()?.into();
        let mut greeting = AttachAnswer::Welcome(self.welcome.clone()).to_line()?;
        greeting.push(b'\n');
        // Beside looks, what happens to nobody in particular is noise.
        let wants = Box::new(move |event: &Event<'_>| {
            filter.passes(event) && (!looks || event.is_somebodys())
        });
        Ok(NewReader { socket, greeting, wants, form, looks })
    }

    /// Until it goes, or nothing more comes.
    async fn look_after(&self, stream: &UnixStream, place: &Place) -> io::Result<()> {
        let mut is_leaving = false;
        let mut standing = place.write();
        while standing != Standing::Done {
            standing = tokio::select! {
                () = place.woken() => place.write(),
                ready = stream.writable(), if standing == Standing::Waits => {
                    ready?;
                    // Tells the event loop where the socket takes no more.
                    let tried = stream.try_io(Interest::WRITABLE, || match place.write() {
                        Standing::Waits => Err(io::ErrorKind::WouldBlock.into()),
                        standing => Ok(standing),
                    });
                    tried.unwrap_or(Standing::Waits)
                }
                left = left(stream), if !is_leaving => {
                    left?;
                    is_leaving = true;
                    self.catch_up().await;
                    place.end()
                }
            };
        }
        Ok(())
    }

    /// What happened until now is passed on, so that whoever leaves has seen
    /// all of it.
    async fn catch_up(&self) {
        let (answer, answered) = oneshot::channel();
        let asked = async {
            if self.ask.send(Request::CatchUp(answer)).await.is_ok() {
                let _ = answered.await;
            }
        };
        // A pipeline that does not come to it has more to do than this.
        let _ = timeout(FAREWELL, asked).await;
    }
}

fn form(wanted: AttachForm) -> Result<Form, String> {
    match wanted {
        AttachForm::Json => Ok(Form::Json { host: machine::host_name() }),
        AttachForm::Line { color, width, time_zone } => {
            let time_zone = match time_zone {
                None => TimeZone::system(),
                Some(name) => TimeZone::get(&name)
                    .or_else(|_| TimeZone::posix(&name))
                    .map_err(|_| format!("there is no time zone {name:?}"))?,
            };
            Ok(Form::Line(LineStyle { color, width, time_zone }))
        }
    }
}

/// Ready when the reader has said, or shows, that it leaves.
async fn left(stream: &UnixStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        match stream.try_read(&mut [0; 64]) {
            Ok(0) => return Ok(()),
            // It has nothing more to say.
            Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Says why not. What it still says is read and dropped, since the kernel would
/// drop our sentence where something is left unread.
async fn turn_away(stream: &UnixStream, sentence: String) -> io::Result<()> {
    let mut line = AttachAnswer::Error(sentence).to_line()?;
    line.push(b'\n');
    let drained = async {
        stream.writable().await?;
        // A sentence finds room in a socket that nothing was written to.
        let _ = stream.try_write(&line);
        let mut room = vec![0; 4096];
        loop {
            stream.readable().await?;
            match stream.try_read(&mut room) {
                Ok(0) => return io::Result::Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    };
    timeout(FAREWELL, drained).await.unwrap_or(Ok(()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
