//! The connection's part of client authentication after the handshake: RFC 9846 4.6.2.

use super::Connection;
use super::after::kind_of;
use super::floods::Flood;
use super::handshake::Live;
use crate::code::{ContentType, HandshakeType};
use crate::config::{ClientAuth, ClientConfig, ServerConfig};
use crate::crypto::Digest;
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::facts::Facts;
use crate::handshake::link::Waiting;
use crate::handshake::operation::Operation;
use crate::handshake::post_auth::{self, Proven, Unfinished};
use crate::handshake::transcript::Transcript;
use crate::handshake::{self, read_post_request};
use crate::keys::maker::Way;
use crate::keys::schedule13::same_mac;
use crate::record::{Joiner, RecordKeys, limits};
use crate::trace::What;
use crate::wire::message::{self, CertificateRequest13, Checked};
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

/// What a connection keeps whose sides both do this.
pub(super) struct PostAuth {
    role: Role,
    /// The conversation up to the client's Finished; none before it is there.
    transcript: Option<Transcript>,
}

enum Role {
    Client { config: Arc<ClientConfig>, requests: VecDeque<Vec<u8>>, proving: Option<Live<Proven>> },
    Server { config: Arc<ServerConfig>, auth: ClientAuth, asked: Option<Asked>, checking: Option<Live<Unfinished>> },
}

/// A request that is out.
struct Asked {
    context: Vec<u8>,
    transcript: Transcript,
}

/// Bytes of a request's context: no two on one connection are the same.
const CONTEXT_LEN: usize = 16;

impl PostAuth {
    pub(super) fn client(config: &Arc<ClientConfig>) -> Option<Self> {
        let role = Role::Client { config: config.clone(), requests: VecDeque::new(), proving: None };
        config.post_handshake_auth.then_some(Self { role, transcript: None })
    }

    pub(super) fn server(config: &Arc<ServerConfig>) -> Option<Self> {
        let auth = config.post_handshake_auth.clone()?;
        let role = Role::Server { config: config.clone(), auth, asked: None, checking: None };
        Some(Self { role, transcript: None })
    }

    /// Both sides do this; the handshake ends with this conversation.
    pub(super) fn begin(&mut self, transcript: Transcript) {
        self.transcript = Some(transcript);
    }

    /// Whether the handshake settled that.
    pub(super) fn has_begun(&self) -> bool {
        self.transcript.is_some()
    }

    pub(super) fn waiting(&self) -> Waiting {
        match &self.role {
            Role::Client { proving: Some(live), .. } => live.waiting(),
            Role::Server { checking: Some(live), .. } => live.waiting(),
            _ => Waiting::Nothing,
        }
    }

    pub(super) fn waiting_since(&self) -> Option<SystemTime> {
        match &self.role {
            Role::Client { proving: Some(live), .. } => live.waiting_since(),
            Role::Server { checking: Some(live), .. } => live.waiting_since(),
            _ => None,
        }
    }

    /// Whether the client is in the middle of its answer, whose messages follow one another.
    pub(super) fn is_checking(&self) -> bool {
        matches!(self.role, Role::Server { checking: Some(_), .. })
    }
}

