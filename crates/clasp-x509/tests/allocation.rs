//! A plain chain of three certificates is accepted without a single allocation of our own.
#![allow(clippy::unwrap_used, unsafe_code)]

mod common;

use clasp_x509::{Profile, verify};
use common::*;
use rustls_pki_types::ServerName;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends allocates after its counter is gone.
        let _gone = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn a_plain_chain_of_three_is_accepted_without_allocating() {
    // As on the web: with a policy.
    let policy = |d: &mut Draft| {
        d.set(POLICIES, false, seq(&[&seq(&[&oid(&[0x67, 0x81, 0x0c, 1, 2, 1])])]));
    };
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), policy);
    let leaf = server(&middle, policy);
    let presented = chain(&[&leaf, &middle]);
    let host = ServerName::try_from("example.com").unwrap();
    let mut roots = store(&[&root]);
    for n in 0..150 {
        roots.add_der(&authority(&format!("other {n}"), None, |_| ()).der).unwrap();
    }
    for profile in Profile::ALL {
        let mut options = options(profile).name(&host);
        options.proof_follows = true;
        // The cryptographic library sets itself up at its first use.
        verify(&presented, &roots, &options).unwrap();
        let count = allocations(|| drop(verify(&presented, &roots, &options).unwrap()));
        assert_eq!(count, 0, "{profile:?}");
    }
    assert!(allocations(|| drop(vec![1])) > 0, "the counter counts");
}
