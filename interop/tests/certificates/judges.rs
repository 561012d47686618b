//! Who judges.

use crate::faults::Chain;
use crate::made::{NOW, at};
use clasp_x509::{Options, Profile, Roots, Usage, verify};
use rustls_pki_types::{CertificateDer, ServerName};
use std::fmt;
use std::process::Command;
use std::time::Duration;

/// What a judge says.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Accepted,
    Refused(String),
}

impl Verdict {
    pub(crate) fn accepts(&self) -> bool {
        matches!(self, Self::Accepted)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(why) => write!(f, "refused ({why})"),
        }
    }
}

pub(crate) trait Judge {
    fn name(&self) -> &'static str;
    fn verdict(&self, chain: &Chain) -> Verdict;
}

/// All that are here. OpenSSL is a program, and need not be.
pub(crate) fn all() -> Vec<Box<dyn Judge>> {
    let mut judges: Vec<Box<dyn Judge>> = vec![Box::new(Webpki)];
    if Command::new("openssl").arg("version").output().is_ok_and(|run| run.status.success()) {
        judges.push(Box::new(OpenSsl(tempfile::tempdir().unwrap())));
    }
    judges
}

/// Clasp by its strictest profile.
pub(crate) fn clasp(chain: &Chain) -> Verdict {
    let mut roots = Roots::empty();
    if let Err(why) = roots.add_der(&chain.root) {
        return Verdict::Refused(why.to_string());
    }
    let host = ServerName::try_from("example.com").unwrap();
    let options = Options::new(at(NOW), Usage::Server).profile(Profile::WebPki).name(&host);
    match verify(&[&chain.leaf, &chain.middle], &roots, &options) {
        Ok(_) => Verdict::Accepted,
        Err(rejection) => Verdict::Refused(format!("{:?}", rejection.reason())),
    }
}

struct Webpki;

impl Judge for Webpki {
    fn name(&self) -> &'static str {
        "rustls-webpki"
    }

    fn verdict(&self, chain: &Chain) -> Verdict {
        let judge = || -> Result<(), webpki::Error> {
            let [root, middle, leaf] =
                [&chain.root, &chain.middle, &chain.leaf].map(|der| CertificateDer::from(&der[..]));
            let anchor = webpki::anchor_from_trusted_cert(&root)?;
            let leaf = webpki::EndEntityCert::try_from(&leaf)?;
            let time = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(NOW));
            let usage = webpki::KeyUsage::server_auth();
            leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &[anchor], &[middle], time, usage, None, None)?;
            leaf.verify_is_valid_for_subject_name(&ServerName::try_from("example.com").unwrap())
        };
        judge().map_or_else(|why| Verdict::Refused(format!("{why:?}")), |()| Verdict::Accepted)
    }
}

struct OpenSsl(tempfile::TempDir);

impl Judge for OpenSsl {
    fn name(&self) -> &'static str {
        "OpenSSL"
    }

    fn verdict(&self, chain: &Chain) -> Verdict {
        let file = |name: &str, der: &[u8]| {
            let path = self.0.path().join(name);
            std::fs::write(&path, pem(der)).unwrap();
            path
        };
        let (root, middle) = (file("root", &chain.root), file("middle", &chain.middle));
        let run = Command::new("openssl")
            .args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "example.com"])
            .args(["-attime", &NOW.to_string(), "-no-CApath", "-no-CAstore", "-CAfile"])
            .arg(root)
            .arg("-untrusted")
            .arg(middle)
            .arg(file("leaf", &chain.leaf))
            .output()
            .unwrap();
        if run.status.success() {
            return Verdict::Accepted;
        }
        let text = String::from_utf8_lossy(&run.stderr).into_owned();
        let why = text.lines().find(|line| line.contains("error")).unwrap_or("no reason").trim();
        Verdict::Refused(why.to_owned())
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
