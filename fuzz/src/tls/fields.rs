//! The walker that names and locates the fields of any message.

use clasp::wire::fields;

/// Every field stands where it says.
pub fn run(data: &[u8]) {
    let data = &data[..data.len().min(1 << 16)];
    for field in fields::message(data) {
        assert_eq!(data.get(field.range.clone()), Some(field.bytes), "{} stands elsewhere", field.name);
        assert!(field.value.len() < 256, "{} is told at length", field.name);
    }
}
