//! `clasp proxy`: TLS in front of what speaks none, and for what speaks none.

mod address;
mod allow;
mod arguments;
mod copy;
mod plan;
mod record;
mod settings;
mod talk;
mod wire;

use crate::failure::Failure;
use crate::stop::{Signals, Stop};
use crate::terminal::note;
pub(crate) use arguments::Arguments;
use plan::{Plan, Planned, Service, Sessions};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use talk::{Client, Shared};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wire::Socket;

/// How long to wait where the system has no socket to give: out of file descriptors, say.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.settings();
    let plan = Plan::new(&settings, &Sessions::new()?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(listen(plan, settings.log, settings.quiet));
    // What was cut off need not be waited for.
    runtime.shutdown_background();
    outcome
}

async fn listen(plan: Plan, form: settings::Form, quiet: bool) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let (cutter, cut) = Stop::new();
    let limits = plan.limits;
    let handshakes = Semaphore::new(usize::try_from(limits.handshakes).unwrap_or(usize::MAX));
    let shared = Arc::new(Shared { form, quiet, handshakes, cut, last: AtomicU64::new(0) });
    let most = usize::try_from(limits.connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
    let seats = Arc::new(Semaphore::new(most));
    let mut accepting = JoinSet::new();
    for Planned { listen, service } in plan.listeners {
        let socket = bind(&listen).await?;
        let at: Arc<str> = socket.at()?.to_string().into();
        note(format_args!("listening on {at}, for {}", service.route.backend.to));
        accepting.spawn(accept(socket, at, service, Arc::clone(&shared), Arc::clone(&seats)));
    }
    tokio::select! {
        Some(Err(failed)) = accepting.join_next() => return Err(Failure::cannot(failed)),
        asked = signals.next() => asked?,
    }
    // With them go the sockets: who comes now is refused, and may find the next server there.
    accepting.shutdown().await;
    let open = || most - seats.available_permits();
    if open() > 0 {
        let (open, drain) = (open(), limits.drain.as_secs());
        note(format_args!("stopping: {open} connections have up to {drain} s; a second signal cuts them off"));
    }
    tokio::select! {
        _all_back = seats.acquire_many(limits.connections) => return Ok(()),
        asked = signals.next() => asked?,
        () = tokio::time::sleep(limits.drain) => {}
    }
    note(format_args!("{} connections are cut off", open()));
    cutter.ask();
    // For their lines in the log.
    let _all_told = tokio::time::timeout(Duration::from_secs(1), seats.acquire_many(limits.connections)).await;
    Ok(())
}

async fn bind(listen: &address::Address) -> Result<Socket, Failure> {
    Socket::bind(listen).await.map_err(|e| {
        let failure = Failure::cannot(format_args!("{listen}: {e}"));
        match e.kind() {
            io::ErrorKind::AddrInUse => failure.hint("another program has this address: choose another with --listen"),
            _ => failure.hint("--listen HOST:PORT, :PORT or unix:PATH"),
        }
    })
}

/// Takes clients, as many as there are seats.
async fn accept(
    socket: Socket,
    at: Arc<str>,
    service: Arc<Service>,
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
                tokio::spawn(talk::serve(client, Arc::clone(&service), Arc::clone(&shared)));
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
