//! Every target over its seeds, and over what is made of them by cutting and flipping: no fuzzer is needed.

use clasp_fuzz::{TARGETS, folder, run};

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let read = |kind: &str| {
        let files = std::fs::read_dir(folder(kind, name)).into_iter().flatten();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect::<Vec<_>>()
    };
    let seeds = read("corpus");
    assert!(!seeds.is_empty(), "{name} has no seeds");
    [seeds, read("found")].concat()
}

#[test]
fn every_seed_of_every_target() {
    for target in TARGETS {
        for seed in seeds(target.name) {
            run(target, &seed);
        }
    }
}

#[test]
fn seeds_cut_and_flipped() {
    for target in TARGETS {
        for seed in seeds(target.name) {
            for n in 1..12 {
                let at = seed.len() * n / 12;
                run(target, &seed[..at]);
                let mut flipped = seed.clone();
                if let Some(byte) = flipped.get_mut(at) {
                    *byte ^= 1 << (n % 8);
                    run(target, &flipped);
                }
            }
        }
    }
}

/// What the code makes today, not only what was committed: signatures differ from run to run, and so do seeds.
#[test]
fn seeds_made_anew() {
    for (target, _, bytes) in clasp_fuzz::seeds::all() {
        run(clasp_fuzz::target(target), &bytes);
    }
}

/// One extension as long as can be.
#[test]
fn hellos_as_long_as_they_can_be() {
    let all = clasp_fuzz::seeds::greatest();
    assert!(all.iter().filter(|(_, _, bytes)| bytes.len() > 60_000).count() > 20, "few are long");
    for (target, _, bytes) in all {
        run(clasp_fuzz::target(target), &bytes);
    }
}

/// libFuzzer refuses a dictionary whole for one line that it cannot read.
#[test]
fn dictionaries_can_be_read() {
    for text in [include_str!("../tls.dict"), include_str!("../x509.dict")] {
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, rest) = line.split_once("=\"").unwrap_or_else(|| panic!("no word in {line}"));
            let word = rest.strip_suffix('"').unwrap_or_else(|| panic!("no end in {line}"));
            assert!(!word.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line}");
            let mut pieces = word.split('\\');
            assert!(
                pieces.next().is_some_and(|plain| plain.bytes().all(|b| b.is_ascii_graphic() || b == b' ')),
                "{line}"
            );
            for piece in pieces {
                let code = piece.strip_prefix('x').and_then(|hex| hex.get(..2));
                assert!(code.is_some_and(|hex| u8::from_str_radix(hex, 16).is_ok()), "{line}");
            }
        }
    }
}

/// Fields of the first three records of every conversation, at the lengths where things go wrong.
#[test]
fn fields_stretched() {
    for scenario in 0..12 {
        for before in 0..3 {
            for field in 0..60 {
                for length in 0..12 {
                    let [high, low] = (field * 7_u16).to_be_bytes();
                    let stretch = [16, high, low, length, 0xff, 0];
                    run(clasp_fuzz::target("link_hollow"), &[&[scenario][..], &vec![0; before], &stretch].concat());
                }
            }
        }
    }
}
