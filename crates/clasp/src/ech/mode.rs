//! What a client does about its hello, and to which configuration it is sealed: RFC 9849 6.1, 6.2.

use super::config::{EchConfig, EchConfigList, Unfit};
use super::error::EchError;
use crate::crypto::Provider;
use crate::hpke::Suite;
use core::fmt;
use rustls_pki_types::ServerName;
use std::sync::Arc;

/// What a client does about its hello.
///
/// ```
/// use clasp::{crypto::Provider, ech::{EchKey, EchMode, EchParameters}};
/// # let published = EchKey::generate(Provider::builtin(), &EchParameters::new("public.example"))?.list().to_base64();
/// use clasp::ech::EchConfigList;
/// let list = EchConfigList::from_base64(&published)?; // ech= of the HTTPS record of hidden.example
/// let config = clasp::ClientConfig::builder().dangerous_trust_anyone().build()?; // once
/// let hiding = config.as_ref().clone().with_encrypted_client_hello(EchMode::Offer(list))?; // for this server
/// let connection = std::sync::Arc::new(hiding).connect("hidden.example".try_into()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EchMode {
    /// It says what it says for all to see.
    #[default]
    Off,
    /// The same, and it says it with random bytes that look like a hidden hello, so that hidden ones do not stick out (RFC 9849
    /// 6.2). They hide nothing.
    Grease,
    /// It hides its hello, by the first configuration of the list that it can use. The list is that of one server: whoever
    /// connects to several says so for each.
    Offer(EchConfigList),
}

/// The same, when the configuration is chosen.
#[derive(Clone)]
pub(crate) enum Plan {
    Off,
    Grease,
    Offer(Arc<Chosen>),
}

/// A configuration to seal to.
pub(crate) struct Chosen {
    pub(crate) config: EchConfig,
    pub(crate) suite: Suite,
    /// The name that stands outside.
    pub(crate) public_name: ServerName<'static>,
}

impl Plan {
    /// Chooses.
    ///
    /// # Errors
    /// If no configuration of the list can be used: what was to be hidden would stand in plain sight.
    pub(crate) fn of(mode: EchMode, provider: &Provider) -> Result<Self, EchError> {
        let list = match mode {
            EchMode::Off => return Ok(Self::Off),
            EchMode::Grease => return Ok(Self::Grease),
            EchMode::Offer(list) => list,
        };
        let mut why = None;
        for config in list.configs() {
            match Chosen::new(config, provider) {
                Ok(chosen) => return Ok(Self::Offer(Arc::new(chosen))),
                Err(unfit) => why = why.or(Some(unfit)),
            }
        }
        Err(EchError::NoneUsable(why))
    }
}

impl Chosen {
    fn new(config: &EchConfig, provider: &Provider) -> Result<Self, Unfit> {
        let suite = config.suite(provider)?;
        let name = core::str::from_utf8(config.public_name()).ok().and_then(|name| ServerName::try_from(name).ok());
        let name = name.filter(|name| matches!(name, ServerName::DnsName(_))).ok_or(Unfit::PublicName)?;
        Ok(Self { config: config.clone(), suite, public_name: name.to_owned() })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("Off"),
            Self::Grease => f.write_str("Grease"),
            Self::Offer(chosen) => write!(f, "Offer({:?})", chosen.config),
        }
    }
}
