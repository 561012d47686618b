//! GREASE: values that mean nothing, so that peers stay used to such: RFC 8701.

/// One of the sixteen values of RFC 8701 2, as a random byte says.
pub(super) fn grease_value(random: u8) -> u16 {
    u16::from_be_bytes([random & 0xf0 | 0x0a; 2])
}

/// Those of a ClientHello.
pub(super) struct Grease {
    pub(super) suite: u16,
    pub(super) group: u16,
    pub(super) version: u16,
    pub(super) scheme: u16,
    /// The types of the first and of the last extension.
    pub(super) extensions: [u16; 2],
}

/// Random bytes that make them.
pub(super) const GREASE_LEN: usize = 6;

impl Grease {
    pub(super) fn new([suite, group, version, scheme, first, second]: [u8; GREASE_LEN]) -> Self {
        let value = grease_value;
        // The two extensions must differ.
        let second = if value(first) == value(second) { second ^ 0x10 } else { second };
        Self {
            suite: value(suite),
            group: value(group),
            version: value(version),
            scheme: value(scheme),
            extensions: [value(first), value(second)],
        }
    }
}
