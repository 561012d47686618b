//! Encrypted Client Hello as the flags ask for it.

use crate::doubles::answer;
use crate::failure::Failure;
use crate::flags::Flags;
use clasp::Answer;
use clasp::crypto::Provider;
use clasp::ech::{EchConfigList, EchError, EchKey, EchKeyRing, EchKeys, EchMode};
use clasp::hpke::RecipientKey;
use std::sync::Arc;

/// The keys of a server. Without any it is what a backend is, which confirms what another server has opened: the runner's own
/// library does so always, Clasp if it is asked to.
pub(crate) fn keys(flags: &Flags) -> Result<Arc<dyn EchKeys>, Failure> {
    let (configs, keys, retry) = (&flags.ech_server_configs, &flags.ech_server_keys, &flags.ech_is_retry_config);
    if configs.len() != keys.len() || configs.len() != retry.len() {
        return Err(Failure::new("-ech-server-config, -ech-server-key and -ech-is-retry-config go together"));
    }
    let mut all = Vec::new();
    for (config, key) in configs.iter().zip(keys) {
        let list = list(&[config])?;
        let kem = list.configs().first().ok_or_else(|| Failure::unimplemented("this version of ECH"))?.kem();
        let key = RecipientKey::from_private(Provider::builtin(), kem, key)
            .map_err(|_| Failure::unimplemented(format!("an ECH key of {kem}")))?;
        all.push(EchKey::new(key, list).map_err(|error| wrong(&error))?);
    }
    let mut ring = EchKeyRing::new(all).map_err(|error| wrong(&error))?;
    let told: Vec<&Vec<u8>> =
        configs.iter().zip(retry).filter(|(_, yes)| **yes != 0).map(|(config, _)| config).collect();
    if !told.is_empty() {
        ring = ring.retry_with(list(&told)?).map_err(|error| wrong(&error))?;
    }
    Ok(Arc::new(Ring { ring: Arc::new(ring), slow: flags.async_ }))
}

/// What a client does about its hello. Where no configuration can be used Clasp leaves to the caller whether the name may be seen: here
/// the flags say.
pub(crate) fn mode(flags: &Flags, tls13: bool) -> Result<EchMode, Failure> {
    let list = match &flags.ech_config_list {
        Some(bytes) => Some(EchConfigList::parse(bytes).map_err(|error| wrong(&error))?),
        None if flags.reject_unusable_ech_config => Some(EchConfigList::of([]).map_err(|error| wrong(&error))?),
        None => None,
    };
    let usable = |list: &EchConfigList| tls13 && list.choose(Provider::builtin()).is_some();
    Ok(match list {
        Some(list) if usable(&list) || flags.reject_unusable_ech_config => EchMode::Offer(list),
        _ if flags.enable_ech_grease && tls13 => EchMode::Grease,
        _ => EchMode::Off,
    })
}

/// ECHConfigList: RFC 9849 4.
fn list(configs: &[&Vec<u8>]) -> Result<EchConfigList, Failure> {
    let len: usize = configs.iter().map(|config| config.len()).sum();
    let mut bytes = u16::try_from(len).map_err(|_| Failure::new("a long ECHConfigList"))?.to_be_bytes().to_vec();
    configs.iter().for_each(|config| bytes.extend_from_slice(config));
    EchConfigList::parse(&bytes).map_err(|error| wrong(&error))
}

fn wrong(error: &EchError) -> Failure {
    Failure::new(format!("{error:?} {error}"))
}

struct Ring {
    ring: Arc<EchKeyRing>,
    slow: bool,
}

impl EchKeys for Ring {
    fn keys(&self) -> Answer<'_, Arc<EchKeyRing>> {
        answer(self.slow, self.ring.clone())
    }
}
