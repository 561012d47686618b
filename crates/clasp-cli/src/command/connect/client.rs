//! A client as the command line has it: the name, the configuration, the socket.

use super::arguments::Peer;
use super::patient::Patient;
use crate::failure::Failure;
use crate::pem;
use crate::terminal::{self, Style, note};
use clasp::code::SignatureScheme;
use clasp::config::{ClientBuilder, PinnedKeys, Profile, Ready, WebPki};
use clasp::keys::log::KeyLogFile;
use clasp::{ClientConfig, ServerName};
use std::sync::Arc;
use std::time::Duration;

/// The name to ask for.
pub(crate) fn name(peer: &Peer) -> Result<ServerName<'static>, Failure> {
    let (host, _) = peer
        .target
        .rsplit_once(':')
        .ok_or_else(|| Failure::cannot(format_args!("{} has no port", peer.target)).hint("write HOST:PORT"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = peer.servername.as_deref().unwrap_or(host).to_string();
    ServerName::try_from(name.clone())
        .map_err(|_| Failure::cannot(format_args!("{name} is neither a DNS name nor an IP address")))
}

/// The port may be missing.
pub(crate) fn with_port(target: &str) -> String {
    let has_port = match target.rsplit_once(':') {
        None => false,
        // An IPv6 address by itself, with or without its brackets.
        Some((host, port)) => !port.ends_with(']') && (!host.contains(':') || host.ends_with(']')),
    };
    match has_port {
        true => target.into(),
        false if target.contains(':') && !target.starts_with('[') => format!("[{target}]:443"),
        false => format!("{target}:443"),
    }
}

/// A path as a request has it.
pub(super) fn check_path(path: &str) -> Result<(), Failure> {
    if path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Failure::cannot(format_args!("--get {path} is no path of a request"))
        .hint("begin it with /, and write spaces and the like as %20"))
}

/// RFC 9110 7.2: the host as the URI has it, with the port.
pub(super) fn authority(servername: Option<&str>, target: &str) -> String {
    match (servername, target.rsplit_once(':')) {
        (Some(name), Some((_, port))) if port != "443" => format!("{name}:{port}"),
        (Some(name), _) => name.into(),
        (None, Some((host, "443"))) => host.into(),
        (None, _) => target.into(),
    }
}

/// What the options make of a configuration.
pub(crate) fn builder(peer: &Peer) -> Result<ClientBuilder<Ready>, Failure> {
    let builder = if peer.insecure && !peer.pin.is_empty() {
        ClientConfig::builder().trust_pinned(PinnedKeys::in_place_of_a_chain(peer.pin.iter().copied()))
    } else if peer.insecure {
        let warning = terminal::on_stderr(Style::Bad, "warning:");
        note(format_args!("{warning} --insecure: the peer can be anybody, and so can whoever is in the middle"));
        ClientConfig::builder().dangerous_trust_anyone()
    } else {
        let roots = pem::roots(peer.ca.as_deref())?;
        let mut chains = WebPki::servers(roots);
        if peer.common_name && peer.profile.as_deref() == Some(Profile::Legacy.name()) {
            return Err(Failure::cannot("--common-name adds nothing to --profile legacy, which takes common names")
                .hint("leave one of them out"));
        }
        if let Some(profile) = &peer.profile {
            chains = chains.profile(pem::profile(profile)?);
        }
        let chains = if peer.common_name { chains.common_names() } else { chains };
        match &peer.pin[..] {
            [] => ClientConfig::builder().trust(chains),
            pins => ClientConfig::builder().trust_pinned(PinnedKeys::in_addition_to(chains, pins.iter().copied())),
        }
    };
    let mut policy = peer.negotiation.policy()?;
    if !peer.schemes.is_empty() {
        policy = policy.with_schemes(peer.schemes.iter().map(|s| scheme(s)).collect::<Result<Vec<_>, _>>()?);
    }
    let mut builder = builder.policy(policy).alpn(&peer.alpn);
    builder = builder.grease(!peer.no_grease);
    builder = builder.request_status(!peer.no_status_request);
    if let (Some(cert), Some(key)) = (&peer.cert, &peer.key) {
        pem::check_password(&[key], peer.key_password_file.as_deref())?;
        builder = builder.identity(pem::identity(cert, key, peer.key_password_file.as_deref())?);
    }
    if let Some(path) = &peer.keylog {
        builder = builder.key_log(Arc::new(KeyLogFile::open(path).map_err(|e| Failure::file(path, e))?));
    }
    Ok(builder)
}

/// The socket to the server.
pub(crate) fn tcp(peer: &Peer) -> Result<Patient, Failure> {
    Patient::connect(&peer.target, Duration::from_secs(peer.timeout)).map_err(|e| {
        Failure::cannot(format_args!("{}: {e}", peer.target)).hint("is the server running, and the port right?")
    })
}

/// A signature scheme by its name.
fn scheme(name: &str) -> Result<SignatureScheme, Failure> {
    let widest = clasp::Policy::legacy();
    widest.schemes().iter().copied().find(|s| s.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<_> = widest.schemes().iter().map(|s| s.name()).collect();
        Failure::cannot(format_args!("there is no signature scheme {name}"))
            .hint(format!("use some of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_may_be_missing() {
        for (target, whole) in [
            ("example.com", "example.com:443"),
            ("example.com:8443", "example.com:8443"),
            ("192.0.2.1", "192.0.2.1:443"),
            ("[2001:db8::1]", "[2001:db8::1]:443"),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
            ("2001:db8::1", "[2001:db8::1]:443"),
        ] {
            assert_eq!(with_port(target), whole);
        }
    }
}
