//! The rows of TLS 1.3.

use super::{ClientCert, End, FFDHE, Fault, LARGE, Resume, Row};
use clasp::suite::SUITES13;
use clasp::wire::code::{CipherSuite, NamedGroup};
use clasp_testkit::KeyKind;

pub(super) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> =
        SUITES13.iter().map(|s| Row::tls13(s.code.name().trim_start_matches("TLS_"), s.code)).collect();
    rows.extend(groups_and_keys());
    rows.extend(client_certificates());
    rows.extend(certificates_and_alpn());
    rows.extend(resumption());
    rows.extend(updates_transfers_and_closing());
    rows
}

const AES: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
const AES_256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
const CHACHA: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

const GROUPS: [NamedGroup; 7] = [
    NamedGroup::X25519MlKem768,
    NamedGroup::SecP256r1MlKem768,
    NamedGroup::SecP384r1MlKem1024,
    NamedGroup::X25519,
    NamedGroup::Secp256r1,
    NamedGroup::Secp384r1,
    NamedGroup::Secp521r1,
];

fn groups_and_keys() -> Vec<Row> {
    let over = |group: NamedGroup| Row::tls13(&format!("over {}", group.name()), AES).with(|r| r.group = Some(group));
    let mut rows: Vec<Row> = GROUPS.into_iter().chain(FFDHE).map(over).collect();
    for (name, key) in [
        ("RSA", KeyKind::Rsa),
        ("RSASSA-PSS", KeyKind::RsaPss),
        ("P-384", KeyKind::P384),
        ("Ed25519", KeyKind::Ed25519),
    ] {
        rows.push(Row::tls13(&format!("a server key of {name}"), AES).with(|r| r.key = key));
    }
    rows.push(Row::tls13("HelloRetryRequest", AES).with(|r| {
        r.group = Some(NamedGroup::Secp384r1);
        r.hello_retry = true;
    }));
    rows
}

fn client_certificates() -> Vec<Row> {
    let row = |name: &str, cert| Row::tls13(&format!("client certificate {name}"), AES).with(|r| r.client_cert = cert);
    vec![
        row("required, RSA sent", ClientCert::Sent(KeyKind::Rsa)),
        row("required, RSASSA-PSS sent", ClientCert::Sent(KeyKind::RsaPss)),
        row("required, P-256 sent", ClientCert::Sent(KeyKind::P256)),
        row("required, P-384 sent", ClientCert::Sent(KeyKind::P384)),
        row("required, none sent: refused", ClientCert::Missing),
        row("requested, none sent", ClientCert::Empty),
    ]
}

fn certificates_and_alpn() -> Vec<Row> {
    let row = |name: &str, fault| Row::tls13(name, AES).with(|r| r.fault = fault);
    vec![
        row("a server certificate by a stranger: refused", Fault::StrangersServer),
        row("a server certificate for another name: refused", Fault::OtherName),
        row("a client certificate by a stranger: refused", Fault::StrangersClient)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::P256)),
        row("ALPN", Fault::None).with(|r| r.alpn = true),
    ]
}

fn resumption() -> Vec<Row> {
    let row = |name: &str, suite, resume| Row::tls13(&format!("resumption {name}"), suite).with(|r| r.resume = resume);
    vec![
        row("by ticket, AES-128-GCM", AES, Resume::Ticket),
        row("by ticket, AES-256-GCM", AES_256, Resume::Ticket),
        row("by ticket, ChaCha20-Poly1305", CHACHA, Resume::Ticket),
        row("by ticket, with a client certificate", AES, Resume::Ticket)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::P256)),
        row("by ticket, after a HelloRetryRequest", AES, Resume::Ticket).with(|r| {
            r.group = Some(NamedGroup::Secp384r1);
            r.hello_retry = true;
        }),
        row("by ticket across two servers with one secret", AES, Resume::Fleet),
        row("with early data", AES, Resume::Ticket).with(|r| r.early_data = true),
        row("with early data, AES-256-GCM", AES_256, Resume::Ticket).with(|r| r.early_data = true),
    ]
}

fn updates_transfers_and_closing() -> Vec<Row> {
    let large = |name: &str, suite| Row::tls13(&format!("4 MiB each way, {name}"), suite).with(|r| r.bytes = LARGE);
    let closing = |name: &str, end| {
        Row::tls13(name, AES).with(|r| {
            r.end = end;
            r.checks_close = true;
        })
    };
    vec![
        Row::tls13("KeyUpdate, asked for and answered", AES).with(|r| {
            r.key_update = true;
            r.bytes = 64 * 1024;
        }),
        large("AES-GCM", AES),
        large("ChaCha20-Poly1305", CHACHA),
        Row::tls13("4 MiB to the client, AES-GCM", AES).with(|r| {
            r.bytes = LARGE;
            r.only_to_client = true;
        }),
        closing("the client closes first", End::Client),
        closing("the server closes first", End::Server),
        closing("a cut connection is an error", End::Cut),
    ]
}
