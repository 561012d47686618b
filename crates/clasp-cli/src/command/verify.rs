//! `clasp verify`: judges a certificate chain, and says why not.

use crate::failure::Failure;
use crate::output;
use crate::pem;
use clasp_x509::pem::Section;
use clasp_x509::{
    Accepted, Attempt, Certificate, Check, Crl, Moment, Name, OcspError, OcspResponse, Options, Origin, Profile,
    Rejection, Revocation, Scope, Standing, Usage, verify,
};
use rustls_pki_types::{ServerName, UnixTime};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const HELP: &str = "\
Examples:
  clasp verify chain.pem --name example.com
  clasp verify localhost.pem --name localhost --ca ca/root.pem
  clasp verify localhost.pem --ca ca/root.pem --crl ca/crl.pem --leaf-only --revocation require
Names: without --name the chain alone is judged, whomever it is for, and the verdict says so.
Revocation: nothing is fetched. Without --crl and --ocsp it is not looked at, unless --revocation require, which then refuses. With
them a chain is refused that is revoked, or of which they leave it open; --revocation prefer accepts the latter. --leaf-only asks of
the peer's own certificate alone: whether an authority above it is revoked is then not looked at, with require neither.
Profiles: chains to --ca, one's own authority, are held to RFC 5280; those to the system's roots to the rules of the public web.
  web-pki   RFC 5280, the form of certificates that it and the Baseline Requirements ask for, as far as a verifier can see it, SHA-2,
            RSA of 2048 bits; not: how long a certificate is valid, which policy it names, names that are not public, public suffixes,
            certificate transparency (docs/certificates.md says which and why)
  rfc5280   the path as RFC 5280 6 has it, whatever the form of certificates; SHA-2, RSA of 2048 bits
  legacy    as rfc5280, and besides: signatures with SHA-1 on certificates, lists and responses; RSA of 1024 bits; a common name
            where there is no subjectAltName of a host or an address
Exit codes: 0 accepted; 1 refused; 2 could not judge";

