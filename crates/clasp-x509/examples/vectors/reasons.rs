//! Whether a rejection is for the reason that the case gives: the reviewed table of what the suites say of their cases
//! (a section, words of a description, the errors of another validator), and the classes of refusal that fit it.

use serde_json::Value;

/// What a suite says, and the reasons that fit.
type Row = (&'static str, &'static [&'static str]);

/// Sections of PKITS, and BetterTLS's suites.
const SECTIONS: &[Row] = &[
    // One signature is no BIT STRING of whole bytes.
    ("PkitsTest01", &["BadSignature", "UnsupportedAlgorithm", "BadEncoding"]),
    ("PkitsTest02", &["Expired", "NotYetValid"]),
    ("PkitsTest03", &["UnknownIssuer"]),
    ("PkitsTest04", &["Revoked", "StatusUnknown"]),
    ("PkitsTest05", &["Revoked", "StatusUnknown"]),
    ("PkitsTest06", &["Constraint"]),
    ("PkitsTest07", &["Constraint", "StatusUnknown"]),
    ("PkitsTest08", &["Policy"]),
    ("PkitsTest09", &["Policy"]),
    ("PkitsTest10", &["Policy"]),
    ("PkitsTest11", &["Policy"]),
    ("PkitsTest12", &["Policy"]),
    ("PkitsTest13", &["NameConstraint"]),
    ("PkitsTest14", &["Revoked", "StatusUnknown"]),
    ("PkitsTest15", &["Revoked", "StatusUnknown"]),
    ("PkitsTest16", &["CriticalExtension"]),
    // Where there are no names, the subjectAltName is an empty list, which cannot be read.
    ("bettertls::nameconstraints", &["NameConstraint", "NameMismatch", "BadForm", "BadEncoding"]),
    (
        "bettertls::pathbuilding",
        &[
            "UnknownIssuer",
            "Expired",
            "NotYetValid",
            "Constraint",
            "NameConstraint",
            "WrongUsage",
            "UnsupportedAlgorithm",
        ],
    ),
];

/// BoringSSL's errors.
const ERRORS: &[Row] = &[
    ("Too many name constraints checks", &["TooCostly", "NameConstraint"]),
    ("Unconsumed critical extension", &["CriticalExtension"]),
    ("Unacceptable signature algorithm", &["UnsupportedAlgorithm"]),
    ("VerifySignedData failed", &["BadSignature", "UnsupportedAlgorithm"]),
    ("extended key usage", &["WrongUsage"]),
    ("Basic Constraints", &["Constraint"]),
    ("max_path_length", &["Constraint"]),
    ("notAfter", &["Expired"]),
    ("notBefore", &["NotYetValid"]),
    ("keyCertSign", &["Constraint"]),
    ("policy", &["Policy"]),
];

/// Words of limbo's descriptions, in small letters; the first row that fits counts.
const WORDS: &[Row] = &[
    // Without the Public Suffix List nothing can be refused for it: such a rejection is for another reason.
    ("public suffix list", &[]),
    ("cryptography.io", &["UnknownIssuer"]),
    ("crl", &["Revoked", "StatusUnknown"]),
    ("chain up to a trusted", &["UnknownIssuer", "TooCostly"]),
    ("neither chains", &["UnknownIssuer", "TooCostly"]),
    ("not in the trusted set", &["UnknownIssuer"]),
    ("invalid dns", &["BadForm", "BadEncoding", "NameConstraint"]),
    ("malformed", &["BadForm", "BadEncoding", "UnknownIssuer"]),
    ("nameconstraints", &["NameConstraint", "BadForm", "BadEncoding"]),
    ("name constraints", &["NameConstraint", "TooCostly", "BadEncoding"]),
    ("expired", &["Expired"]),
    ("becomes valid", &["NotYetValid"]),
    ("validity", &["Expired", "NotYetValid", "BadForm", "BadEncoding"]),
    ("ca=true", &["BadForm", "Constraint"]),
    ("anyextendedkeyusage", &["WrongUsage"]),
    ("chain depth", &["Constraint"]),
    ("pathlen", &["Constraint", "BadForm", "UnknownIssuer"]),
    ("extended key usage", &["WrongUsage"]),
    ("aki", &["BadForm"]),
    ("authoritykeyidentifier", &["BadForm"]),
    ("ski", &["BadForm"]),
    ("the cn contains", &["BadForm"]),
    ("critical subject alternative name", &["BadForm"]),
    ("critical subjectalternativename", &["BadForm"]),
    ("permits", &["NameConstraint"]),
    ("forbid:", &["NameConstraint"]),
    ("nc:", &["NameConstraint"]),
    ("should forbid", &["NameConstraint"]),
    ("subject alternative name", &["NameMismatch", "BadForm", "BadEncoding"]),
    ("san", &["NameMismatch", "BadForm", "BadEncoding"]),
    ("serial", &["BadForm"]),
    ("rsa", &["UnsupportedAlgorithm"]),
    ("dsa", &["UnsupportedAlgorithm"]),
    ("same oid", &["BadEncoding"]),
    ("policyconstraints", &["BadForm"]),
    ("empty issuer", &["BadForm"]),
    ("empty subject", &["BadForm"]),
    // Some cases leave the intermediate out that they are about.
    ("basicconstraints", &["Constraint", "BadForm", "UnknownIssuer"]),
    ("ca bit", &["Constraint"]),
    ("critical", &["CriticalExtension", "BadForm"]),
];

/// The reasons that fit a case; none if the table does not know.
pub(crate) fn fitting(case: &Value) -> Option<&'static [&'static str]> {
    let find = |rows: &'static [Row], text: &str| rows.iter().find(|(says, _)| text.contains(says)).map(|row| row.1);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    find(SECTIONS, &text(&case["id"]))
        .or_else(|| find(ERRORS, &text(&case["bssl"]["errors"])))
        .or_else(|| find(WORDS, &text(&case["description"]).to_lowercase().replace('\n', " ")))
}
