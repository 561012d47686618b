// On the ground.
//! Copying that does not depend on where bytes happen to stand.

/// Bytes copied at once. A longer piece goes to an instruction of the processor (`rep movsb`) that takes twice as long
/// on some where source and destination are not aligned alike, and records never are.
const PIECE: usize = 1024;

/// Copies as much as both have.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) {
    for (from, to) in from.chunks(PIECE).zip(to.chunks_mut(PIECE)) {
        let len = from.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..len), from.get(..len)) {
            to.copy_from_slice(from);
        }
    }
}

/// Adds a copy to a vector.
pub(crate) fn append(from: &[u8], to: &mut Vec<u8>) {
    to.reserve(from.len());
    from.chunks(PIECE).for_each(|piece| to.extend_from_slice(piece));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_at_every_length() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 10_000] {
            let from: Vec<u8> = (0..=250).cycle().take(len).collect();
            let mut to = vec![0xee; len + 3];
            copy(&from, &mut to);
            assert_eq!((&to[..len], &to[len..]), (&from[..], &[0xee; 3][..]));
            let mut short = vec![0; len / 2];
            copy(&from, &mut short);
            assert_eq!(short, from[..len / 2]);
            let mut added = b"front".to_vec();
            append(&from, &mut added);
            assert_eq!(added, [b"front", &from[..]].concat());
        }
    }
}
