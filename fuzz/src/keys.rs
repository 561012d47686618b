//! Files that an operator gives: PEM and keys. They are trusted to be meant well, not to be whole.

use crate::input::Input;
use clasp::Roots;
use clasp::config::{Identity, PreSharedKey};
use clasp::crypto::{HashId, PrivateKey};

/// Reads the bytes as everything a file may be.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let chain = input.long();
    let key = input.0;
    if let Ok(identity) = Identity::from_pem(chain, key) {
        assert!(!identity.chain().is_empty() && !identity.spki().is_empty());
    }
    let mut roots = Roots::empty();
    if let Ok(count) = roots.add_pem(data) {
        assert!(count >= roots.len() && !roots.is_empty());
    }
    let _either_way = (roots.add_vetted(data).is_ok(), roots.add_der(data).is_ok());
    let _either_way = roots.add_anchor(chain, key, None).is_ok();
    if let Ok(key) = PrivateKey::from_der(data) {
        assert!(!key.schemes().is_empty());
        clasp_x509::describe_private_key(data).expect("a key that can be used can be described");
    }
    if let Ok(psk) = PreSharedKey::external(chain, key, HashId::Sha256) {
        assert_eq!(psk.identity(), chain);
    }
}
