//! Framing of records, and opening of records in the clear.

use crate::input::Input;
use clasp::record::{Opener, frame};

/// Takes records off the front of the input until one cannot be taken.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut opener = Opener::default();
    opener.set_limit(input.number(), true);
    let mut bytes = input.0.to_vec();
    let mut rest = &mut bytes[..];
    let mut first = true;
    loop {
        match frame::next(rest, first) {
            Err(error) => {
                assert!(error.alert().is_known(), "{error}");
                return;
            }
            Ok(frame::Frame::Partial(missing)) => {
                assert!(missing > 0, "nothing is missing from a record that is not whole");
                assert!(rest.len() + missing <= 5 + (1 << 14) + 2048, "a record may be longer than any");
                return;
            }
            Ok(frame::Frame::Record { content, len }) => {
                let (record, later) = rest.split_at_mut(len);
                match opener.open(content, record) {
                    Ok(opened) => assert_eq!(opened.range, 5..len),
                    Err(error) => assert!(error.alert().is_known(), "{error}"),
                }
                rest = later;
            }
        }
        first = false;
    }
}
