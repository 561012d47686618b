//! What memcheck can be asked by the program it runs: to take bytes for undefined or defined, and what it takes them for.
//!
//! Why unsafe: a request is a sequence of instructions that does nothing on a real processor and that valgrind knows
//! (valgrind.h and memcheck.h of valgrind 3). What holds: the registers that it rotates come back to what they were; the
//! addresses given are those of live slices, and bits of definedness are no memory of ours.
#![allow(unsafe_code)]

/// memcheck.h: `VG_USERREQ_TOOL_BASE('M','C')` and what follows it.
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;
const GET_VBITS: usize = 0x4d43_0008;
const SET_VBITS: usize = 0x4d43_0009;
/// valgrind.h.
const RUNNING_ON_VALGRIND: usize = 0x1001;

/// Asks; 0 where nobody listens.
#[cfg(target_arch = "x86_64")]
fn ask(what: usize, address: usize, second: usize, third: usize) -> usize {
    let words = [what, address, second, third, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: 3 + 13 + 61 + 51 = 128: rdi comes back to what it was; the exchange of rbx with itself changes nothing.
    // Valgrind reads `words`, and writes rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") answer,
        );
    }
    answer
}

#[cfg(not(target_arch = "x86_64"))]
fn ask(_: usize, _: usize, _: usize, _: usize) -> usize {
    0
}

/// Whether this runs under valgrind.
pub(crate) fn listens() -> bool {
    ask(RUNNING_ON_VALGRIND, 0, 0, 0) > 0
}

/// From here on no branch and no address may hang on these bytes.
pub(crate) fn make_secret(bytes: &[u8]) {
    ask(MAKE_MEM_UNDEFINED, bytes.as_ptr().addr(), bytes.len(), 0);
}

/// What everyone may see.
pub(crate) fn make_public(bytes: &[u8]) {
    ask(MAKE_MEM_DEFINED, bytes.as_ptr().addr(), bytes.len(), 0);
}

/// The outcome of an operation, which the peer is told anyway.
pub(crate) fn make_outcome_public<T>(outcome: &T) {
    ask(MAKE_MEM_DEFINED, core::ptr::from_ref(outcome).addr(), size_of::<T>(), 0);
}

/// Which bits of these bytes are secret.
pub(crate) fn secrecy(bytes: &[u8]) -> Vec<u8> {
    let mut bits = vec![0; bytes.len()];
    ask(GET_VBITS, bytes.as_ptr().addr(), bits.as_mut_ptr().expose_provenance(), bytes.len());
    // Memcheck wrote them; the compiler has to know.
    core::hint::black_box(bits)
}

/// Makes those bits secret again.
pub(crate) fn restore_secrecy(bytes: &[u8], bits: &[u8]) {
    let len = bytes.len().min(bits.len());
    ask(SET_VBITS, bytes.as_ptr().addr(), bits.as_ptr().addr(), len);
}
