//! The runner's flags: which there are, what each takes, and what is made of it. An unknown flag is not implemented,
//! never an error of the test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// The flags of one process: for the first connection, for those that resume, and for a retry after refused early data.
pub(crate) struct Parsed {
    pub(crate) resume_count: u32,
    pub(crate) initial: Flags,
    pub(crate) resume: Flags,
    pub(crate) retry: Flags,
}

/// One identity that the flags describe.
#[derive(Clone, Default)]
pub(crate) struct Credential {
    pub(crate) kind: CredentialKind,
    pub(crate) cert_file: Option<String>,
    pub(crate) key_file: Option<String>,
    pub(crate) signing_prefs: Vec<u16>,
    pub(crate) ocsp: Option<Vec<u8>>,
    pub(crate) timestamps: Option<Vec<u8>>,
    pub(crate) must_match_issuer: bool,
    pub(crate) psk: Vec<u8>,
    pub(crate) psk_identity: Vec<u8>,
    pub(crate) psk_context: Vec<u8>,
    pub(crate) psk_sha384: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    #[default]
    X509,
    RawPublicKey,
    PreSharedKey,
}

macro_rules! flags {
    (
        switches { $($switch:ident $switch_name:literal,)* }
        numbers { $($number:ident $number_name:literal,)* }
        lists { $($list:ident $list_name:literal,)* }
        texts { $($text:ident $text_name:literal,)* }
        blobs { $($blob:ident $blob_name:literal,)* }
        blob_lists { $($blob_list:ident $blob_list_name:literal,)* }
        ignored { $($ignored:literal,)* }
        ignored_with_value { $($ignored_value:literal,)* }
    ) => {
        /// The flags of one connection.
        #[derive(Clone, Default)]
        pub(crate) struct Flags {
            $(pub(crate) $switch: bool,)*
            $(pub(crate) $number: Option<u64>,)*
            $(pub(crate) $list: Vec<u16>,)*
            $(pub(crate) $text: Option<String>,)*
            $(pub(crate) $blob: Option<Vec<u8>>,)*
            $(pub(crate) $blob_list: Vec<Vec<u8>>,)*
            /// The identity of the flags in front of the first `-new-…-credential`.
            pub(crate) base: Credential,
            pub(crate) credentials: Vec<Credential>,
            pub(crate) resumption_delay: Duration,
        }

        enum Kind { Switch, Valued, Credential, Unknown }

        fn kind(name: &str) -> Kind {
            match name {
                $($switch_name)|* $(| $ignored)* => Kind::Switch,
                $($number_name)|* $(| $list_name)* $(| $text_name)* $(| $blob_name)* $(| $blob_list_name)*
                $(| $ignored_value)* => Kind::Valued,
                _ => credential_kind(name),
            }
        }

        impl Flags {
            fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
                match name {
                    $($switch_name => self.$switch = true,)*
                    $($number_name => self.$number = Some(number(name, value)?),)*
                    $($list_name => self.$list.push(short(name, value)?),)*
                    $($text_name => self.$text = Some(value.into()),)*
                    $($blob_name => self.$blob = Some(blob(name, value)?),)*
                    $($blob_list_name => self.$blob_list.push(blob(name, value)?),)*
                    $($ignored)|* => {}
                    $($ignored_value)|* => {}
                    _ => self.set_credential(name, value)?,
                }
                Ok(())
            }
        }
    };
}

