//! The examples that need no network run. The others are built with everything else.
#![allow(clippy::duplicate_mod)] // each example has it, as a program of its own

#[path = "../examples/early_data.rs"]
mod early_data;
#[path = "../examples/mtls.rs"]
mod mtls;
#[path = "../examples/policies.rs"]
mod policies;
#[path = "../examples/private_ca.rs"]
mod private_ca;
#[path = "../examples/resumption.rs"]
mod resumption;
#[path = "../examples/rustls_types.rs"]
mod rustls_types;

/// A new example is run too, or is one of those that ask a real host or wait for clients.
#[test]
fn all_examples_are_known() {
    const HERE: [&str; 6] = ["early_data", "mtls", "policies", "private_ca", "resumption", "rustls_types"];
    const ELSEWHERE: [&str; 2] = ["client", "server"];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".rs") else { continue };
        assert!(HERE.contains(&name) || ELSEWHERE.contains(&name), "{name}: have tests/examples.rs run it");
    }
}
