//! The files stand in one order; unsafe blocks stand in one of them.
#![allow(clippy::unwrap_used)]

/// Every file of `src`, from the ground.
const ORDER: &[&str] = &[
    "memory",
    "error",
    "boundary",
    "roots",
    "identity",
    "settings",
    "client",
    "server",
    "link",
    "connection",
    "facts",
    "lib",
];

#[test]
fn the_files_stand_in_one_order_and_are_short() {
    let looked = clasp_layers::Layers::new(env!("CARGO_MANIFEST_DIR"), ORDER).check();
    assert!(looked.imports > 60 && looked.functions > 60, "{looked:?}");
}

/// Elsewhere `unsafe` says no more than that a function has a name of its own in C.
#[test]
fn unsafe_blocks_stand_in_one_file_and_say_why_they_are_safe() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for name in ORDER {
        let text = std::fs::read_to_string(src.join(name).with_extension("rs")).unwrap();
        let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let unsafes: Vec<&str> = code
            .filter(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe"))
            .filter(|line| !line.starts_with("#![allow(unsafe_code, reason") && *line != "#[unsafe(no_mangle)]")
            .collect();
        if *name == "memory" {
            assert_eq!(unsafes.len(), text.matches("// SAFETY: ").count(), "{unsafes:?}");
            assert!(unsafes.iter().all(|line| line.contains("unsafe {")), "{unsafes:?}");
        } else {
            assert_eq!(unsafes, [""; 0], "{name}.rs");
        }
    }
}
