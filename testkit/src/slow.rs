//! Doubles that answer only when they are told to.

use clasp::config::{PresentedIdentity, Signer, Verified, Verifier};
use clasp::session::{ServerSessionCache, ServerSessions};
use clasp::wire::code::SignatureScheme;
use clasp::{Answer, Result};
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use zeroize::Zeroizing;

/// Holds answers back until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    /// Lets everything through, now and from now on.
    ///
    /// # Panics
    /// If another thread panicked with the gate in hand.
    pub fn open(&self) {
        let mut inner = self.0.lock().expect("a gate");
        inner.0 = true;
        inner.1.drain(..).for_each(Waker::wake);
    }

    /// Holds back what comes from now on.
    ///
    /// # Panics
    /// If another thread panicked with the gate in hand.
    pub fn close(&self) {
        self.0.lock().expect("a gate").0 = false;
    }

    /// Whether somebody stands before it.
    ///
    /// # Panics
    /// If another thread panicked with the gate in hand.
    pub fn is_waited_at(&self) -> bool {
        !self.0.lock().expect("a gate").1.is_empty()
    }

    async fn pass(self) {
        poll_fn(|cx| {
            let mut inner = self.0.lock().expect("a gate");
            if inner.0 {
                return Poll::Ready(());
            }
            inner.1.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Holds this answer back.
    ///
    /// # Panics
    /// If another thread panicked with the gate in hand.
    pub fn later<'a, T: Send + 'a>(&self, answer: Answer<'a, T>) -> Answer<'a, T> {
        let gate = self.clone();
        Answer::later(async move {
            gate.pass().await;
            match answer {
                Answer::Now(value) => value,
                Answer::Later(future) => future.await,
            }
        })
    }
}

/// A signer behind a gate.
pub struct SlowSigner(pub Gate, pub Arc<dyn Signer>);

impl Signer for SlowSigner {
    fn schemes(&self) -> &[SignatureScheme] {
        self.1.schemes()
    }

    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        self.0.later(self.1.sign(scheme, message))
    }
}

/// A verifier behind a gate.
pub struct SlowVerifier(pub Gate, pub Arc<dyn Verifier>);

impl Verifier for SlowVerifier {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        self.0.later(self.1.verify(peer))
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        self.1.session_context()
    }
}

/// A session store behind a gate.
pub struct SlowSessions(pub Gate, pub ServerSessionCache);

impl ServerSessions for SlowSessions {
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>> {
        self.0.later(self.1.put(id, sealed, until))
    }

    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>> {
        self.0.later(self.1.get(id, now))
    }

    fn claim<'a>(&'a self, id: &'a [u8], now: SystemTime, until: SystemTime) -> Answer<'a, Result<bool>> {
        self.0.later(self.1.claim(id, now, until))
    }

    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()> {
        self.1.forget(id)
    }
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {
        $(impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { f.write_str(stringify!($name)) }
        })+
    };
}
opaque_debug!(SlowSigner, SlowVerifier, SlowSessions);
