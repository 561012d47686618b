//! The settings that both sides have, word for word.

/// Gives a builder and its configuration those settings. The builder has a `config` with the fields, and `called`, which notes what
/// was said.
macro_rules! common_settings {
    ($builder:ident, $config:ident) => {
        impl $config {
            /// The same, seen by `observer`; everything else, the sessions too, is shared.
            #[must_use]
            pub fn with_observer(mut self, observer: std::sync::Arc<dyn $crate::trace::Observer>) -> Self {
                self.observer = Some($crate::trace::Watch::new(observer, false));
                self.changed()
            }

            /// The same, with the time of `clock`.
            #[must_use]
            pub fn with_clock(mut self, clock: std::sync::Arc<dyn $crate::config::Clock>) -> Self {
                self.clock = clock;
                self.changed()
            }

            /// The same, with other application protocols, best first (RFC 7301); everything else, the sessions too, is shared.
            ///
            /// # Errors
            /// If a protocol's name has not 1 to 255 bytes, or stands twice.
            pub fn with_alpn<P: AsRef<[u8]>>(
                mut self,
                protocols: impl IntoIterator<Item = P>,
            ) -> $crate::error::Result<Self> {
                self.alpn = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
                $crate::config::check_alpn(&self.alpn)?;
                Ok(self.changed())
            }

            /// What it is for QUIC is made anew when it is asked for: what there is was made before the change.
            #[cfg_attr(not(feature = "quic"), expect(unused_mut, reason = "nothing else is made of it"))]
            fn changed(mut self) -> Self {
                #[cfg(feature = "quic")]
                {
                    self.quic = std::sync::OnceLock::new();
                }
                self
            }

            /// The application protocols, best first.
            pub fn alpn(&self) -> &[Vec<u8>] {
                &self.alpn
            }
        }

        impl $builder<$crate::config::Ready> {
            /// What connections may use.
            #[must_use]
            pub fn policy(mut self, policy: $crate::config::Policy) -> Self {
                self.config.policy = policy;
                self
            }

            /// Application protocols, best first (RFC 7301). A server that has some refuses a client that offers others alone.
            #[must_use]
            pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
                self.config.alpn = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
                self
            }

            /// Keeps no sessions.
            #[must_use]
            pub fn no_sessions(mut self) -> Self {
                self.config.sessions = None;
                self
            }

            /// Who is told the secrets.
            #[must_use]
            pub fn key_log(mut self, log: std::sync::Arc<dyn $crate::keys::log::KeyLog>) -> Self {
                self.config.key_log = Some(log);
                self
            }

            /// Who sees what happens.
            #[must_use]
            pub fn observer(mut self, observer: std::sync::Arc<dyn $crate::trace::Observer>) -> Self {
                self.config.observer = Some($crate::trace::Watch::new(observer, false));
                self
            }

            /// Who sees what happens, the values of secrets too ([`What::Derived`]($crate::trace::What::Derived)): it can then read all
            /// that is sent, and so can whoever reads what it writes. For looking at key schedules.
            ///
            /// [`observer`](Self::observer) is told their names alone.
            #[must_use]
            pub fn dangerous_observe_secrets(mut self, observer: std::sync::Arc<dyn $crate::trace::Observer>) -> Self {
                self.config.observer = Some($crate::trace::Watch::new(observer, true));
                self
            }

            /// Where the time comes from.
            #[must_use]
            pub fn clock(mut self, clock: std::sync::Arc<dyn $crate::config::Clock>) -> Self {
                self.config.clock = clock;
                self
            }

            /// Which primitives are used.
            #[must_use]
            pub fn provider(mut self, provider: &'static $crate::crypto::Provider) -> Self {
                self.config.provider = provider;
                self
            }

            /// Which buffers and expanded keys connections use in turn: by default those of the process, which all
            /// configurations share.
            #[must_use]
            pub fn pool(mut self, pool: $crate::pool::Pool) -> Self {
                self.config.pool = pool;
                self
            }

            /// Announces that records with more plaintext than this are not taken (RFC 8449); 64 to 16384 bytes. A peer that
            /// does not know the extension sends what it likes, and a client that does not offer it is told nothing:
            /// [`Facts::record_size_limit`](crate::Facts) says what came of it.
            #[must_use]
            pub fn record_size_limit(mut self, bytes: u16) -> Self {
                self.config.record_size_limit = Some(bytes);
                self
            }

            /// Whether the extended master secret is offered or accepted (RFC 7627); on by default. Off is for tests of old
            /// peers.
            #[must_use]
            pub fn extended_master_secret(mut self, yes: bool) -> Self {
                self.config.extended_master_secret = yes;
                self
            }

            /// Whether encrypt-then-MAC is offered or accepted (RFC 7366); on by default. Off is for tests of old peers.
            #[must_use]
            pub fn encrypt_then_mac(mut self, yes: bool) -> Self {
                self.config.encrypt_then_mac = yes;
                self
            }

            /// Whether a TLS 1.3 session may be resumed without a fresh key exchange (`psk_ke`); off by default: it costs
            /// forward secrecy. A server does so only if the client offers nothing else.
            #[must_use]
            pub fn psk_without_dhe(mut self, yes: bool) -> Self {
                self.config.psk_without_dhe = yes;
                self
            }

            /// Compresses certificates with the first of these algorithms that the peer takes, and takes such (RFC 8879);
            /// none by default. They take the place of those that this gave before, behind the application's own.
            #[must_use]
            pub fn certificate_compression(
                mut self,
                algorithms: impl Into<Vec<$crate::code::CompressionAlgorithm>>,
            ) -> Self {
                self.called.note("certificate_compression");
                $crate::config::compression::set_built_in(&mut self.config.compression, algorithms.into());
                self
            }

            /// Compresses certificates, and takes such, in a way of the application's own too: behind those that stand
            /// already.
            #[must_use]
            pub fn certificate_compression_with(
                mut self,
                own: std::sync::Arc<dyn $crate::config::CertificateCompression>,
            ) -> Self {
                self.config.compression.push($crate::config::Compressor::Given(own));
                self
            }

            /// Pads TLS 1.3 records up to multiples of this many bytes (RFC 9846 5.4), to hide lengths; 0, the default,
            /// pads nothing.
            #[must_use]
            pub fn record_padding(mut self, block: usize) -> Self {
                self.config.padding = block;
                self
            }

            /// Sends no records with more than this many bytes of plaintext: 64 to 16384, the default.
            #[must_use]
            pub fn max_record(mut self, bytes: usize) -> Self {
                self.config.max_record = Some(bytes);
                self
            }
        }
    };
}

pub(super) use common_settings;
