//! The frames of a stream (RFC 9114 7.1), as far as their lengths.

/// What a frame may have that is held until it has come whole: each but DATA.
const MOST: u64 = 64 << 10;
const CONTROL: u64 = 0;
const DATA: u64 = 0;

/// Follows a stream's bytes.
pub(super) struct Frames {
    at: At,
    number: Number,
}

enum At {
    /// What kind of a stream of one direction it is.
    Stream,
    Kind,
    Length {
        kind: u64,
    },
    Payload {
        left: u64,
    },
    /// Not made of frames that are held.
    Free,
}

/// A variable-length integer (RFC 9000 16) that is coming.
#[derive(Default)]
struct Number {
    value: u64,
    left: u8,
}

impl Number {
    fn push(&mut self, byte: u8) -> Option<u64> {
        if self.left == 0 {
            (self.value, self.left) = (u64::from(byte & 0x3f), 1 << (byte >> 6));
        } else {
            self.value = self.value << 8 | u64::from(byte);
        }
        self.left -= 1;
        (self.left == 0).then_some(self.value)
    }
}

/// A frame is too long.
#[derive(Debug)]
pub(super) struct TooLong;

impl Frames {
    /// Those of a request or its answer.
    pub(super) fn of_request() -> Self {
        Self { at: At::Kind, number: Number::default() }
    }

    /// Those of a stream of one direction, where it is the control stream.
    pub(super) fn of_one_way() -> Self {
        Self { at: At::Stream, number: Number::default() }
    }

    /// More has come.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let At::Free = self.at {
                return Ok(());
            }
            if let At::Payload { left } = self.at {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let left = left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
                bytes = bytes.get(here..).unwrap_or_default();
                self.at = if left == 0 { At::Kind } else { At::Payload { left } };
                continue;
            }
            bytes = rest;
            let Some(value) = self.number.push(byte) else { continue };
            self.at = match self.at {
                At::Stream if value == CONTROL => At::Kind,
                At::Stream | At::Free => At::Free,
                At::Kind => At::Length { kind: value },
                At::Length { kind } if kind != DATA && value > MOST => return Err(TooLong),
                At::Length { .. } if value == 0 => At::Kind,
                At::Length { .. } | At::Payload { .. } => At::Payload { left: value },
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In pieces of every size.
    fn follow(mut begin: impl FnMut() -> Frames, bytes: &[u8]) -> bool {
        let outcomes: Vec<bool> = (1..=bytes.len())
            .map(|size| {
                let mut frames = begin();
                bytes.chunks(size).all(|piece| frames.follow(piece).is_ok())
            })
            .collect();
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
        outcomes[0]
    }

    #[test]
    fn only_what_is_held_has_a_limit() {
        // HEADERS of 2 bytes, DATA of 2^30 and a bit: as far as it has come.
        assert!(follow(Frames::of_request, &[1, 2, 7, 7, 0, 0xc0, 0, 0, 0, 0x40, 0, 0, 1, 9, 9, 9]));
        // HEADERS of 64 KiB, and of one byte more; the same of a kind that nobody knows.
        assert!(follow(Frames::of_request, &[1, 0x80, 1, 0, 0, 5]));
        assert!(!follow(Frames::of_request, &[1, 0x80, 1, 0, 1, 5]));
        assert!(!follow(Frames::of_request, &[0x40, 0x21, 0x80, 1, 0, 1, 5]));
        // The same behind frames that are whole, of which one is empty.
        assert!(!follow(Frames::of_request, &[0, 3, 1, 1, 1, 0x21, 0, 1, 0x80, 1, 0, 1]));
        assert!(follow(Frames::of_request, &[0, 3, 1, 1, 1, 0x21, 0, 1, 1, 1, 0]));
    }

    #[test]
    fn of_the_streams_of_one_direction_the_control_stream_has_frames() {
        assert!(!follow(Frames::of_one_way, &[0, 4, 0x80, 1, 0, 1]));
        assert!(follow(Frames::of_one_way, &[0, 4, 2, 6, 0, 7, 1, 0]));
        assert!(follow(Frames::of_one_way, &[2, 4, 0x80, 1, 0, 1]));
        assert!(follow(Frames::of_one_way, &[0x40, 0x54, 4, 0x80, 1, 0, 1]));
    }
}