flags! {
    switches {
        server "-server", ipv6 "-ipv6", async_ "-async", verify_peer "-verify-peer", verify_fail "-verify-fail",
        require_any_client_certificate "-require-any-client-certificate", custom_verify "-use-custom-verify-callback",
        reverify_on_resume "-reverify-on-resume", shim_writes_first "-shim-writes-first",
        shim_shuts_down "-shim-shuts-down", check_close_notify "-check-close-notify",
        enable_early_data "-enable-early-data", use_export_context "-use-export-context",
        enable_ocsp_stapling "-enable-ocsp-stapling", use_ocsp_callback "-use-ocsp-callback",
        set_ocsp_in_callback "-set-ocsp-in-callback", decline_ocsp_callback "-decline-ocsp-callback",
        fail_ocsp_callback "-fail-ocsp-callback", enable_timestamps "-enable-signed-cert-timestamps",
        no_tls13 "-no-tls13", no_tls12 "-no-tls12", no_tls11 "-no-tls11", no_tls1 "-no-tls1", no_ticket "-no-ticket",
        decline_alpn "-decline-alpn", reject_alpn "-reject-alpn", tls_unique "-tls-unique", send_alert "-send-alert",
        key_update "-key-update", key_update_before_read "-key-update-before-read", enable_grease "-enable-grease",
        no_key_shares "-no-key-shares", fail_cert_callback "-fail-cert-callback",
        fail_early_callback "-fail-early-callback",
        no_legacy_server_connect "-no-legacy-server-connect", handshake_never_done "-handshake-never-done",
        read_with_unfinished_write "-read-with-unfinished-write",
        expect_session_miss "-expect-session-miss", expect_no_session "-expect-no-session",
        expect_ticket_renewal "-expect-ticket-renewal", expect_session_id "-expect-session-id",
        expect_no_session_id "-expect-no-session-id",
        expect_ticket_supports_early_data "-expect-ticket-supports-early-data",
        expect_accept_early_data "-expect-accept-early-data", expect_reject_early_data "-expect-reject-early-data",
        expect_no_offer_early_data "-expect-no-offer-early-data",
        expect_extended_master_secret "-expect-extended-master-secret",
        expect_secure_renegotiation "-expect-secure-renegotiation",
        expect_no_secure_renegotiation "-expect-no-secure-renegotiation", expect_hrr "-expect-hrr",
        expect_no_hrr "-expect-no-hrr", expect_no_peer_cert "-expect-no-peer-cert",
        expect_no_server_name "-expect-no-server-name", expect_verify_result "-expect-verify-result",
        server_preference "-server-preference", renegotiate_ignore "-renegotiate-ignore",
        renegotiate_once "-renegotiate-once", renegotiate_freely "-renegotiate-freely",
        renegotiate_explicit "-renegotiate-explicit", compression_all "-install-cert-compression-algs",
        fail_ddos_callback "-fail-ddos-callback", use_ticket_callback "-use-ticket-callback",
        use_ticket_aead_callback "-use-ticket-aead-callback", renew_ticket "-renew-ticket",
        skip_ticket "-skip-ticket", export_traffic_secrets "-export-traffic-secrets", quic "-quic",
        expect_ech_accept "-expect-ech-accept", enable_ech_grease "-enable-ech-grease",
        reject_unusable_ech_config "-reject-unusable-ech-config",
        expect_no_ech_retry_configs "-expect-no-ech-retry-configs",
        expect_no_ech_name_override "-expect-no-ech-name-override",
    }
    numbers {
        port "-port", shim_id "-shim-id", min_version "-min-version", max_version "-max-version",
        expect_version "-expect-version", export_keying_material "-export-keying-material",
        repeat_shim_initial_write "-repeat-shim-initial-write",
        expect_peer_signature_algorithm "-expect-peer-signature-algorithm", expect_curve_id "-expect-curve-id",
        expect_cipher "-expect-cipher", expect_cipher_aes "-expect-cipher-aes", resumption_delay_s "-resumption-delay",
        max_send_fragment "-max-send-fragment", read_size "-read-size",
        expect_selected_credential "-expect-selected-credential",
        expect_peer_certificate_type "-expect-peer-certificate-type",
        expect_total_renegotiations "-expect-total-renegotiations",
        expect_ticket_age_skew "-expect-ticket-age-skew", compression_one "-install-one-cert-compression-alg",
        early_write_after_message "-early-write-after-message",
        quic_use_legacy_codepoint "-quic-use-legacy-codepoint",
    }
    lists {
        verify_prefs "-verify-prefs", expect_peer_verify_prefs "-expect-peer-verify-pref", curves "-curves",
        key_shares "-key-shares", accepted_peer_cert_types "-accepted-peer-cert-types",
        available_client_cert_types "-available-client-cert-types",
        server_groups "-server-supported-groups-hint", ech_is_retry_config "-ech-is-retry-config",
    }
    texts {
        cipher "-cipher",
        host_name "-host-name", expect_server_name "-expect-server-name", advertise_alpn "-advertise-alpn",
        expect_alpn "-expect-alpn", expect_advertised_alpn "-expect-advertised-alpn", select_alpn "-select-alpn",
        shim_initial_write "-shim-initial-write", export_label "-export-label", export_context "-export-context",
        use_client_ca_list "-use-client-ca-list", expect_client_ca_list "-expect-client-ca-list",
        expect_peer_cert_file "-expect-peer-cert-file", expect_early_data_reason "-expect-early-data-reason",
        expect_ech_name_override "-expect-ech-name-override", expect_messages "-expect-msg-callback",
    }
    blobs {
        expect_ocsp_response "-expect-ocsp-response", expect_timestamps "-expect-signed-cert-timestamps",
        expect_certificate_types "-expect-certificate-types", expect_peer_rpk_sha256 "-expect-peer-rpk-sha256",
        transport_parameters "-quic-transport-params", expect_transport_parameters "-expect-quic-transport-params",
        ech_config_list "-ech-config-list", expect_ech_retry_configs "-expect-ech-retry-configs",
    }
    blob_lists {
        ech_server_configs "-ech-server-config", ech_server_keys "-ech-server-key",
    }
    ignored {
        // Ways of the C++ shim to call its library, which come to the same here.
        "-implicit-handshake", "-use-early-callback", "-use-old-client-cert-callback", "-install-ddos-callback",
        "-no-op-extra-handshake", "-handshake-twice", "-forbid-renegotiation-after-handshake",
        // About an external handshaker, of which this shim says that it has none.
        "-allow-hint-mismatch",
    }
    ignored_with_value {
        "-trust-cert", "-resume-count", "-private-key-delay-ms", "-write-settings", "-expect-cipher-no-aes",
        // What early data over QUIC goes with, in Clasp, is the transport parameters.
        "-quic-early-data-context",
    }
}

