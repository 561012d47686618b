//! What a certificate has that it should not have.

/// What a certificate has that RFC 5280 forbids but that does not keep it from being read. Profiles decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks(u16);

impl Quirks {
    pub(crate) const SERIAL_NEGATIVE: Self = Self(1);
    pub(crate) const SERIAL_ZERO: Self = Self(1 << 1);
    pub(crate) const SERIAL_LONG: Self = Self(1 << 2);
    pub(crate) const TIME_FORM: Self = Self(1 << 3);
    pub(crate) const UNIQUE_ID: Self = Self(1 << 4);
    pub(crate) const FALSE_ENCODED: Self = Self(1 << 5);
    pub(crate) const EMPTY_KEY_USAGE: Self = Self(1 << 6);
    pub(crate) const UNKNOWN_QUALIFIER: Self = Self(1 << 7);
    pub(crate) const NO_AUTHORITY_ENCODED: Self = Self(1 << 8);

    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