impl Connection {
    /// Server: asks the client for a certificate now (TLS 1.3), where the configuration has
    /// [`post_handshake_auth`](crate::config::ServerBuilder::post_handshake_auth) and the client offered it. The answer
    /// shows in [`facts`](Self::facts); [`certificate_is_due`](Self::certificate_is_due) says whether it is still out.
    ///
    /// # Errors
    /// If the handshake is not done, the client or the configuration does not do this, or an answer is still out.
    pub fn request_certificate(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.common.check_failed()?;
        if self.outbound.closed {
            return Err(Misuse::AlreadyClosed.into());
        }
        if self.common.established.is_none() {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        let Some(PostAuth { role: Role::Server { config, auth, asked, checking }, transcript: Some(transcript) }) =
            self.beside.as_mut().and_then(|beside| beside.post_auth.as_mut())
        else {
            return Err(Misuse::PostHandshakeAuthUnavailable.into());
        };
        if asked.is_some() || checking.is_some() {
            return Err(Error::from(Misuse::PostHandshakeAuthUnavailable).seen("a request whose answer is still out"));
        }
        let mut context = vec![0; CONTEXT_LEN];
        config.provider.random.fill(&mut context)?;
        let body = handshake::request(config, auth, &context)?;
        let mut request = Vec::new();
        message::frame(&mut request, HandshakeType::CertificateRequest, body)?;
        let mut transcript = transcript.fork();
        transcript.add(&request);
        *asked = Some(Asked { context, transcript });
        self.tell_sent(&request);
        self.seal_messages(&request, out)
    }

    /// Server: whether the client's answer to [`request_certificate`](Self::request_certificate) is still out.
    pub fn certificate_is_due(&self) -> bool {
        let role = self.post_auth().map(|post| &post.role);
        matches!(role, Some(Role::Server { asked, checking, .. }) if asked.is_some() || checking.is_some())
    }

    /// Whether a message after the handshake belongs to this: while an answer comes all do.
    pub(super) fn is_for_post_auth(&self, kind: HandshakeType) -> bool {
        let checking = self.post_auth().is_some_and(|post| post.is_checking());
        let wanted = if self.common.server {
            matches!(kind, HandshakeType::Certificate | HandshakeType::CompressedCertificate)
        } else {
            kind == HandshakeType::CertificateRequest
        };
        self.common.tls13 && (checking || wanted)
    }

    /// Takes such a message.
    pub(super) fn take_post_auth(&mut self, message: Vec<u8>) -> Result<()> {
        if self.common.server {
            self.certificate_came(kind_of(&message), &message)
        } else {
            self.certificate_requested(message)
        }
    }

    /// Client: a request has come.
    fn certificate_requested(&mut self, message: Vec<u8>) -> Result<()> {
        let Some(PostAuth { role: Role::Client { requests, .. }, transcript: Some(_) }) =
            self.beside.as_mut().and_then(|beside| beside.post_auth.as_mut())
        else {
            return Err(Error::from(PeerError::UnexpectedMessage).seen(HandshakeType::CertificateRequest));
        };
        self.inbound.floods.count(Flood::CertificateRequest)?;
        if requests.len() >= limits::MAX_CERTIFICATE_REQUESTS {
            return Err(PeerError::TooManyMessages.into());
        }
        requests.push_back(message);
        Ok(())
    }

    /// Server: the first message of an answer, or one behind it.
    fn certificate_came(&mut self, kind: HandshakeType, message: &[u8]) -> Result<()> {
        let facts = self.facts().map(|facts| Facts::clone(facts)).ok_or(Outside::Bug)?;
        let Some(PostAuth { role: Role::Server { config, auth, asked, checking }, .. }) =
            self.beside.as_mut().and_then(|beside| beside.post_auth.as_mut())
        else {
            return Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("application data"));
        };
        if let Some(Asked { context, transcript }) = asked.take() {
            let (config, auth) = (config.clone(), auth.clone());
            let (carrier, clock) = (RecordKeys(config.provider), config.clock.clone());
            *checking = Some(Live::with_transcript("server TLS 1.3", carrier, clock, transcript, |link| {
                Box::pin(post_auth::check(link, config, auth, context, facts))
            }));
        }
        match checking {
            Some(live) => live.deliver(message, |_| ()),
            None => Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("application data")),
        }
    }

    /// Polls what is going on, and carries out what it comes to.
    pub(super) fn drive_post_auth(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<()> {
        while let Some(PostAuth { role, transcript: Some(transcript) }) =
            self.beside.as_mut().and_then(|beside| beside.post_auth.as_mut())
        {
            match role {
                Role::Client { config, requests, proving } => {
                    if proving.is_none() {
                        let Some(message) = requests.pop_front() else { return Ok(()) };
                        *proving = Some(begin_proof(config, transcript, message)?);
                    }
                    let Some(Poll::Ready(proven)) = proving.as_mut().map(|live| live.poll(cx)) else { break };
                    let asked = proving.take().map(|live| live.take_operations()).unwrap_or_default();
                    self.proven(&proven?, asked, out)?;
                }
                Role::Server { checking, .. } => {
                    let Some(Poll::Ready(answer)) = checking.as_mut().map(|live| live.poll(cx)) else { break };
                    let Some(live) = checking.take() else { break };
                    let ((mut operations, flight), behind) = (live.take_operations(), live.take_untaken());
                    let answer = answer?;
                    self.apply(&mut operations, &flight, out)?;
                    self.answered(answer)?;
                    self.came_behind(behind)?;
                }
            }
        }
        if let Waiting::Outside(on) = self.waiting() {
            self.common.tell(What::Waiting { on });
        }
        Ok(())
    }

    /// Client: everything but Finished is made; it all goes out in one.
    fn proven(
        &mut self,
        proven: &Proven,
        (mut operations, mut flight): (Vec<Operation<RecordKeys>>, Vec<u8>),
        out: &mut Vec<u8>,
    ) -> Result<()> {
        // Nothing follows close_notify: RFC 9846 6.1.
        if self.outbound.closed {
            return Ok(());
        }
        // A KeyUpdate that is due goes first, because Finished is under the keys that it is sent with.
        self.take_back_sending();
        self.outbound.answer_update(&mut self.common, out)?;
        let verify_data = self.finished_data(Way::Write, &proven.covered)?;
        let start = flight.len();
        message::frame(&mut flight, HandshakeType::Finished, |w| w.bytes(verify_data.as_ref()))?;
        operations.push(Operation::Message(flight.len().saturating_sub(start)));
        if let Some(established) = self.common.established.as_mut().filter(|_| proven.authenticated) {
            Arc::make_mut(&mut established.facts).client_authenticated = true;
        }
        self.wake_sending()?;
        self.apply(&mut operations, &flight, out)
    }

    /// Server: the answer is good if its Finished is.
    fn answered(&mut self, answer: Unfinished) -> Result<()> {
        let wanted = self.finished_data(Way::Read, &answer.covered)?;
        handshake::check_verify_data(&answer.verify_data, wanted.as_ref().len())?;
        if !same_mac(&wanted, &answer.verify_data) {
            return Err(Error::from(PeerError::BadFinished).in_message("Finished"));
        }
        if let Some(established) = &mut self.common.established {
            established.facts = Arc::new(answer.facts);
        }
        Ok(())
    }

    /// Server: what stood behind the answer in its record is under the same keys, and is no part of it: a KeyUpdate may.
    fn came_behind(&mut self, mut messages: Joiner) -> Result<()> {
        let mut message = Vec::new();
        while messages.take(&mut message) {
            let last = messages.is_empty() && self.inbound.joiner.is_none();
            self.after_handshake(core::mem::take(&mut message), last)?;
        }
        Ok(())
    }

    /// What Finished says of whoever writes this way.
    fn finished_data(&self, way: Way, covered: &Digest) -> Result<Digest> {
        self.common.established.as_ref().ok_or(Outside::Bug)?.verify_data(way, covered.as_ref())
    }

    fn seal_messages(&mut self, messages: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.wake_sending()?;
        self.outbound.seal(&mut self.common, ContentType::Handshake, messages, out)
    }
}

fn begin_proof(config: &Arc<ClientConfig>, transcript: &Transcript, message: Vec<u8>) -> Result<Live<Proven>> {
    let mut transcript = transcript.fork();
    transcript.add(&message);
    let request = Checked::<CertificateRequest13>::new(message)
        .map_err(Error::from)
        .and_then(|request| read_post_request(&request.view()))
        .map_err(|e| e.in_message("CertificateRequest"))?;
    let (config, carrier, clock) = (config.clone(), RecordKeys(config.provider), config.clock.clone());
    Ok(Live::with_transcript("client TLS 1.3", carrier, clock, transcript, |link| {
        Box::pin(post_auth::prove(link, config, request))
    }))
}