/// Judge a certificate chain: exit code 0 if it is accepted, 1 if not.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The chain, PEM or DER: the peer's own certificate first, the others in any order
    chain: PathBuf,
    /// The host name or IP address it must be for; without it no name is looked at
    #[arg(long)]
    name: Option<String>,
    /// Trusted roots (PEM or DER) in place of the system's; may be given more than once
    #[arg(long)]
    ca: Vec<PathBuf>,
    /// The time to judge for, as 2026-11-23T18:00:00Z, in place of now
    #[arg(long)]
    time: Option<String>,
    /// Revocation lists, PEM or DER; may be given more than once
    #[arg(long)]
    crl: Vec<PathBuf>,
    /// An OCSP response, DER or PEM (BEGIN OCSP RESPONSE); may be given more than once
    #[arg(long)]
    ocsp: Vec<PathBuf>,
    /// Look at no list or response (ignore), refuse what is revoked (prefer), or what is not known to be good (require) [default:
    /// require where --crl or --ocsp is given, and ignore without]
    #[arg(long)]
    revocation: Option<Demand>,
    /// Look at the revocation of the peer's own certificate only, not of the authorities above it
    #[arg(long)]
    leaf_only: bool,
    /// web-pki (the public web), rfc5280 (private authorities) or legacy (old devices) [default: rfc5280 for --ca, web-pki for
    /// the system's roots]
    #[arg(long)]
    profile: Option<String>,
    /// For a TLS client instead of a server
    #[arg(long)]
    client: bool,
    /// Let the common name stand in for missing subjectAltNames
    #[arg(long, requires = "name")]
    common_name: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Demand {
    Ignore,
    Prefer,
    Require,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let chain = pem::certificates(&arguments.chain)?;
    let presented: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let roots = pem::roots_of(&arguments.ca)?;
    let name = arguments.name.as_deref().map(server_name).transpose()?;
    arguments.clashes()?;
    let mut files = Vec::new();
    for path in &arguments.crl {
        files.extend(pem::lists(path)?.into_iter().map(|section| (path, section)));
    }
    let lists: Vec<Crl<'_>> = files.iter().map(|(path, section)| list(path, section)).collect::<Result<_, _>>()?;
    let responses: Vec<Section> = arguments.ocsp.iter().map(|path| response(path)).collect::<Result<_, _>>()?;
    let responses: Vec<&[u8]> = responses.iter().map(Section::der).collect();

    let usage = if arguments.client { Usage::Client } else { Usage::Server };
    let profile = arguments.profile.as_deref().map(pem::profile).transpose()?;
    let mut options = Options::new(moment(arguments.time.as_deref())?, usage).by_roots();
    options.profile = profile;
    options.name = name.as_ref();
    options.common_name = arguments.common_name.then_some(true);
    options.revocation = Revocation {
        check: match arguments.revocation {
            Some(Demand::Ignore) => Check::Ignore,
            Some(Demand::Require) => Check::Require,
            None if lists.is_empty() && responses.is_empty() => Check::Ignore,
            Some(Demand::Prefer) | None => Check::Prefer,
        },
        scope: if arguments.leaf_only { Scope::Leaf } else { Scope::Chain },
        lists: &lists,
        responses: &responses,
        ..Revocation::default()
    };
    let notes = notes(&options, &presented);
    let json = arguments.json;
    let preferred = verify(&presented, &roots, &options);
    // Whoever gives a list wants to know: one of another authority, or of last year, would pass for a yes.
    let open = arguments.revocation.is_none()
        && preferred.as_ref().is_ok_and(|accepted| accepted.revocation_settled() == Some(false));
    if open {
        options.revocation.check = Check::Require;
    }
    let verdict = if open { verify(&presented, &roots, &options) } else { preferred };
    match verdict {
        Ok(accepted) if json => output::line(accepted_json(&accepted, &chain, (arguments, &notes))),
        Ok(accepted) => output::line(accepted_text(&accepted, &chain, (arguments, &notes))),
        Err(rejection) => {
            output::line(if json { rejected_json(&rejection, &notes) } else { tree(&rejection, &notes) })?;
            let failure = Failure::no(format_args!("refused: {rejection}"));
            // Only where the other option says yes: no advice is to send anybody from one no to the next.
            let private = options.profile(Profile::Rfc5280);
            Err(if open {
                failure.hint("nothing that was given says that it is revoked: --revocation prefer accepts that")
            } else if profile != Some(Profile::Rfc5280) && verify(&presented, &roots, &private).is_ok() {
                failure.hint("a rule of the public web; where it is your own authority: --profile rfc5280")
            } else {
                failure
            })
        }
    }
}

impl Arguments {
    /// Options that would do nothing.
    fn clashes(&self) -> Result<(), Failure> {
        let answers = !(self.crl.is_empty() && self.ocsp.is_empty());
        if self.common_name && self.profile.as_deref() == Some(Profile::Legacy.name()) {
            return Err(Failure::cannot("--common-name adds nothing to --profile legacy, which takes common names")
                .hint("leave one of them out"));
        }
        match self.revocation {
            Some(Demand::Ignore) if answers => {
                Err(Failure::cannot("--revocation ignore looks at no --crl and no --ocsp")
                    .hint("leave one of them out"))
            }
            Some(Demand::Ignore) | None if self.leaf_only && !answers => {
                let hint = "give --crl or --ocsp, or --revocation require";
                Err(Failure::cannot("--leaf-only is about revocation, which nothing asks for").hint(hint))
            }
            _ => Ok(()),
        }
    }
}

fn list<'s>(path: &Path, section: &'s Section) -> Result<Crl<'s>, Failure> {
    Crl::parse(section.der()).map_err(|error| {
        let line = if section.line() > 0 { format!("line {}: ", section.line()) } else { String::new() };
        Failure::file(path, format_args!("{line}a revocation list that cannot be read: {error}"))
    })
}

