//! What listens, and how it is told anew: connections that there are go on as they began.

use super::address::Address;
use super::arguments::Arguments;
use super::file;
use super::metrics::Metrics;
use super::plan::{Plan, Planned, Service, Sessions};
use super::settings::Settings;
use super::talk::{self, Client, Shared};
use super::wire::Socket;
use crate::changes::Changes;
use crate::failure::Failure;
use crate::terminal::note;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

/// How long to wait where the system has no socket to give: out of file descriptors, say.
const PAUSE: Duration = Duration::from_millis(100);

/// Where settings come from, as often as they are asked for.
pub(super) enum Source {
    Options(Settings),
    File(PathBuf),
}

impl Source {
    pub(super) fn new(arguments: &Arguments) -> Self {
        match arguments.config() {
            Some(path) => Self::File(path.to_owned()),
            None => Self::Options(arguments.settings()),
        }
    }

    /// What is to be done by now, and the files that say so.
    pub(super) fn plan(&self, sessions: &Sessions) -> Result<(Plan, Vec<PathBuf>), Failure> {
        match self {
            Self::Options(settings) => Ok((Plan::new(settings, sessions)?, settings.files())),
            Self::File(path) => {
                let settings = file::read(path)?;
                let plan =
                    Plan::new(&settings, sessions).map_err(|e| file::in_file(&e, &path.display().to_string()))?;
                Ok((plan, [settings.files(), vec![path.clone()]].concat()))
            }
        }
    }
}

/// What is done for the clients of a socket from now on.
type Current = Arc<RwLock<Arc<Service>>>;

/// An open socket.
struct Open {
    current: Current,
    accepting: JoinHandle<Infallible>,
}

/// All sockets.
pub(super) struct Sockets {
    open: HashMap<Address, Open>,
    shared: Arc<Shared>,
    seats: Arc<Semaphore>,
}

impl Sockets {
    pub(super) fn new(shared: Arc<Shared>, seats: Arc<Semaphore>) -> Self {
        Self { open: HashMap::new(), shared, seats }
    }

    /// Does what the plan says: opens what is not open yet, or nothing at all; has the others serve as it says; closes the rest.
    pub(super) async fn put(&mut self, plan: Plan) -> Result<(), Failure> {
        let mut bound = Vec::new();
        for planned in plan.listeners {
            let socket = match self.open.contains_key(&planned.listen) {
                true => None,
                false => Some(bind(&planned.listen).await?),
            };
            bound.push((planned, socket));
        }
        let stay: Vec<Address> = bound.iter().map(|(planned, _)| planned.listen.clone()).collect();
        for (planned, socket) in bound {
            match (self.open.get(&planned.listen), socket) {
                (Some(open), _) => {
                    let before = core::mem::replace(
                        &mut *open.current.write().unwrap_or_else(PoisonError::into_inner),
                        planned.service,
                    );
                    // Keys are wiped when nobody waits for the lock.
                    drop(before);
                }
                (None, Some(socket)) => self.open(planned, socket)?,
                // Bound above, if it was not open.
                (None, None) => {}
            }
        }
        self.shared.metrics.certificates(&plan.certificates);
        for (_, gone) in self.open.extract_if(|listen, _| !stay.contains(listen)) {
            gone.accepting.abort();
        }
        Ok(())
    }

    fn open(&mut self, planned: Planned, socket: Socket) -> Result<(), Failure> {
        let at: Arc<str> = socket.at()?.to_string().into();
        note(format_args!("listening on {at}, for {}", planned.service.targets()));
        let current = Arc::new(RwLock::new(planned.service));
        let (shared, seats) = (Arc::clone(&self.shared), Arc::clone(&self.seats));
        // A task, and not here: what it spawns then needs no other thread to be woken.
        let accepting = tokio::spawn(accept(socket, at, Arc::clone(&current), shared, seats));
        self.open.insert(planned.listen, Open { current, accepting });
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes nobody new any more.
    pub(super) async fn close(&mut self) {
        for (_, open) in self.open.drain() {
            open.accepting.abort();
            let _aborted = open.accepting.await;
        }
    }
}

async fn bind(listen: &Address) -> Result<Socket, Failure> {
    Socket::bind(listen).await.map_err(|e| {
        let failure = Failure::cannot(format_args!("{listen}: {e}"));
        match e.kind() {
            io::ErrorKind::AddrInUse => failure.hint("another program has this address: choose another to listen on"),
            _ => failure.hint("an address to listen on is HOST:PORT, :PORT or unix:PATH"),
        }
    })
}

/// Takes clients, as many as there are seats.
async fn accept(
    socket: Socket,
    at: Arc<str>,
    current: Current,
    shared: Arc<Shared>,
    seats: Arc<Semaphore>,
) -> Infallible {
    let mut told = None;
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            // Nobody closes it.
            core::future::pending().await
        };
        match socket.accept().await {
            Ok((wire, peer)) => {
                told = None;
                let client = Client { wire, peer, listener: Arc::clone(&at), seat };
                let service = Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner));
                tokio::spawn(talk::serve(client, service, Arc::clone(&shared)));
            }
            // What is open goes on, and the next may find room. It is said once.
            Err(e) => {
                if told != Some(e.kind()) {
                    told = Some(e.kind());
                    note(format_args!("{at}: accept: {e}"));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Looks at the source again: when it is told to, and when its files have changed.
pub(super) struct Watch {
    pub(super) source: Arc<Source>,
    pub(super) sessions: Arc<Sessions>,
    changes: Changes,
}

impl Watch {
    pub(super) fn new(
        source: Arc<Source>,
        sessions: Arc<Sessions>,
        files: Vec<PathBuf>,
        every: Duration,
    ) -> io::Result<Self> {
        Ok(Self { source, sessions, changes: Changes::new(files, every)? })
    }

    /// The next plan. What cannot be done is said, and waited for: the old one goes on.
    pub(super) async fn next(&mut self, metrics: &Metrics) -> Plan {
        loop {
            self.changes.next().await;
            let (source, sessions) = (Arc::clone(&self.source), Arc::clone(&self.sessions));
            match spawn_blocking(move || source.plan(&sessions)).await {
                Ok(Ok((plan, files))) => {
                    self.changes.watch(files);
                    return plan;
                }
                Ok(Err(failure)) => refused(&failure, metrics),
                Err(panicked) => refused(&Failure::cannot(panicked), metrics),
            }
        }
    }
}

/// Says that the old settings go on, and why.
pub(super) fn refused(failure: &Failure, metrics: &Metrics) {
    metrics.reloaded(false);
    let hint = failure.hint_text().map_or(String::new(), |hint| format!(" (hint: {hint})"));
    note(format_args!("reload: what there was goes on: {}{hint}", failure.message()));
}
