//! What an established connection can give to other protocols: keying material (RFC 5705) and channel bindings
//! (RFC 5929).

use super::{Connection, Facts};
use crate::crypto::{HashId, Provider};
use crate::error::{Error, Misuse, Result};
use crate::handshake::Established;
use crate::keys::schedule12::{Master, VERIFY_DATA_LEN};
use std::sync::Arc;

/// What is kept of a finished handshake.
pub(super) struct Done {
    pub(super) facts: Arc<Facts>,
    hash: HashId,
    master: Master,
    randoms: [u8; 64],
    first_finished: [u8; VERIFY_DATA_LEN],
}

impl Done {
    pub(super) fn new(established: Established) -> Self {
        let mut randoms = [0; 64];
        randoms[..32].copy_from_slice(&established.client_random);
        randoms[32..].copy_from_slice(&established.server_random);
        Self {
            facts: Arc::new(established.facts),
            hash: established.hash,
            master: established.master,
            randoms,
            first_finished: established.first_finished,
        }
    }
}

impl Connection {
    fn done(&self) -> Result<&Done> {
        self.done.as_deref().ok_or_else(|| Misuse::HandshakeUnfinished.into())
    }

    /// Fills `out` with keying material that only the two ends of this connection have: RFC 5705 4. No context is
    /// another thing than an empty one.
    ///
    /// # Errors
    /// If the handshake is not done, or the label is one of TLS itself, or the context is longer than 65535 bytes.
    pub fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<()> {
        const RESERVED: [&[u8]; 5] =
            [b"client finished", b"server finished", b"master secret", b"key expansion", b"extended master secret"];
        let done = self.done()?;
        if RESERVED.contains(&label) {
            return Err(Error::from(Misuse::ExporterUnavailable).seen("a label of TLS itself"));
        }
        let hash = Provider::builtin().hash(done.hash)?;
        match context {
            None => done.master.export(hash, label, &[&done.randoms], out),
            Some(context) => {
                let length = u16::try_from(context.len())
                    .map_err(|_| Error::from(Misuse::ExporterTooLong).seen("a context of more than 65535 bytes"))?;
                done.master.export(hash, label, &[&done.randoms, &length.to_be_bytes(), context], out);
            }
        }
        Ok(())
    }

    /// `tls-unique`: the first Finished of the handshake (RFC 5929 3).
    ///
    /// # Errors
    /// If the handshake is not done, or the value is not unique: without the extended master secret a man in the
    /// middle can give two connections the same one (triple handshake, RFC 7627 1).
    pub fn tls_unique(&self) -> Result<[u8; VERIFY_DATA_LEN]> {
        let done = self.done()?;
        if done.facts.extended_master_secret {
            Ok(done.first_finished)
        } else {
            Err(Error::from(Misuse::ChannelBindingUnsafe).wanted("the extended master secret"))
        }
    }

    /// `tls-server-end-point` of a server's certificate (DER): its hash by the hash of its signature, SHA-256 in place
    /// of weaker ones (RFC 5929 4.1).
    ///
    /// # Errors
    /// If it is not a certificate, or its signature algorithm has no hash of its own.
    pub fn tls_server_end_point(certificate: &[u8]) -> Result<Vec<u8>> {
        let parsed = clasp_x509::Certificate::parse(certificate)
            .map_err(|field| Error::from(Misuse::BadCertificateFile).seen(field))?;
        let id = match parsed.signature_hash_bits() {
            Some(384) => HashId::Sha384,
            Some(512) => HashId::Sha512,
            Some(_) => HashId::Sha256,
            None => return Err(Error::from(Misuse::ExporterUnavailable).seen("a signature without a hash of its own")),
        };
        let mut context = Provider::builtin().hash(id)?.start();
        context.update(certificate);
        Ok(context.finish().as_ref().to_vec())
    }
}
