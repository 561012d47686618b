//! `clasp proxy`: TLS in front of what speaks none, and for what speaks none.

mod address;
mod admin;
mod allow;
mod arguments;
mod copy;
mod file;
mod header;
mod http;
mod metrics;
mod plan;
mod record;
mod reload;
mod routes;
mod settings;
mod talk;
mod wire;

use crate::failure::Failure;
use crate::output;
use crate::stop::{Signals, Stop};
use crate::terminal::note;
use admin::Admin;
pub(crate) use arguments::Arguments;
use metrics::Metrics;
use plan::{Plan, Sessions};
use reload::{Sockets, Source, Watch, refused};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use talk::Shared;
use tokio::sync::Semaphore;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (source, sessions) = (Arc::new(Source::new(arguments)), Arc::new(Sessions::new()?));
    let (plan, files) = source.plan(&sessions)?;
    if arguments.check() {
        return plan.lines().try_for_each(output::line);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(listen(plan, files, source, sessions));
    // What was cut off need not be waited for.
    runtime.shutdown_background();
    outcome
}

/// Tells the service manager, if there is one that wants to know (sd_notify).
fn manager(word: Word) {
    #[cfg(unix)]
    {
        let state = match word {
            Word::Ready => sd_notify::NotifyState::Ready,
            Word::Stopping => sd_notify::NotifyState::Stopping,
        };
        if let Err(error) = sd_notify::notify(&[state]) {
            note(format_args!("NOTIFY_SOCKET: {error}"));
        }
    }
    #[cfg(not(unix))]
    let _nobody_to_tell = word;
}

/// What a service manager is told.
#[derive(Clone, Copy)]
enum Word {
    Ready,
    Stopping,
}

async fn listen(plan: Plan, files: Vec<PathBuf>, source: Arc<Source>, sessions: Arc<Sessions>) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let mut watch = Watch::new(source, sessions, files, plan.watch)?;
    let (cutter, cut) = Stop::new();
    let mut limits = plan.limits;
    let handshakes = Semaphore::new(usize::try_from(limits.handshakes).unwrap_or(usize::MAX));
    let metrics = Arc::new(Metrics::new());
    let shared = Arc::new(Shared { handshakes, cut, last: AtomicU64::new(0), metrics: Arc::clone(&metrics) });
    let (stopper, stopping) = Stop::new();
    let admin = match &plan.admin {
        Some(at) => Some(Admin::bind(at).await?),
        None => None,
    };
    let most = usize::try_from(limits.connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
    let seats = Arc::new(Semaphore::new(most));
    let mut sockets = Sockets::new(shared, Arc::clone(&seats));
    sockets.put(plan).await?;
    if let Some(admin) = admin {
        note(format_args!("admin: http://{}/metrics", admin.at()?));
        tokio::spawn(admin.serve(Arc::clone(&metrics), stopping));
    }
    manager(Word::Ready);
    loop {
        let plan = tokio::select! {
            plan = watch.next(&metrics) => plan,
            asked = signals.next() => break asked?,
        };
        let (routes, next) = (plan.routes(), plan.limits);
        match sockets.put(plan).await {
            Ok(()) => {
                metrics.reloaded(true);
                note(format_args!("reloaded: {} listeners, {routes} routes", sockets.len()));
                if (next.connections, next.handshakes) != (limits.connections, limits.handshakes) {
                    note("reloaded: max-connections and max-handshakes are from the next start on");
                }
                limits.drain = next.drain;
            }
            Err(failure) => refused(&failure, &metrics),
        }
    }
    stopper.ask();
    manager(Word::Stopping);
    // With them go the sockets: who comes now is refused, and may find the next server there.
    sockets.close().await;
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