/// The OCSP response of a file. A responder's refusal is one, and says nothing.
fn response(path: &Path) -> Result<Section, Failure> {
    let section = pem::response(path)?;
    match OcspResponse::parse(section.der()) {
        Err(OcspError::Malformed(error)) => {
            let failure = Failure::file(path, format_args!("no OCSP response that can be read: {error}"));
            Err(failure.hint("an OCSPResponse of RFC 6960 4.2, as `openssl ocsp -respout` writes it"))
        }
        Err(_) | Ok(_) => Ok(section),
    }
}

/// What is odd about the lists and responses that were given: those that vouch for nobody, and why.
fn notes(options: &Options<'_>, presented: &[&[u8]]) -> Vec<String> {
    let now = i64::try_from(options.time.as_secs()).unwrap_or(i64::MAX);
    let old = |next: Option<i64>| match next {
        Some(next) if next < now => Some(format!("is out of date since {}", Moment(next))),
        Some(_) => None,
        None => Some("has no nextUpdate, so that nobody can tell when it ends".into()),
    };
    let chain: Vec<Certificate<'_>> = presented.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let mut notes = Vec::new();
    for (place, der) in presented.iter().enumerate().skip(1) {
        if let Err(error) = Certificate::parse(der) {
            notes.push(format!("certificate {place} cannot be read, and is passed over: {error}"));
        }
    }
    for list in options.revocation.lists {
        let whose = format!("the revocation list of {}", list.issuer());
        let concerns = |c: &Certificate<'_>| Name(c.issuer_der()).is_same(Name(list.issuer_der()));
        if !list.is_indirect() && !chain.iter().any(concerns) {
            notes.push(format!("{whose} is about no certificate of this chain"));
        }
        notes.extend(old(list.next_update()).map(|why| format!("{whose} {why}: it vouches for nobody")));
        if list.is_delta() && !options.revocation.lists.iter().any(|complete| list.is_delta_of(complete)) {
            let why = "is a delta and changes none of the lists given: only whom it revokes counts";
            notes.push(format!("{whose} {why}"));
        }
    }
    for der in options.revocation.responses {
        match OcspResponse::parse(der) {
            Ok(response) => {
                let whose = format!("the OCSP response of {}", response.responder());
                let ends = response.responses().find_map(|single| old(single.next_update()));
                notes.extend(ends.map(|why| format!("{whose} {why}: it vouches for nobody")));
            }
            Err(why) => notes.push(format!("an OCSP response that says nothing: {why}")),
        }
    }
    notes
}

fn server_name(text: &str) -> Result<ServerName<'static>, Failure> {
    ServerName::try_from(text.to_owned())
        .map_err(|_| Failure::cannot(format_args!("{text} is neither a host name nor an IP address")))
}

fn moment(text: Option<&str>) -> Result<UnixTime, Failure> {
    let Some(text) = text else { return Ok(UnixTime::now()) };
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|e| {
        Failure::cannot(format_args!("{text} is no time: {e}")).hint("write it as 2026-11-23T18:00:00Z")
    })?;
    let seconds = u64::try_from(at.unix_timestamp()).map_err(|_| Failure::cannot("times begin with 1970"))?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// The certificates of an accepted path: place, subject, last day.
fn path<'c>(accepted: &'c Accepted<'_>, chain: &'c [Vec<u8>]) -> impl Iterator<Item = (usize, Certificate<'c>)> {
    accepted.path().iter().filter_map(|place| Some((*place, Certificate::parse(chain.get(*place)?).ok()?)))
}

/// What was found of the revocation of a certificate: one word, and why.
fn status(standing: &Standing) -> (&'static str, Option<String>) {
    match standing {
        Standing::Good => ("good", None),
        Standing::Revoked { at, reason } => ("revoked", Some(format!("on {}, {reason}", Moment(*at)))),
        Standing::Unknown(trouble) => ("unknown", Some(trouble.to_string())),
    }
}

