//! What a server must remember of a session, as bytes: sealed in a ticket or kept under a session ID.

use super::{CONTEXT_LEN, Context};
use crate::code::{CertificateType, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::crypto::overwrite_stack;
use crate::facts::{End, Facts};
use crate::keys::schedule12::MASTER_LEN;
use crate::wire::{Parsed, Reader, Writer};
use core::fmt;
use rustls_pki_types::CertificateDer;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::{Zeroize, Zeroizing};

/// A session on the server.
pub(crate) struct ServerSession {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
    /// The master secret of TLS 1.2, or the PSK of TLS 1.3, as long as the suite's hash, with zeros behind.
    pub(crate) master: Box<[u8; MASTER_LEN]>,
    pub(crate) extended_master_secret: bool,
    pub(crate) created: SystemTime,
    /// What decided when it was made.
    pub(crate) context: Context,
    /// When that decision ends, however often it is resumed.
    pub(crate) authenticated_until: End,
    pub(crate) server_name: Option<String>,
    pub(crate) client_chain: Vec<CertificateDer<'static>>,
    /// What the chain holds.
    pub(crate) client_type: CertificateType,
    /// What the server showed.
    pub(crate) server_type: CertificateType,
    /// How the client proved its key.
    pub(crate) client_scheme: Option<SignatureScheme>,
    /// The group of the key exchange that made the session.
    pub(crate) group: Option<NamedGroup>,
    pub(crate) alpn: Option<Vec<u8>>,
    /// TLS 1.3: what the client adds to the ticket's age.
    pub(crate) age_add: u32,
    /// TLS 1.3: how much early data the ticket allows, and where the claims on it are kept.
    pub(crate) max_early_data: u32,
    pub(crate) claims: Option<[u8; CONTEXT_LEN]>,
    /// TLS 1.3: the mark of the pre-shared key that authenticated both sides.
    pub(crate) psk: Option<[u8; CONTEXT_LEN]>,
    /// TLS 1.3: what early data may count on, as the carrier says.
    pub(crate) promises: Vec<u8>,
}

/// The layout's number; another is not read.
const FORMAT: u8 = 7;
/// A client's chain longer than this is not kept, and so its session neither: tickets travel in ClientHellos.
const MAX_CHAIN: usize = 8 * 1024;
/// More than the fields of fixed length take.
const ROOM_FOR_FIXED: usize = 160;

impl ServerSession {
    /// What a handshake has settled: no secret is in it yet, and nothing that only TLS 1.3 has.
    pub(crate) fn of(facts: &Facts, created: SystemTime, context: Context, server_type: CertificateType) -> Self {
        Self {
            version: facts.version,
            suite: facts.suite,
            master: Box::new([0; MASTER_LEN]),
            extended_master_secret: facts.extended_master_secret,
            created,
            context,
            authenticated_until: facts.authenticated_until,
            server_name: facts.server_name.clone(),
            client_chain: facts.peer_chain().to_vec(),
            client_type: facts.peer_type,
            server_type,
            client_scheme: facts.client_scheme,
            group: facts.group,
            alpn: None,
            age_add: 0,
            max_early_data: 0,
            claims: None,
            psk: None,
            promises: Vec::new(),
        }
    }

    /// The session's bytes, wiped on drop: the master secret is among them. `None` if it is too large to keep.
    pub(crate) fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        if self.client_chain.iter().map(|c| c.len()).sum::<usize>() > MAX_CHAIN {
            return None;
        }
        let certificates = u8::try_from(self.client_chain.len()).ok()?;
        // Room for all at once: growing would leave copies of the secret behind.
        let chain = self.client_chain.iter().map(|c| c.len().saturating_add(3));
        let names = [self.alpn.as_ref().map_or(0, Vec::len), self.server_name.as_ref().map_or(0, String::len)];
        let names = names.into_iter().chain([self.promises.len()]);
        let room = chain.chain(names).fold(ROOM_FOR_FIXED, usize::saturating_add);
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        let written = Writer::write(&mut out, |w| self.write(certificates, w));
        written.ok().map(|()| out)
    }

    fn write(&self, certificates: u8, w: &mut Writer<'_>) {
        w.u8(FORMAT);
        w.u16(self.version.0);
        w.u16(self.suite.0);
        w.bytes(&self.master[..]);
        w.u8(u8::from(self.extended_master_secret));
        w.u8(self.client_type.0);
        w.u8(self.server_type.0);
        w.u16(self.client_scheme.map_or(0, |s| s.0));
        w.u16(self.group.map_or(0, |g| g.0));
        let created = self.created.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis();
        w.bytes(&u64::try_from(created).unwrap_or(u64::MAX).to_be_bytes());
        w.bytes(&self.context.0);
        w.u32(self.authenticated_until.0);
        if self.version == ProtocolVersion::Tls13 {
            w.u32(self.age_add);
            w.u32(self.max_early_data);
            for mark in [&self.claims, &self.psk] {
                w.vec8(|w| w.bytes(mark.as_ref().map_or(&[][..], |mark| mark)));
            }
        }
        w.vec8(|w| w.bytes(self.alpn.as_deref().unwrap_or_default()));
        w.vec8(|w| w.bytes(self.server_name.as_deref().unwrap_or_default().as_bytes()));
        w.u8(certificates);
        self.client_chain.iter().for_each(|c| w.vec24(|w| w.bytes(c)));
        // Nothing where the carrier promises nothing: most sessions are TCP's, and travel in hellos.
        if !self.promises.is_empty() {
            w.vec8(|w| w.bytes(&self.promises));
        }
    }

    /// Reads what [`Self::encode`] wrote. A session of another layout, or a damaged one, is no session.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        // It goes to the heap, and what lies in its padding along with it.
        overwrite_stack();
        Self::read(&mut Reader::new(bytes)).ok().flatten()
    }

    fn read(r: &mut Reader<'_>) -> Parsed<Option<Self>> {
        if r.u8("format")? != FORMAT {
            return Ok(None);
        }
        let version = ProtocolVersion(r.u16("version")?);
        let suite = CipherSuite(r.u16("suite")?);
        let mut master = Box::new([0; MASTER_LEN]);
        master.copy_from_slice(r.take(MASTER_LEN, "master")?);
        let extended_master_secret = r.u8("ems")? == 1;
        let client_type = CertificateType(r.u8("client_type")?);
        let server_type = CertificateType(r.u8("server_type")?);
        let client_scheme = Some(SignatureScheme(r.u16("client_scheme")?)).filter(|s| s.0 != 0);
        let group = Some(NamedGroup(r.u16("group")?)).filter(|g| g.0 != 0);
        let created = u64::from_be_bytes(*r.array("created")?);
        let context = Context(*r.array("context")?);
        let authenticated_until = End(r.u32("authenticated_until")?);
        let (age_add, max_early_data, claims, psk) = match version {
            ProtocolVersion::Tls13 => {
                (r.u32("age_add")?, r.u32("max_early_data")?, mark(r, "claims")?, mark(r, "psk")?)
            }
            _ => (0, 0, None, None),
        };
        let alpn = r.vec8("alpn")?.rest();
        let alpn = (!alpn.is_empty()).then(|| alpn.to_vec());
        let name = r.vec8("server_name")?.rest();
        let Ok(name) = core::str::from_utf8(name) else { return Ok(None) };
        let server_name = (!name.is_empty()).then(|| name.to_owned());
        let mut client_chain = Vec::new();
        for _ in 0..r.u8("chain")? {
            client_chain.push(r.vec24("certificate")?.rest().to_vec().into());
        }
        let promises = if version == ProtocolVersion::Tls13 && !r.is_empty() {
            Some(r.vec8("promises")?.rest().to_vec()).filter(|promises| !promises.is_empty())
        } else {
            Some(Vec::new())
        };
        r.finish("session")?;
        let Some(promises) = promises else { return Ok(None) };
        let Some(created) = UNIX_EPOCH.checked_add(Duration::from_millis(created)) else { return Ok(None) };
        Ok(Some(Self {
            version,
            suite,
            master,
            extended_master_secret,
            created,
            context,
            authenticated_until,
            server_name,
            client_chain,
            client_type,
            server_type,
            client_scheme,
            group,
            alpn,
            age_add,
            max_early_data,
            claims,
            psk,
            promises,
        }))
    }
}

