//! A writer whose length prefixes close themselves.

/// Appends fields to a buffer.
#[derive(Debug)]
pub struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Writes an 8-bit number.
    pub fn u8(&mut self, v: u8) {
        self.0.push(v);
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
    ///
    /// # Panics
    /// If the body is longer than the prefix can say. Everything written is made by us from bounded parts, so that
    /// would be a bug; a wrong length on the wire would be worse.
    fn prefixed<const WIDTH: usize>(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; WIDTH]);
        body(&mut Writer(self.0));
        let length = self.0.len() - start - WIDTH;
        assert!(length < 1 << (8 * WIDTH), "{length} bytes do not fit a {WIDTH}-byte length");
        let length = (length as u64).to_be_bytes();
        self.0[start..start + WIDTH].copy_from_slice(&length[8 - WIDTH..]);
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
        let start = self.0.len();
        self.vec16(body);
        if self.0.len() == start + 2 {
            self.0.truncate(start);
        }
    }

    /// A vector with a 24-bit length.
    pub fn vec24(&mut self, body: impl FnOnce(&mut Writer<'_>)) {
        self.prefixed::<3>(body);
    }

    /// One extension: type, length, body.
    pub fn extension(&mut self, typ: super::code::ExtensionType, body: impl FnOnce(&mut Writer<'_>)) {
        self.u16(typ.0);
        self.vec16(body);
    }
}
