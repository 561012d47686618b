//! The memory of C: bytes that C lends, and room that it has. The one file that reads and writes through pointers.
//!
//! What C passes by value here is made by C alone: its fields are private, and Rust makes one of a slice only. That the pointer and
//! the length fit is C's promise, which `clasp.h` asks for; it is what makes the functions of this file safe to call.
//! Handles need nothing of this: `Option<&T>`, `Option<&mut T>` and `Option<Box<T>>` are pointers of C, null is `None`.
#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::{ptr, slice};

/// What is wrong with a pointer, which argument it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPointer {
    pub(crate) argument: &'static str,
    pub(crate) fault: PointerFault,
}

/// What can be seen of a pointer without following it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointerFault {
    Null,
    TooLong,
    Unaligned,
}

/// Bytes that somebody else owns: a pointer and a length. Those that a function takes are read before it returns, and not kept.
/// Those that a function returns last as long as it says. There is no NUL at their end. A NULL with a length of 0 is no bytes.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_bytes<'a> {
    /// The first of them.
    data: *const u8,
    /// How many.
    len: usize,
    of: PhantomData<&'a [u8]>,
}

/// Numbers of the protocol that the caller owns, such as cipher suites: read before the function returns, and not kept.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_codes<'a> {
    /// The first of them.
    data: *const u16,
    /// How many.
    count: usize,
    of: PhantomData<&'a [u16]>,
}

/// Room that the caller owns, and that a function writes into. It is never read; it need not be initialised.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_buffer<'a> {
    /// Its first byte.
    data: *mut u8,
    /// Its size in bytes.
    capacity: usize,
    of: PhantomData<&'a mut [u8]>,
}

impl<'a> clasp_bytes<'a> {
    /// For C to read.
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len(), of: PhantomData }
    }

    /// None at all.
    pub(crate) const fn none() -> Self {
        Self { data: ptr::null(), len: 0, of: PhantomData }
    }

    /// Whether there is not even a pointer.
    pub(crate) const fn is_null(&self) -> bool {
        self.data.is_null()
    }

    /// What C has lent.
    pub(crate) fn get(self, argument: &'static str) -> Result<&'a [u8], BadPointer> {
        if !check(self.data, self.len, argument)? {
            return Ok(&[]);
        }
        // SAFETY: `data` is not null and u8 has no alignment; `len` is at most isize::MAX. That `len` bytes can be read there
        // until the function returns, and that nobody writes them meanwhile, is what C promises by passing this (see above).
        Ok(unsafe { slice::from_raw_parts(self.data, self.len) })
    }
}

impl<'a> clasp_codes<'a> {
    /// What C has lent.
    pub(crate) fn get(self, argument: &'static str) -> Result<&'a [u16], BadPointer> {
        if !check(self.data, self.count, argument)? {
            return Ok(&[]);
        }
        // SAFETY: `data` is not null and aligned; `count` numbers are at most isize::MAX bytes. The rest is C's promise, as with
        // bytes.
        Ok(unsafe { slice::from_raw_parts(self.data, self.count) })
    }
}

impl clasp_buffer<'_> {
    /// How much there is room for.
    pub(crate) fn capacity(&self, argument: &'static str) -> Result<usize, BadPointer> {
        check(self.data, self.capacity, argument)?;
        Ok(self.capacity)
    }

    /// Writes the front of `bytes`, as much as there is room for, and gives how much that was; the next will stand behind it.
    pub(crate) fn append(&mut self, bytes: &[u8], argument: &'static str) -> Result<usize, BadPointer> {
        let len = self.capacity(argument)?.min(bytes.len());
        if len > 0 {
            // SAFETY: `bytes` has `len` bytes. `data` is not null, since `capacity` refuses that where there is room, and C promises
            // that `capacity` bytes can be written there. `copy` bears that both overlap.
            unsafe { ptr::copy(bytes.as_ptr(), self.data, len) };
            // What is left is room as well, of `capacity - len` bytes: `len` is at most that.
            self.data = self.data.wrapping_add(len);
            self.capacity = self.capacity.saturating_sub(len);
        }
        Ok(len)
    }
}

/// Whether there is anything to follow the pointer for.
fn check<T>(data: *const T, count: usize, argument: &'static str) -> Result<bool, BadPointer> {
    let bad = |fault| Err(BadPointer { argument, fault });
    if count == 0 {
        return Ok(false);
    }
    if data.is_null() {
        return bad(PointerFault::Null);
    }
    if !data.is_aligned() {
        return bad(PointerFault::Unaligned);
    }
    match count.checked_mul(size_of::<T>()) {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(true),
        _ => bad(PointerFault::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_that_shows_what_is_wrong_with_it_is_not_followed() {
        fn fault(bytes: clasp_bytes<'_>) -> Result<&[u8], PointerFault> {
            bytes.get("x").map_err(|bad| bad.fault)
        }
        assert_eq!(fault(clasp_bytes { data: ptr::null(), len: 1, of: PhantomData }), Err(PointerFault::Null));
        assert_eq!(fault(clasp_bytes::none()), Ok(&[][..]));
        let one = [7_u8];
        let long = clasp_bytes { data: one.as_ptr(), len: usize::MAX, of: PhantomData };
        assert_eq!(fault(long), Err(PointerFault::TooLong));
        assert_eq!(fault(clasp_bytes::of(&one)), Ok(&one[..]));
        let codes = [1_u16, 2];
        let odd = codes.as_ptr().cast::<u8>().wrapping_add(1).cast::<u16>();
        let odd = clasp_codes { data: odd, count: 1, of: PhantomData };
        assert_eq!(odd.get("x").map_err(|bad| bad.fault), Err(PointerFault::Unaligned));
        let long = clasp_codes { data: codes.as_ptr(), count: usize::MAX / 2 + 1, of: PhantomData };
        assert_eq!(long.get("x").map_err(|bad| bad.fault), Err(PointerFault::TooLong));
        let good = clasp_codes { data: codes.as_ptr(), count: 2, of: PhantomData };
        assert_eq!(good.get("x"), Ok(&codes[..]));
    }

    #[test]
    fn no_more_is_written_than_there_is_room_for() {
        let mut room = [0_u8; 4];
        let mut buffer = clasp_buffer { data: room.as_mut_ptr(), capacity: 3, of: PhantomData };
        assert_eq!((buffer.append(b"ab", "x"), buffer.append(b"cdef", "x")), (Ok(2), Ok(1)));
        assert_eq!((&room, buffer.append(b"g", "x")), (b"abc\0", Ok(0)));
        let mut nowhere = clasp_buffer { data: ptr::null_mut(), capacity: 3, of: PhantomData };
        assert_eq!(nowhere.append(b"abc", "x").map_err(|bad| bad.fault), Err(PointerFault::Null));
        let mut none = clasp_buffer { data: ptr::null_mut(), capacity: 0, of: PhantomData };
        assert_eq!(none.append(b"abc", "x"), Ok(0));
    }
}
