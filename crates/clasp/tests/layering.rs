//! The layers hold: who may name whom in the source.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(path: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut out);
    assert!(!out.is_empty(), "nothing in {folder}");
    out
}

#[test]
fn the_wire_knows_no_keys() {
    for (path, text) in sources("wire") {
        for module in ["crate::crypto", "crate::keys", "crate::record", "crate::config", "crate::handshake"] {
            assert!(!text.contains(module), "{} names {module}", path.display());
        }
    }
}

#[test]
fn only_crypto_names_a_crypto_library() {
    for (path, text) in sources("") {
        if path.components().any(|c| c.as_os_str() == "crypto") {
            continue;
        }
        for library in ["aws_lc_rs::", "aws_lc_sys::", "use ring::", "use sha2::", "use hmac::"] {
            assert!(!text.contains(library), "{} names {library}", path.display());
        }
    }
}

#[test]
fn unsafe_stands_in_four_files_alone() {
    for (path, text) in sources("") {
        let allowed = ["cbc_hmac.rs", "cbc_stitched.rs", "dh.rs", "rsa_transport.rs"].iter().any(|f| path.ends_with(f))
            && path.components().any(|c| c.as_os_str() == "legacy");
        assert!(allowed || !text.contains("unsafe {"), "{} is unsafe", path.display());
    }
}

#[test]
fn flows_name_no_alerts() {
    for (path, text) in sources("handshake") {
        assert!(!text.contains("AlertDescription::"), "{} names an alert", path.display());
    }
}
