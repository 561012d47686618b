//! Who takes part: a CA that the client trusts, another that it does not, a server, a client.

use crate::failure::Failure;
use clasp::code::{CipherSuite, NamedGroup};
use clasp::config::{ClientBuilder, Ready, ServerBuilder, WebPki};
use clasp::session::{ClientSessionCache, TicketKeys};
use clasp::suite::{Kx, Suite};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, Roots, ServerConfig};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256,
};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Cast {
    roots: Arc<Roots>,
    server: (Vec<u8>, Vec<u8>),
    forged: (Vec<u8>, Vec<u8>),
    client: Arc<Identity>,
    tickets: Arc<TicketKeys>,
}

/// The 2009 device: RSA key transport, AES-CBC, HMAC-SHA-1.
pub(super) const CLASSIC: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
/// A browser of today, as far as TLS 1.2 goes.
pub(super) const MODERN: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;

impl Cast {
    pub(super) fn new() -> Result<Self, Failure> {
        let trusted = authority("Clasp Demo CA").map_err(Failure::cannot)?;
        let other = authority("Clasp Demo CA").map_err(Failure::cannot)?;
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(Failure::cannot)?;
        // He has no use for the server's certificate: its key is not his.
        let own = KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(Failure::cannot)?;
        let issue = |by: &Issuer<'_, KeyPair>, key: &KeyPair| -> Result<_, rcgen::Error> {
            let der = named("localhost")?.signed_by(key, by)?.der().to_vec();
            Ok((der, key.serialize_der()))
        };
        let client_key = KeyPair::generate().map_err(Failure::cannot)?;
        let client = named("alice").and_then(|p| p.signed_by(&client_key, &trusted.1)).map_err(Failure::cannot)?;
        let mut roots = Roots::empty();
        roots.add_der(&trusted.0).map_err(Failure::cannot)?;
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
        Ok(Self {
            roots: Arc::new(roots),
            server: issue(&trusted.1, &key).map_err(Failure::cannot)?,
            forged: issue(&other.1, &own).map_err(Failure::cannot)?,
            client: Arc::new(Identity::from_der(vec![client.der().clone()], &client_key.serialize_der())?),
            tickets: Arc::new(TicketKeys::random(clasp::crypto::Provider::builtin(), hour, day)?),
        })
    }

    /// The server's private key, as a thief may find it.
    pub(super) fn server_key(&self) -> &[u8] {
        &self.server.1
    }

    /// A client that offers this suite alone and keeps its sessions.
    pub(super) fn client(&self, suite: CipherSuite) -> ClientBuilder<Ready> {
        let policy = Policy::legacy().with_suites([suite]);
        let policy = match Suite::find(suite).map(|s| s.kx) {
            Some(Kx::Rsa) => policy.with_groups([]),
            _ => policy.with_groups(Policy::default().groups()),
        };
        ClientConfig::builder().trust(self.roots.clone()).policy(policy).sessions(Arc::new(ClientSessionCache::new(4)))
    }

    /// A client of TLS 1.3 that sends early data where it may.
    pub(super) fn client13(&self) -> ClientBuilder<Ready> {
        ClientConfig::builder()
            .trust(self.roots.clone())
            .policy(Policy::modern())
            .sessions(Arc::new(ClientSessionCache::new(4)))
            .early_data(true)
    }

    /// A server of TLS 1.3 that takes a little early data.
    pub(super) fn server13(&self) -> Result<ServerBuilder<Ready>, Failure> {
        Ok(self.server_with_tickets()?.policy(Policy::modern()).max_early_data(1024))
    }

    /// One that wants a key share its clients do not send at once.
    pub(super) fn server_that_retries(&self) -> Result<ServerBuilder<Ready>, Failure> {
        Ok(self.server()?.policy(Policy::modern().with_groups([NamedGroup::Secp384r1])))
    }

    pub(super) fn client_with_certificate(&self, suite: CipherSuite) -> ClientBuilder<Ready> {
        self.client(suite).identity(self.client.clone())
    }

    pub(super) fn server(&self) -> Result<ServerBuilder<Ready>, Failure> {
        let identity = Identity::from_der(vec![self.server.0.clone().into()], &self.server.1)?;
        Ok(ServerConfig::builder().identity(identity).policy(Policy::legacy()))
    }

    pub(super) fn server_with_tickets(&self) -> Result<ServerBuilder<Ready>, Failure> {
        Ok(self.server()?.tickets(self.tickets.clone()))
    }

    pub(super) fn server_that_asks(&self) -> Result<ServerBuilder<Ready>, Failure> {
        Ok(self.server()?.client_auth(ClientAuth::Require(Arc::new(WebPki::clients(self.roots.clone())))))
    }

    /// Has a certificate for the same name, from another CA of the same name.
    pub(super) fn man_in_the_middle(&self) -> Result<ServerBuilder<Ready>, Failure> {
        let identity = Identity::from_der(vec![self.forged.0.clone().into()], &self.forged.1)?;
        Ok(ServerConfig::builder().identity(identity).policy(Policy::legacy()))
    }
}

/// A certificate for this name, in the form that the public web asks for.
fn named(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![name.into()])?;
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    Ok(params)
}

fn authority(name: &str) -> Result<(Vec<u8>, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let der = params.self_signed(&key)?.der().to_vec();
    Ok((der, Issuer::new(params, key)))
}
