//! A third back end, for SHA-2 and HMAC where the processor has instructions for SHA-256: in place, without heap, and
//! wiped. On which processors is for [`builtin`](super::builtin) to say.

pub(super) mod hash;
