//! A writer whose length prefixes close themselves, and which says so when what was written does not fit one.

use crate::code::ExtensionType;
use core::fmt;

/// What was written is longer than its length can say, so that it cannot be sent: a wrong length on the wire would be
/// worse than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// How many bytes there are.
    pub length: usize,
    /// How many fit.
    pub fits: usize,
    /// The extension it happened in, if it was in one.
    pub extension: Option<ExtensionType>,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes where at most {} fit", self.length, self.fits)
    }
}

impl core::error::Error for TooLong {}

/// Appends fields to a buffer. There is none outside of [`Writer::write`], which cannot end without saying whether all
/// of it fitted.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// The first that did not fit.
    too_long: Option<TooLong>,
}

impl Writer<'_> {
    /// Appends to `out` what `body` writes.
    ///
    /// # Errors
    /// If something in it is longer than its length can say. Then `out` is as it was.
    pub fn write(out: &mut Vec<u8>, body: impl FnOnce(&mut Writer<'_>)) -> Result<(), TooLong> {
        let start = out.len();
        let mut w = Writer { out, too_long: None };
        body(&mut w);
        match w.too_long {
            None => Ok(()),
            Some(too_long) => {
                out.truncate(start);
                Err(too_long)
            }
        }
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Writes an 8-bit number.
    pub fn u8(&mut self, v: u8) {
        self.out.push(v);
    }

    /// Writes a 16-bit number.
    pub fn u16(&mut self, v: u16) {
        self.bytes(&v.to_be_bytes());
    }

    /// Writes a 32-bit number.
    pub fn u32(&mut self, v: u32) {
        self.bytes(&v.to_be_bytes());
    }

    /// Writes what `body` writes, behind its length in `WIDTH` bytes.
    fn prefixed<const WIDTH: usize>(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        let place = self.out.len();
        self.out.extend_from_slice(&[0; WIDTH]);
        let start = self.out.len();
        body(self);
        let length = self.out.len().saturating_sub(start);
        let fits = const { (1 << (8 * WIDTH)) - 1 };
        match self.out.get_mut(place..start) {
            Some(prefix) if length <= fits => {
                // The last `WIDTH` bytes of the number, which is no wider.
                prefix.iter_mut().rev().zip(length.to_le_bytes()).for_each(|(place, byte)| *place = byte);
            }
            _ => drop(self.too_long.get_or_insert(TooLong { length, fits, extension: None })),
        }
    }

    /// A vector with an 8-bit length.
    pub fn vec8(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        self.prefixed::<1>(body);
    }

    /// A vector with a 16-bit length.
    pub fn vec16(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        self.prefixed::<2>(body);
    }

    /// A vector with a 16-bit length; nothing at all if `body` writes nothing.
    pub fn vec16_or_nothing(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        let place = self.out.len();
        self.vec16(body);
        if self.out.len().saturating_sub(place) == 2 {
            self.out.truncate(place);
        }
    }

    /// A vector with a 24-bit length.
    pub fn vec24(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        self.prefixed::<3>(body);
    }

    /// One extension: type, length, body.
    pub fn extension(&mut self, typ: ExtensionType, body: impl FnOnce(&mut Writer<'_>)) {
        let before = self.too_long.is_some();
        self.u16(typ.0);
        self.vec16(body);
        if let Some(too_long) = self.too_long.as_mut().filter(|_| !before) {
            too_long.extension = Some(typ);
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn filled(count: usize) -> impl FnOnce(&mut Writer<'_>) {
        move |w| w.bytes(&vec![7; count])
    }

    #[test]
    fn a_length_that_does_not_fit_is_an_error_and_nothing_is_written() {
        let mut out = vec![1, 2, 3];
        for (fits, write) in [
            (0xff, (|w, n| w.vec8(filled(n))) as fn(&mut Writer<'_>, usize)),
            (0xffff, |w, n| w.vec16(filled(n))),
            (0xffff, |w, n| w.vec16_or_nothing(filled(n))),
            (0xff_ffff, |w, n| w.vec24(filled(n))),
        ] {
            Writer::write(&mut out, |w| write(w, fits)).unwrap();
            let written = out.split_off(3);
            let width = written.len() - fits;
            assert_eq!(written[..width], vec![0xff; width]);
            let over = Writer::write(&mut out, |w| {
                w.u8(9);
                write(w, fits + 1);
            });
            assert_eq!(over, Err(TooLong { length: fits + 1, fits, extension: None }));
            assert_eq!(out, [1, 2, 3]);
        }
    }

    #[test]
    fn the_first_that_did_not_fit_is_told_with_its_extension() {
        let cookie = Some(ExtensionType::Cookie);
        let over = Writer::write(&mut Vec::new(), |w| {
            w.vec16(|w| {
                w.extension(ExtensionType::Alpn, |w| w.vec16(filled(10)));
                w.extension(ExtensionType::Cookie, |w| w.vec16(filled(0xfffe)));
                w.extension(ExtensionType::Alpn, |w| w.vec8(filled(300)));
            });
        });
        assert_eq!(over, Err(TooLong { length: 0x1_0000, fits: 0xffff, extension: cookie }));
        assert_eq!(over.unwrap_err().to_string(), "65536 bytes where at most 65535 fit");
    }
}