fn credential_kind(name: &str) -> Kind {
    match name {
        "-new-x509-credential"
        | "-new-rpk-credential"
        | "-new-psk-credential"
        | "-must-match-issuer"
        | "-psk-importer-sha256"
        | "-psk-importer-sha384" => Kind::Credential,
        "-cert-file"
        | "-key-file"
        | "-signing-prefs"
        | "-ocsp-response"
        | "-signed-cert-timestamps"
        | "-psk-importer-key"
        | "-psk-importer-identity"
        | "-psk-importer-context" => Kind::Valued,
        _ => Kind::Unknown,
    }
}

impl Flags {
    fn credential(&mut self) -> &mut Credential {
        match self.credentials.last_mut() {
            Some(last) => last,
            None => &mut self.base,
        }
    }

    fn set_credential(&mut self, name: &str, value: &str) -> Result<(), String> {
        let new = |kind| Credential { kind, ..Credential::default() };
        match name {
            "-new-x509-credential" => self.credentials.push(new(CredentialKind::X509)),
            "-new-rpk-credential" => self.credentials.push(new(CredentialKind::RawPublicKey)),
            "-new-psk-credential" => self.credentials.push(new(CredentialKind::PreSharedKey)),
            "-must-match-issuer" => self.credential().must_match_issuer = true,
            "-psk-importer-sha256" => self.credential().psk_sha384 = false,
            "-psk-importer-sha384" => self.credential().psk_sha384 = true,
            "-cert-file" => self.credential().cert_file = Some(value.into()),
            "-key-file" => self.credential().key_file = Some(value.into()),
            "-signing-prefs" => {
                let scheme = short(name, value)?;
                self.credential().signing_prefs.push(scheme);
            }
            "-ocsp-response" => self.credential().ocsp = Some(blob(name, value)?),
            "-signed-cert-timestamps" => self.credential().timestamps = Some(blob(name, value)?),
            "-psk-importer-key" => self.credential().psk = blob(name, value)?,
            "-psk-importer-identity" => self.credential().psk_identity = blob(name, value)?,
            "-psk-importer-context" => self.credential().psk_context = blob(name, value)?,
            _ => return Err(name.into()),
        }
        Ok(())
    }

    /// Whom a client asks for.
    pub(crate) fn name(&self) -> &str {
        self.host_name.as_deref().unwrap_or("test")
    }

    /// The longest read of the echo loop: what the C++ shim reads at once.
    pub(crate) fn chunk(&self) -> usize {
        self.read_size.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(512)
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    // The runner writes -1 for none.
    let signed = value.parse::<i64>().map(i64::cast_unsigned);
    value.parse().or(signed).map_err(|_| format!("{name} {value}"))
}

fn short(name: &str, value: &str) -> Result<u16, String> {
    value.parse().map_err(|_| format!("{name} {value}"))
}

fn blob(name: &str, value: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(value).map_err(|_| format!("{name} {value}"))
}

/// Reads the command line.
///
/// # Errors
/// The first flag that is not known here, or a value that cannot be read.
pub(crate) fn parse(args: &[String]) -> Result<Parsed, String> {
    let mut parsed =
        Parsed { resume_count: 0, initial: Flags::default(), resume: Flags::default(), retry: Flags::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (whose, rest) = strip(arg, &["-on-shim", "-on-handshaker"]);
        let (which, name) = strip(rest, &["-on-initial", "-on-resume", "-on-retry"]);
        let value = match kind(name) {
            Kind::Switch | Kind::Credential => "",
            Kind::Valued => args.next().ok_or_else(|| format!("{name} without a value"))?,
            Kind::Unknown => return Err(name.into()),
        };
        // There is no handshaker, so what is for it alone is for nobody.
        if whose == Some(1) {
            continue;
        }
        if name == "-resume-count" {
            parsed.resume_count = number(name, value)?.try_into().map_err(|_| name)?;
        }
        let all = [&mut parsed.initial, &mut parsed.resume, &mut parsed.retry];
        for (n, flags) in all.into_iter().enumerate() {
            if which.is_none_or(|w| w == n) {
                flags.set(name, value)?;
            }
        }
    }
    for flags in [&mut parsed.initial, &mut parsed.resume, &mut parsed.retry] {
        flags.resumption_delay = Duration::from_secs(flags.resumption_delay_s.unwrap_or(0));
    }
    Ok(parsed)
}

/// Takes one of the prefixes off a flag, and says which.
fn strip<'a>(arg: &'a str, prefixes: &[&str]) -> (Option<usize>, &'a str) {
    for (n, prefix) in prefixes.iter().enumerate() {
        if let Some(name) = arg.strip_prefix(prefix).filter(|name| name.starts_with('-')) {
            return (Some(n), name);
        }
    }
    (None, arg)
}
