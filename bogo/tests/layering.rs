//! The order of the files holds: none imports one that stands above it, so there is no circle. And none is too long.

/// Every file of `src`, from the ground. A file names those before it, and none behind it.
const ORDER: &[&str] = &[
    "errors",
    "failure",
    "flags",
    "suites",
    "compression",
    "doubles",
    "tickets",
    "credentials",
    "ech",
    "config",
    "wire",
    "records",
    "mock_quic",
    "expect",
    "conversation",
    "main",
];

#[test]
fn the_files_stand_in_one_order_and_are_short() {
    let looked = clasp_layers::Layers::new(env!("CARGO_MANIFEST_DIR"), ORDER).check();
    assert!(looked.imports > 20 && looked.functions > 60, "{looked:?}");
}