fn accepted_text(accepted: &Accepted<'_>, chain: &[Vec<u8>], (asked, notes): (&Arguments, &[String])) -> String {
    let settled = match accepted.revocation_settled() {
        None => "revocation not looked at",
        Some(true) => "revocation settled",
        Some(false) => "revocation NOT settled",
    };
    let of_whom = if asked.leaf_only { ", of the peer's own certificate only" } else { "" };
    let mut lines = vec![format!("accepted until {}", Moment(accepted.until())), format!("{settled}{of_whom}")];
    // A chain that is good for somebody is not good for whoever shows it.
    if asked.name.is_none() {
        lines.push("name not looked at: --name HOST has it checked".into());
    }
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    let mut standings = accepted.standings().iter().map(status);
    for (place, certificate) in path(accepted, chain) {
        let until = Moment(certificate.not_after());
        lines.push(format!("  {place:<4}  {}  ({}, until {until})", certificate.subject(), certificate.public_key()));
        if let Some((word, why)) = standings.next() {
            lines.push(format!("        revocation {word}{}", why.map_or_else(String::new, |why| format!(": {why}"))));
        }
    }
    lines.push(format!("  root  {}", accepted.root()));
    lines.join("\n")
}

fn accepted_json(accepted: &Accepted<'_>, chain: &[Vec<u8>], (asked, notes): (&Arguments, &[String])) -> String {
    let path: Vec<Value> = path(accepted, chain)
        .map(|(place, c)| json!({ "place": place, "subject": c.subject(), "not_after": c.not_after() }))
        .collect();
    let identities: Vec<String> = accepted.leaf().identifiers().iter().map(ToString::to_string).collect();
    let root = accepted.root();
    let standings: Vec<Value> = accepted
        .path()
        .iter()
        .zip(accepted.standings())
        .map(|(place, standing)| {
            let (word, why) = status(standing);
            json!({ "place": place, "status": word, "because": why })
        })
        .collect();
    let settled = accepted.revocation_settled();
    let revocation = json!({ "asked": settled.is_some(), "settled": settled, "certificates": standings });
    json!({ "accepted": true, "path": path, "root": root, "until": accepted.until(), "identities": identities,
            "name": asked.name,
            "revocation": revocation, "notes": notes })
    .to_string()
}

fn place(origin: Origin) -> String {
    match origin {
        Origin::Presented(index) => index.to_string(),
        Origin::Root => "root".into(),
        _ => "-".into(),
    }
}

/// Every path tried as a small tree, the leaf on top, and under the certificate that broke a rule what it was.
fn tree(rejection: &Rejection, notes: &[String]) -> String {
    let mut lines = Vec::new();
    for (number, Attempt { path, finding, .. }) in rejection.attempts().iter().enumerate() {
        lines.push(format!("path {}", number + 1));
        let mut told = false;
        for step in path {
            let broken = step.origin == finding.origin && !told;
            lines.push(format!("  {} {:<4}  {}", if broken { "x" } else { " " }, place(step.origin), step.subject));
            if broken {
                told = true;
                lines.push(format!("            found   {}", finding.found));
                lines.push(format!("            wanted  {}", finding.wanted));
                lines.push(format!("            rule    {}", finding.rule));
            }
        }
        if !told {
            lines.push(format!("  x {finding}"));
        }
    }
    if rejection.untold() > 0 {
        lines.push(format!("and {} more", rejection.untold()));
    }
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

fn rejected_json(rejection: &Rejection, notes: &[String]) -> String {
    let finding = |f: &clasp_x509::Finding| {
        json!({ "reason": format!("{:?}", f.reason), "place": place(f.origin), "subject": f.subject, "rule": f.rule,
                "found": f.found, "wanted": f.wanted })
    };
    let attempts: Vec<Value> = rejection
        .attempts()
        .iter()
        .map(|attempt| {
            let path: Vec<Value> = attempt
                .path
                .iter()
                .map(|step| json!({ "place": place(step.origin), "subject": step.subject }))
                .collect();
            json!({ "path": path, "finding": finding(&attempt.finding) })
        })
        .collect();
    json!({ "accepted": false, "nearest": finding(rejection.nearest()), "attempts": attempts,
            "untold": rejection.untold(), "notes": notes })
    .to_string()
}
