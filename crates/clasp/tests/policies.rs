//! The exact content of each named policy, as docs/policies.md shows it: a change of either is a change of both.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "legacy")]

use clasp::Policy;

fn text(name: &str, policy: &Policy) -> String {
    fn list<T: ToString>(items: &[T]) -> String {
        items.iter().map(|i| format!("  {}\n", i.to_string())).collect()
    }
    format!(
        "Policy::{name}()\nversions\n{}suites\n{}groups\n{}schemes\n{}",
        list(policy.versions()),
        list(policy.suites()),
        list(policy.groups()),
        list(policy.schemes())
    )
}

#[test]
fn named_policies_are_what_the_documentation_says() {
    let documentation = include_str!("../../../docs/policies.md");
    for (name, policy) in Policy::named() {
        let text = text(name, &policy);
        assert!(documentation.contains(&text), "docs/policies.md should have:\n{text}");
    }
}