/// A mark, or none.
fn mark(r: &mut Reader<'_>, what: &'static str) -> Parsed<Option<[u8; CONTEXT_LEN]>> {
    let mut mark = r.vec8(what)?;
    Ok(if mark.is_empty() { None } else { Some(*mark.array(what)?) })
}

impl Drop for ServerSession {
    fn drop(&mut self) {
        self.master.zeroize();
    }
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerSession({}, [secret])", self.suite)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn session(version: ProtocolVersion, client_chain: Vec<Vec<u8>>) -> ServerSession {
        ServerSession {
            version,
            suite: CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
            master: Box::new([7; 48]),
            extended_master_secret: true,
            created: UNIX_EPOCH + Duration::from_secs(1_900_000_000),
            context: Context([5; CONTEXT_LEN]),
            authenticated_until: End(1_900_100_000),
            server_name: Some("example.com".into()),
            client_chain: client_chain.into_iter().map(Into::into).collect(),
            client_type: CertificateType::X509,
            server_type: CertificateType::X509,
            client_scheme: None,
            group: Some(NamedGroup::X25519),
            alpn: Some(b"h2".to_vec()),
            age_add: 0x0102_0304,
            max_early_data: 99,
            claims: Some([6; CONTEXT_LEN]),
            psk: None,
            promises: Vec::new(),
        }
    }

    #[test]
    fn sessions_round_trip_and_damage_is_no_session() {
        for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
            let session = session(version, vec![vec![1; 300], vec![2; 500]]);
            let bytes = session.encode().unwrap();
            let back = ServerSession::decode(&bytes).unwrap();
            assert_eq!(back.encode().unwrap(), bytes);
            assert_eq!((back.server_name.as_deref(), &back.client_chain), (Some("example.com"), &session.client_chain));
            assert_eq!((back.context, back.authenticated_until), (session.context, session.authenticated_until));
            let claims = session.claims.filter(|_| version == ProtocolVersion::Tls13);
            assert_eq!((back.claims, back.psk), (claims, None));
            let early = if version == ProtocolVersion::Tls13 { (0x0102_0304, 99) } else { (0, 0) };
            assert_eq!((back.age_add, back.max_early_data, back.alpn.as_deref()), (early.0, early.1, Some(&b"h2"[..])));
            assert!(format!("{session:?}").ends_with("[secret])"), "{session:?}");
            for len in 0..bytes.len() {
                assert!(ServerSession::decode(&bytes[..len]).is_none(), "cut to {len}");
            }
            let mut other = bytes.clone();
            other[0] = 99;
            assert!(ServerSession::decode(&other).is_none());
        }
    }

    #[test]
    fn a_session_of_tls12_is_small() {
        let bytes = session(ProtocolVersion::Tls12, Vec::new()).encode().unwrap();
        assert_eq!(bytes.len(), 91 + "example.com".len() + "h2".len());
    }

    /// Every field comes back as another than the usual one.
    #[test]
    fn every_field_of_a_session_is_kept() {
        let mut other = session(ProtocolVersion::Tls13, vec![vec![3; 10]]);
        other.extended_master_secret = false;
        (other.client_type, other.server_type) = (CertificateType(3), CertificateType(4));
        (other.client_scheme, other.group) = (Some(SignatureScheme(0x0403)), None);
        (other.claims, other.psk) = (None, Some([8; CONTEXT_LEN]));
        (other.alpn, other.server_name) = (None, None);
        let back = ServerSession::decode(&other.encode().unwrap()).unwrap();
        assert!(!back.extended_master_secret);
        assert_eq!((back.client_type, back.server_type), (CertificateType(3), CertificateType(4)));
        assert_eq!((back.client_scheme, back.group), (Some(SignatureScheme(0x0403)), None));
        assert_eq!((back.claims, back.psk), (None, Some([8; CONTEXT_LEN])));
        assert_eq!((back.alpn.as_deref(), back.server_name.as_deref()), (None, None));
        assert_eq!((back.created, back.suite, &back.master[..]), (other.created, other.suite, &[7; 48][..]));
        let plain = session(ProtocolVersion::Tls12, Vec::new());
        let back = ServerSession::decode(&plain.encode().unwrap()).unwrap();
        assert!(back.extended_master_secret && back.group == Some(NamedGroup::X25519) && back.client_scheme.is_none());
        let longer = [&plain.encode().unwrap()[..], &[0]].concat();
        assert!(ServerSession::decode(&longer).is_none(), "something behind it");
    }

    #[test]
    fn a_session_with_too_long_a_chain_is_not_kept() {
        let of = |chain| session(ProtocolVersion::Tls12, chain).encode();
        assert!(of(vec![vec![1; MAX_CHAIN]]).is_some() && of(vec![vec![1; MAX_CHAIN + 1]]).is_none());
        assert!(of(vec![vec![1; MAX_CHAIN / 2]; 2]).is_some() && of(vec![vec![1; MAX_CHAIN / 2 + 1]; 2]).is_none());
        assert!(of(vec![Vec::new(); 255]).is_some() && of(vec![Vec::new(); 256]).is_none());
    }
}
