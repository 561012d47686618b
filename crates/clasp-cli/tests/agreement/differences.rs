//! Where the programs do not say the same, and why. A difference without a row fails, and so does a row without a difference.

use Right::{Both, Clasp, Other};

/// Who is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Clasp,
    Other,
    /// They mean different things.
    Both,
}

/// A difference that is known. `*` stands for anything.
pub(crate) struct Row {
    pub(crate) judge: &'static str,
    /// Of which servers, with spaces between them.
    pub(crate) servers: &'static str,
    pub(crate) verdict: &'static str,
    /// What Clasp says, and what the other does.
    pub(crate) said: [&'static str; 2],
    pub(crate) right: Right,
    pub(crate) why: &'static str,
}

const fn row(
    judge: &'static str,
    servers: &'static str,
    verdict: &'static str,
    said: [&'static str; 2],
    (right, why): (Right, &'static str),
) -> Row {
    Row { judge, servers, verdict, said, right, why }
}

/// What sslyze says, as far as its source shows why.
const SSLYZE: &str = "sslyze";
/// The same of testssl.sh 3.0.8 with OpenSSL 3.0.
const TESTSSL: &str = "testssl.sh";

pub(crate) const ROWS: &[Row] = &[
    row(
        SSLYZE,
        "openssl openssl-*",
        "session ID (TLS 1.2)",
        ["yes", "no"],
        (
            Clasp,
            "sslyze ends its connections without a close_notify, upon which OpenSSL forgets the session; ours are resumed",
        ),
    ),
    row(
        SSLYZE,
        "openssl-tls11 openssl-tls10",
        "* (TLS 1.2)",
        ["not asked", "*"],
        (Other, "sessions are tried by a client of Clasp's, which speaks neither TLS 1.1 nor TLS 1.0"),
    ),
    row(
        SSLYZE,
        "openssl-expired openssl-ccm openssl-dh1024",
        "* (TLS 1.2)",
        ["not asked", "*"],
        (
            Other,
            "Clasp's client keeps no session with an expired chain, and takes neither CCM in TLS 1.2 nor a group of 1024 bits",
        ),
    ),
    row(
        SSLYZE,
        "java java-everything",
        "ticket (TLS 1.2)",
        ["yes", "no"],
        (Clasp, "sslyze wants the same ticket again; Java resumes, and gives a new one"),
    ),
    row(
        SSLYZE,
        "*",
        "fallback_scsv",
        ["not asked", "yes"],
        (
            Clasp,
            "there is one version alone; sslyze takes it that a version which is not spoken is a fallback that was seen",
        ),
    ),
    row(
        SSLYZE,
        "java",
        "fallback_scsv",
        ["no", "yes"],
        (Clasp, "as above: TLS 1.1 is not spoken; at TLS 1.2 Java takes the SCSV without a word"),
    ),
    row(
        SSLYZE,
        "*",
        "extended_master_secret",
        ["n*", "yes"],
        (Clasp, "sslyze says yes of whoever speaks TLS 1.3, which has none; Go 1.19 has none in TLS 1.2 either"),
    ),
    row(
        SSLYZE,
        "openssl-tls13 clasp-early-data",
        "secure_renegotiation",
        ["not asked", "yes"],
        (Both, "TLS 1.3 has no renegotiation"),
    ),
    row(
        SSLYZE,
        "openssl-tls13 clasp-early-data",
        "client renegotiation",
        ["not asked", "no"],
        (Both, "TLS 1.3 has no renegotiation"),
    ),
    row(
        SSLYZE,
        "openssl-ccm openssl-dh1024",
        "chain",
        ["no", "yes"],
        (
            Both,
            "sslyze looks at the chain alone; Clasp accepts one whose key is proven, and its client speaks to neither of them",
        ),
    ),
    row(
        SSLYZE,
        "openssl-tls11 openssl-tls10 openssl-dh1024",
        "client renegotiation",
        ["not asked", "no"],
        (Other, "it is asked by a client of Clasp's, as sessions are"),
    ),
    row(
        SSLYZE,
        "node node-everything",
        "client renegotiation",
        ["yes", "no"],
        (Both, "Clasp asks once, and Node begins; sslyze asks ten times, and Node ends that after three"),
    ),
    row(
        SSLYZE,
        "openssl-tls13 clasp-early-data",
        "compression",
        ["not asked", "no"],
        (Both, "TLS 1.3 has no compression"),
    ),
    row(
        SSLYZE,
        "openssl-ed25519",
        "suite TLS 1.2 TLS_ECDHE_ECDSA_*",
        ["yes", "no"],
        (Clasp, "sslyze asks for these with OpenSSL 1.0.2, which has no Ed25519"),
    ),
    row(
        SSLYZE,
        "openssl-one-scheme",
        "suite TLS 1.2 *",
        ["yes", "no"],
        (Clasp, "the same: OpenSSL 1.0.2 has no RSA-PSS, the one scheme of this server"),
    ),
    row(
        SSLYZE,
        "nginx nss-tls12",
        "group *",
        ["yes", "no"],
        (
            Clasp,
            "sslyze offers one group alone, and so not that of the ECDSA key, without which there is no suite (RFC 8422 5.1)",
        ),
    ),
    row(
        SSLYZE,
        "tlslite",
        "group brainpool*",
        ["yes", "no"],
        (Clasp, "sslyze asks in the best version alone: TLS 1.3 has none of these, and TLS 1.2 has"),
    ),
    row(
        SSLYZE,
        "openssl-null openssl-anonymous openssl-psk",
        "connects",
        ["yes", "no"],
        (Clasp, "sslyze finds no suite to begin with, and gives up"),
    ),
    row(
        SSLYZE,
        "java-everything",
        "DH bits",
        ["2048", "512"],
        (Both, "the 512 bits are those of export suites, for which Clasp says Logjam"),
    ),
    row(
        TESTSSL,
        "*",
        "* (TLS 1.2)",
        ["yes", "no"],
        (
            Clasp,
            "testssl.sh resumes in TLS 1.3 where that is spoken, and hangs up at once: whether a ticket has come by then is chance",
        ),
    ),
    row(
        TESTSSL,
        "go go-everything",
        "session ID (TLS 1.2)",
        ["no", "yes"],
        (Clasp, "what testssl.sh resumed was of TLS 1.3: Go has no sessions by ID"),
    ),
    row(TESTSSL, "openssl-tls13 clasp-early-data", "* (TLS 1.2)", ["not asked", "*"], (Both, "TLS 1.3 has neither")),
    row(
        TESTSSL,
        "openssl-expired",
        "* (TLS 1.2)",
        ["not asked", "*"],
        (Other, "Clasp's client keeps no session with an expired chain"),
    ),
    row(
        TESTSSL,
        "openssl-requires clasp-requires",
        "* (TLS 1.2)",
        ["not asked", "no"],
        (Clasp, "without a certificate of ours no handshake comes to a session; testssl.sh takes that for a no"),
    ),
    row(
        TESTSSL,
        "openssl-everything",
        "Logjam",
        ["vulnerable", "safe"],
        (
            Both,
            "testssl.sh says it of export suites alone; Clasp of groups of 1024 bits too, as this server's anonymous suites have",
        ),
    ),
    row(
        TESTSSL,
        "java-everything",
        "Logjam",
        ["vulnerable", "safe"],
        (
            Clasp,
            "testssl.sh asks for export suites in TLS 1.2 alone; Java has them in TLS 1.0, where testssl.sh lists them itself",
        ),
    ),
    row(TESTSSL, "java-everything", "FREAK", ["vulnerable", "safe"], (Clasp, "as above")),
    row(
        TESTSSL,
        "*",
        "fallback_scsv",
        ["*", "no protocol below TLS 1.2 offered"],
        (Clasp, "testssl.sh looks below TLS 1.2; TLS 1.2 is a fallback where TLS 1.3 is spoken (RFC 7507)"),
    ),
    row(
        TESTSSL,
        "openssl-tls13 clasp-early-data",
        "compression",
        ["not asked", "no"],
        (Both, "TLS 1.3 has no compression"),
    ),
    row(
        TESTSSL,
        "openssl-tls11 openssl-tls10 openssl-dh1024 openssl-ccm openssl-anonymous openssl-null openssl-psk",
        "connects",
        ["yes", "no"],
        (
            Clasp,
            "testssl.sh's OpenSSL offers neither old versions, short groups, CCM nor suites without a certificate or a cipher, and it gives up",
        ),
    ),
    row(
        TESTSSL,
        "*",
        "encrypt_then_mac",
        ["not asked", "no"],
        (Both, "without a suite of CBC there is nothing to encrypt before its MAC"),
    ),
    row(
        TESTSSL,
        "tlslite",
        "DH prime",
        ["a prime of RFC 7919", "nobody's"],
        (
            Both,
            "tlslite takes that where the client offers the group, as Clasp does, and one of RFC 5054 where it does not",
        ),
    ),
    row(
        TESTSSL,
        "go go-everything",
        "ticket lifetime",
        ["0", "604800"],
        (Both, "Clasp tells that of TLS 1.2 here, and testssl.sh that of TLS 1.3"),
    ),
    row(
        TESTSSL,
        "gnutls-secure256 openssl-tls12-tls13",
        "order",
        ["client", "several"],
        (
            Clasp,
            "one suite alone comes back both ways round: of the one version testssl.sh's list has one, or the server itself has",
        ),
    ),
    row(
        TESTSSL,
        "node node-everything",
        "client renegotiation",
        ["yes", "no"],
        (Both, "Clasp asks once, and Node begins; testssl.sh asks six times, and Node ends that after three"),
    ),
    row(
        TESTSSL,
        "openssl-requires clasp-requires",
        "client renegotiation",
        ["not asked", "no"],
        (
            Both,
            "without a certificate of ours there is no handshake to be repeated; testssl.sh takes the end of its connection for a no",
        ),
    ),
];

/// Whether a pattern has this text.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    rest.is_empty() || text.char_indices().any(|(at, _)| fits(rest, &text[at..])) || fits(rest, "")
}

impl Row {
    pub(crate) fn explains(&self, judge: &str, server: &str, verdict: &str, said: [&str; 2]) -> bool {
        self.judge == judge
            && self.servers.split(' ').any(|pattern| fits(pattern, server))
            && fits(self.verdict, verdict)
            && self.said.iter().zip(said).all(|(pattern, said)| fits(pattern, said))
    }
}
