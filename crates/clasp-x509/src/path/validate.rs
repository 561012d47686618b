//! Checking a whole path from the root down: RFC 5280 6.1.2 to 6.1.5. Signatures and what each certificate must be by
//! itself were checked on the way up.

use super::budget::Allowance;
use super::constraint;
use super::fault::{Fault, Outcome, Reason, Value};
use super::options::Options;
use super::policy::Policies;
use crate::certificate::Certificate;
use crate::certificate::name_constraints::NameConstraints;

/// What a path is checked against, from above: the inputs of RFC 5280 6.1.1.
pub(super) struct Inputs<'p, 's> {
    pub(super) root: Option<&'p Certificate<'s>>,
    pub(super) constraints: Option<NameConstraints<'s>>,
    pub(super) options: &'p Options<'s>,
}

/// Checks a path, the leaf first. A fault comes with its place in the path.
pub(super) fn path<'s>(
    path: &[&'s Certificate<'s>],
    inputs: &Inputs<'_, 's>,
    allowance: &mut Allowance,
) -> Result<(), (usize, Fault<'s>)> {
    let options = inputs.options;
    let mut room = options.max_intermediates.unwrap_or(u32::MAX);
    // RFC 5937 4: a root that is a certificate narrows what is below it.
    room = room.min(inputs.root.and_then(Certificate::path_length).unwrap_or(u32::MAX));
    let mut constraints: Vec<NameConstraints<'s>> = Vec::new();
    constraints.extend(inputs.constraints);
    constraints.extend(inputs.root.and_then(|root| root.extensions.name_constraints));
    let mut policies = Policies::new(&options.policies, u32::try_from(path.len()).unwrap_or(u32::MAX));
    if let Some(root) = inputs.root {
        policies.anchor(&root.extensions);
    }
    for (at, certificate) in path.iter().enumerate().rev() {
        let last = at == 0;
        let self_issued = certificate.is_self_issued();
        let here = |fault| (at, fault);
        // 6.1.3 (b), (c): those that issue to themselves are exempt, so that an authority can change its key.
        if last || !self_issued {
            for constraint in &constraints {
                constraint::check(certificate, constraint, last && options.common_name(), allowance).map_err(here)?;
            }
        }
        features(certificate, path.get(at.saturating_add(1)).copied().or(inputs.root)).map_err(here)?;
        policies.certificate(certificate, last, self_issued).map_err(here)?;
        if last {
            return policies.finish(certificate, options.policies.acceptable).map_err(here);
        }
        policies.prepare(&certificate.extensions, self_issued).map_err(here)?;
        constraints.extend(certificate.extensions.name_constraints);
        // 6.1.4 (l), (m).
        if !self_issued {
            room = room.checked_sub(1).ok_or_else(|| here(too_long(path, at)))?;
        }
        room = room.min(certificate.path_length().unwrap_or(u32::MAX));
    }
    Ok(())
}

/// RFC 7633 4.2.2: what an authority has every certificate below it demand, each of them does. Otherwise must-staple of an authority
/// would bind nobody.
fn features<'s>(certificate: &Certificate<'s>, issuer: Option<&Certificate<'s>>) -> Outcome<'s> {
    let mut wanted = issuer.into_iter().flat_map(Certificate::tls_features).peekable();
    if wanted.peek().is_none() {
        return Ok(());
    }
    // Sorted, since the peer chooses how many there are.
    let mut has: Vec<u32> = certificate.tls_features().collect();
    has.sort_unstable();
    match wanted.find(|feature| has.binary_search(feature).is_err()) {
        None => Ok(()),
        Some(missing) => {
            let wanted = Value::Count("the TLS feature that its issuer demands, extension", missing);
            Err(Fault::new(Reason::Constraint, "RFC 7633 4.2.2", Value::Text("tlsfeature without it, or none"), wanted))
        }
    }
}

fn too_long<'s>(path: &[&'s Certificate<'s>], at: usize) -> Fault<'s> {
    let limit = path.get(at.saturating_add(1)..).unwrap_or_default().iter().find_map(|c| c.path_length());
    let found = Value::Text("an authority that the path length of those above it does not allow");
    let wanted = match limit {
        Some(limit) => Value::Count("intermediates after that path length constraint, at most", limit),
        None => Value::Text("a path no longer than allowed"),
    };
    Fault::new(Reason::Constraint, "RFC 5280 6.1.4 (l)", found, wanted)
}
