//! Where Clasp and another judge differ, and who is right. docs/certificates.md tells it in short.

/// One difference.
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    /// Who says other than Clasp.
    pub(crate) judges: &'static [&'static str],
    /// Whether Clasp accepts where they refuse.
    pub(crate) clasp_accepts: bool,
    /// Who is right, and why.
    pub(crate) right: &'static str,
}

/// Whether a difference from this judge is explained by this fault, and how.
pub(crate) fn explains(fault: &str, judge: &str, clasp_accepts: bool) -> Option<&'static str> {
    let row = |row: &&Row| row.fault == fault && row.judges.contains(&judge) && row.clasp_accepts == clasp_accepts;
    ROWS.iter().find(row).map(|row| row.right)
}

const fn refuses(fault: &'static str, judges: &'static [&'static str], right: &'static str) -> Row {
    Row { fault, judges, clasp_accepts: false, right }
}

const fn accepts(fault: &'static str, judges: &'static [&'static str], right: &'static str) -> Row {
    Row { fault, judges, clasp_accepts: true, right }
}

const WEBPKI: &[&str] = &["rustls-webpki"];
const OPENSSL: &[&str] = &["OpenSSL"];
const BOTH: &[&str] = &["rustls-webpki", "OpenSSL"];

/// What Clasp's strictest profile refuses, or accepts, and others do not.
pub(crate) const ROWS: &[Row] = &[
    refuses(
        "leaf: no subjectAltName",
        OPENSSL,
        "Clasp: RFC 9525 6.3, BR 7.1.2.7.12; OpenSSL falls back to the common name",
    ),
    refuses("leaf: common name not among the names", BOTH, "Clasp: BR 7.1.4.3; the others do not read the common name"),
    refuses(
        "leaf: critical subjectAltName beside a subject",
        BOTH,
        "Clasp: BR 7.1.2.7.12; RFC 5280 4.2.1.6 has it as a SHOULD",
    ),
    refuses("leaf: empty subject, subjectAltName not critical", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.6"),
    refuses(
        "leaf: underscore among the names",
        BOTH,
        "Clasp: the preferred name syntax of RFC 5280 4.2.1.6, BR 7.1.4.2.1",
    ),
    refuses("leaf: no extKeyUsage", BOTH, "each by its rules: BR 7.1.2.7.10 wants it, RFC 5280 4.2.1.12 does not"),
    refuses(
        "leaf: critical extKeyUsage",
        BOTH,
        "each by its rules: BR 7.1.2.7.6 forbids it, RFC 5280 4.2.1.12 does not",
    ),
    refuses("leaf: OCSP signing too", BOTH, "Clasp: BR 7.1.2.7.10"),
    refuses("leaf: keyUsage for certificates", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.3, keyCertSign without cA"),
    refuses(
        "leaf: keyUsage that allows nothing",
        WEBPKI,
        "Clasp and OpenSSL: RFC 5280 4.2.1.3; rustls-webpki does not read keyUsage",
    ),
    refuses(
        "leaf: keyUsage for lists",
        WEBPKI,
        "Clasp and OpenSSL: BR 7.1.2.7.11; rustls-webpki does not read keyUsage",
    ),
    refuses("leaf: an authority", OPENSSL, "Clasp and rustls-webpki: BR 7.1.2.7.8"),
    refuses("leaf: cA FALSE encoded", BOTH, "Clasp: X.690 11.5, DER leaves a default out; the others bear it"),
    refuses("leaf: path length without cA", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.9"),
    refuses("leaf: an unknown extension twice", BOTH, "Clasp: RFC 5280 4.2, whatever the extension"),
    refuses("leaf: serial number 0", BOTH, "Clasp: RFC 5280 4.1.2.2, BR 7.1.2.7"),
    refuses("leaf: negative serial number", BOTH, "Clasp: RFC 5280 4.1.2.2"),
    refuses("leaf: serial number of 21 bytes", BOTH, "Clasp: RFC 5280 4.1.2.2"),
    refuses("leaf: serial number not minimal", WEBPKI, "Clasp and OpenSSL: X.690 8.3.2"),
    refuses("leaf: version 1", OPENSSL, "Clasp and rustls-webpki: BR 7.1.1; it has no subjectAltName either"),
    refuses("leaf: version 4", OPENSSL, "Clasp and rustls-webpki: RFC 5280 4.1.2.1 knows no such version"),
    refuses("leaf: no authorityKeyIdentifier", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.1"),
    accepts(
        "leaf: another key in authorityKeyIdentifier",
        OPENSSL,
        "Clasp and rustls-webpki: it is a help for finding issuers, no check (RFC 5280 6.1, RFC 4158 3.5.12)",
    ),
    refuses("leaf: GeneralizedTime before 2050", BOTH, "Clasp: RFC 5280 4.1.2.5"),
    refuses("leaf: unique identifiers", OPENSSL, "Clasp and rustls-webpki: RFC 5280 4.1.2.8"),
    refuses("leaf: name constraints", BOTH, "Clasp: RFC 5280 4.2.1.10, in authorities alone"),
    refuses("leaf: TRUE encoded as 1", OPENSSL, "Clasp and rustls-webpki: X.690 11.1"),
    accepts(
        "leaf: issuer in another case",
        WEBPKI,
        "Clasp and OpenSSL: RFC 5280 7.1; BR 7.1.4.1 wants the bytes equal, which protects nobody",
    ),
    accepts("leaf: issuer as PrintableString", WEBPKI, "Clasp and OpenSSL: RFC 5280 7.1"),
    refuses("leaf: policies, one twice", BOTH, "Clasp: RFC 5280 4.2.1.4"),
    refuses("middle: basicConstraints not critical", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.9"),
    refuses(
        "middle: keyUsage without keyCertSign",
        WEBPKI,
        "Clasp and OpenSSL: RFC 5280 6.1.4 (n); rustls-webpki does not read keyUsage",
    ),
    accepts(
        "middle: no keyUsage",
        OPENSSL,
        "each by its rules: RFC 5280 6.1.4 (n) asks only if it is there; 4.2.1.3 and BR 7.1.2.10 tell authorities to have it",
    ),
    accepts("middle: anyExtendedKeyUsage", BOTH, "Clasp: RFC 5280 4.2.1.12; what it limits is any use"),
    refuses(
        "middle: excludes below a wildcard",
        OPENSSL,
        "Clasp and rustls-webpki: the wildcard stands for an excluded name (CVE-2025-61727)",
    ),
    refuses(
        "middle: mask of an address with holes",
        BOTH,
        "Clasp: RFC 5280 4.2.1.10 wants the style of RFC 4632, a prefix",
    ),
    refuses("middle: empty name constraints", BOTH, "Clasp: RFC 5280 4.2.1.10"),
    refuses("middle: no subjectKeyIdentifier", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.2"),
    refuses("middle: no authorityKeyIdentifier", WEBPKI, "Clasp and OpenSSL: RFC 5280 4.2.1.1"),
    refuses(
        "middle: explicit policy required, none there",
        OPENSSL,
        "Clasp and rustls-webpki: RFC 5280 6.1.5 (g); OpenSSL looks at policies only if it is asked to",
    ),
    refuses("middle: policyConstraints not critical", BOTH, "Clasp: RFC 5280 4.2.1.11"),
    refuses("middle: serial number of 21 bytes", BOTH, "Clasp: RFC 5280 4.1.2.2"),
    refuses(
        "root: expired",
        WEBPKI,
        "each by its rules: a root given as a certificate is checked like one; rustls-webpki takes name, key and constraints (RFC 5280 6.1.1 d)",
    ),
    refuses("root: no basicConstraints", WEBPKI, "each by its rules, as above"),
    refuses("root: cA FALSE", WEBPKI, "each by its rules, as above"),
    refuses("root: path length 0", WEBPKI, "each by its rules, as above"),
    refuses("root: keyUsage without keyCertSign", WEBPKI, "each by its rules, as above"),
    accepts(
        "root: no keyUsage",
        OPENSSL,
        "each by its rules: BR 7.1.2.1.2 tells roots to have it, RFC 5280 6.1 does not look",
    ),
    refuses("root: extKeyUsage for servers", BOTH, "Clasp: BR 7.1.2.1.2"),
    refuses(
        "root: extKeyUsage for clients",
        WEBPKI,
        "each by its rules: Clasp and OpenSSL hold the path to the root's purposes",
    ),
    refuses("root: no subjectKeyIdentifier", WEBPKI, "each by its rules: BR 7.1.2.1.2"),
    refuses("root: version 1", WEBPKI, "each by its rules: such a root is no authority by what it says"),
    refuses(
        "root: unknown critical extension",
        WEBPKI,
        "each by its rules: Clasp and OpenSSL check the root like a certificate",
    ),
];
