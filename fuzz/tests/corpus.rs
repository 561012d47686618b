//! Every target over its seeds, and over what is made of them by cutting and flipping: no fuzzer is needed.

use clasp_fuzz::{TARGETS, corpus, run};

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = corpus(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let seeds: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds
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
