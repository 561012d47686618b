//! RFC 9001 A.5, RFC 9369 A.5: what comes of a secret that only the inside has.

use super::keys::{DirectionKeys, PacketKey};
use super::{HeaderKey, Version};
use crate::crypto::{AeadId, HashId, Provider};
use crate::keys::maker::KeyMaterial;
use crate::keys::schedule13::{TrafficKeys, next_secret};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

const SECRET: &str = "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b";

#[test]
fn a_short_header_with_chacha20() {
    const ID: AeadId = AeadId::ChaCha20Poly1305;
    let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
    for (version, key, iv, hp, next, sent) in [
        (
            Version::V1,
            "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
            "e0459b3474bdd0e44a41c144",
            "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
            "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9",
            "4cfe4189655e5cd55c41f69080575d7999c25a5bfb",
        ),
        (
            Version::V2,
            "3bfcddd72bcf02541d7fa0dd1f5f9eeea817e09a6963a0e6c7df0f9a1bab90f2",
            "a6b5bc6ab7dafce30ffff5dd",
            "d659760d2ba434a226fd37b35c69e2da8211d10c4f12538787d65645d5d1b8e2",
            "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88",
            "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba",
        ),
    ] {
        let keys = TrafficKeys::of(hash, &hex(SECRET), ID, version.labels());
        assert_eq!((keys.key[..].to_vec(), keys.iv.to_vec(), keys.hp.to_vec()), (hex(key), hex(iv), hex(hp)));
        let mut after = [0; 32];
        next_secret(hash, &hex(SECRET), version.update_labels(), &mut after);
        assert_eq!(after[..], hex(next));

        let made = |provider| DirectionKeys::new(provider, &KeyMaterial::Tls13 { aead: ID, keys: &keys }).unwrap();
        let keys = made(Provider::builtin());
        assert_eq!((keys.packet.confidentiality_limit(), keys.packet.integrity_limit()), (u64::MAX, 1 << 36));
        let mut packet = [&hex("4200bff4")[..], &[1], &[0; PacketKey::TAG_LEN]].concat();
        keys.packet.seal(654_360_564, &mut packet, 4).unwrap();
        keys.header.protect(&mut packet, 1).unwrap();
        assert_eq!(packet, hex(sent), "{version:?}");
        assert!(packet.len() > HeaderKey::REACH);
        for text in [format!("{keys:?}"), format!("{:?}", keys.packet)] {
            assert!(text.contains("[secret]"), "{text}");
        }
        assert_eq!(keys.header.unprotect(&mut packet, 1).unwrap(), 3);
        let (header, sealed) = packet.split_at_mut(4);
        assert_eq!(keys.packet.open(654_360_564, header, sealed).unwrap(), 1);
        assert_eq!(sealed[0], 1);
    }
}

/// A provider without header protection cannot do QUIC, and says so.
#[test]
fn a_provider_may_have_none() {
    use crate::crypto::{Aead, AeadKey, CryptoResult};
    struct Bare;
    impl Aead for Bare {
        fn id(&self) -> AeadId {
            AeadId::Aes128Gcm
        }
        fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
            Provider::builtin().aead(AeadId::Aes128Gcm)?.key(key)
        }
    }
    assert!(Bare.header_key(&[0; 16]).is_err());
    for provider in Provider::choices() {
        for id in [AeadId::Aes128Gcm, AeadId::Aes256Gcm, AeadId::ChaCha20Poly1305] {
            let aead = provider.aead(id).unwrap();
            assert!(aead.header_key(&vec![7; id.key_len()]).is_ok() && aead.header_key(&[7; 5]).is_err(), "{id:?}");
        }
    }
}
