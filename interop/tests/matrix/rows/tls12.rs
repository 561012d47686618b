//! The rows of TLS 1.2.

use super::{ClientCert, End, Fault, LARGE, Resume, Row, Switch};
use clasp::suite::SUITES;
use clasp::wire::code::{CipherSuite, NamedGroup};
use clasp_testkit::KeyKind;

pub(super) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> =
        SUITES.iter().map(|s| Row::tls12(s.code.name().trim_start_matches("TLS_"), s.code)).collect();
    rows.extend(groups_and_keys());
    rows.extend(extensions());
    rows.extend(client_certificates());
    rows.extend(certificates_and_alpn());
    rows.extend(resumption());
    rows.extend(transfers_and_closing());
    rows
}

const RSA_CBC: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
const ECDHE_RSA: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
const ECDHE_ECDSA: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
const ECDHE_CBC: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA;
const CHACHA: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
const DHE_RSA: CipherSuite = CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256;

fn groups_and_keys() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, suite) in [("ECDHE_RSA", ECDHE_RSA), ("ECDHE_ECDSA", ECDHE_ECDSA)] {
        for group in [NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Secp384r1, NamedGroup::Secp521r1] {
            let row = Row::tls12(format!("{name} over {}", group.name()), suite);
            rows.push(row.with(|r| {
                r.group = Some(group);
                if (group, r.key) == (NamedGroup::Secp384r1, KeyKind::P256) {
                    r.key = KeyKind::P384;
                }
            }));
        }
    }
    for group in super::FFDHE {
        rows.push(Row::tls12(format!("DHE_RSA over {}", group.name()), DHE_RSA).with(|r| r.group = Some(group)));
    }
    for (name, key) in [("P-384", KeyKind::P384), ("Ed25519", KeyKind::Ed25519)] {
        rows.push(Row::tls12(format!("a server key of {name}"), ECDHE_ECDSA).with(|r| r.key = key));
    }
    rows.push(Row::tls12("a server key of RSASSA-PSS", ECDHE_RSA).with(|r| r.key = KeyKind::RsaPss));
    rows
}

fn extensions() -> Vec<Row> {
    let mut rows = Vec::new();
    for (who, switch) in [("clasp", Switch::OffOurs), ("the peer", Switch::OffTheirs)] {
        for (name, suite) in [("RSA AES_128_CBC_SHA", RSA_CBC), ("ECDHE AES_256_CBC_SHA", ECDHE_CBC)] {
            let row = Row::tls12(format!("encrypt-then-MAC off at {who}, {name}"), suite);
            rows.push(row.with(|r| r.encrypt_then_mac = switch));
        }
        for (name, suite) in [("RSA", RSA_CBC), ("ECDHE", ECDHE_RSA)] {
            let row = Row::tls12(format!("extended master secret off at {who}, {name}"), suite);
            rows.push(row.with(|r| r.extended_master_secret = switch));
        }
    }
    rows
}

fn client_certificates() -> Vec<Row> {
    let row =
        |name: &str, cert| Row::tls12(format!("client certificate {name}"), ECDHE_RSA).with(|r| r.client_cert = cert);
    vec![
        row("required, RSA sent", ClientCert::Sent(KeyKind::Rsa)),
        row("required, P-256 sent", ClientCert::Sent(KeyKind::P256)),
        row("required, P-384 sent", ClientCert::Sent(KeyKind::P384)),
        row("required, none sent: refused", ClientCert::Missing),
        row("requested, none sent", ClientCert::Empty),
        Row::tls12("client certificate required, RSA sent, RSA key transport", RSA_CBC)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::Rsa)),
    ]
}

fn certificates_and_alpn() -> Vec<Row> {
    let row = |name: &str, fault| Row::tls12(name, ECDHE_ECDSA).with(|r| r.fault = fault);
    vec![
        row("a server certificate by a stranger: refused", Fault::StrangersServer),
        row("a server certificate for another name: refused", Fault::OtherName),
        row("a client certificate by a stranger: refused", Fault::StrangersClient)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::P256)),
        row("ALPN", Fault::None).with(|r| r.alpn = true),
    ]
}

fn resumption() -> Vec<Row> {
    let row = |name: &str, suite, resume| Row::tls12(format!("resumption {name}"), suite).with(|r| r.resume = resume);
    vec![
        row("by session ID, RSA CBC", RSA_CBC, Resume::SessionId),
        row("by session ID, ECDHE GCM", ECDHE_ECDSA, Resume::SessionId),
        row("by session ID, no extended master secret", ECDHE_RSA, Resume::SessionId)
            .with(|r| r.extended_master_secret = Switch::OffOurs),
        row("by ticket, RSA CBC", RSA_CBC, Resume::Ticket),
        row("by ticket, ECDHE GCM", ECDHE_ECDSA, Resume::Ticket),
        row("by ticket, with a client certificate", ECDHE_RSA, Resume::Ticket)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::P256)),
        row("by ticket across two servers with one secret", ECDHE_RSA, Resume::Fleet),
    ]
}

fn transfers_and_closing() -> Vec<Row> {
    let large = |name: &str, suite| Row::tls12(format!("4 MiB each way, {name}"), suite).with(|r| r.bytes = LARGE);
    let closing = |name: &str, end| {
        Row::tls12(name, ECDHE_RSA).with(|r| {
            r.end = end;
            r.checks_close = true;
        })
    };
    vec![
        large("AES-GCM", ECDHE_RSA),
        large("ChaCha20-Poly1305", CHACHA),
        large("CBC", RSA_CBC),
        large("CBC without encrypt-then-MAC", RSA_CBC).with(|r| r.encrypt_then_mac = Switch::OffOurs),
        large("AES-GCM", ECDHE_RSA).with(|r| {
            r.name = "4 MiB to the client, AES-GCM".into();
            r.only_to_client = true;
        }),
        closing("the client closes first", End::Client),
        closing("the server closes first", End::Server),
        closing("a cut connection is an error", End::Cut),
    ]
}
