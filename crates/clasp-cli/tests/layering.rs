//! The order of the files holds: none imports one that stands above it, so there is no circle. And none is too long.

/// Every file of `src`, from the ground. A file names those before it, and none behind it.
const ORDER: &[&str] = &[
    "terminal",
    "failure",
    "output",
    "pem",
    "report",
    "negotiation",
    "timeline",
    "command/ca/index",
    "command/ca/names",
    "command/ca/status",
    "command/ca",
    "command/connect/answer",
    "command/connect/arguments",
    "command/connect/patient",
    "command/connect/seen",
    "command/connect/join",
    "command/connect",
    "command/demo/cast",
    "command/demo/link",
    "command/demo/loopback",
    "command/demo",
    "command/inspect",
    "command/serve/arguments",
    "command/serve/body",
    "command/serve/path",
    "command/serve/files",
    "command/serve/own",
    "command/serve/pages",
    "command/serve/prefixed",
    "command/serve/stop",
    "command/serve/activity",
    "command/serve/at_once",
    "command/serve/config",
    "command/serve/echo",
    "command/serve/http/tests",
    "command/serve/http",
    "command/serve/socket",
    "command/serve",
    "command/verify",
    "command/mod",
    "lib",
    "main",
];

#[test]
fn the_files_stand_in_one_order_and_are_short() {
    let looked = clasp_layers::Layers::new(env!("CARGO_MANIFEST_DIR"), ORDER).check();
    assert!(looked.imports > 100 && looked.functions > 200, "{looked:?}");
}
