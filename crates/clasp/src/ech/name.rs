//! Which public names are names: RFC 9849 4, 6.1.7.

/// Whether it is a sequence of LDH labels (RFC 5890 2.3.1), and nothing that a URL parser would take for an IPv4 address: the
/// last label is no number.
pub(super) fn is_public_name(name: &[u8]) -> bool {
    let mut labels = name.split(|byte| *byte == b'.');
    // RFC 1035 2.3.4: 255 bytes on the wire, which have a length more at the front, and the root's.
    name.len() <= 253 && labels.clone().all(is_ldh) && !labels.next_back().is_some_and(is_number)
}

fn is_ldh(label: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    (1..=63).contains(&label.len()) && label.iter().all(inside) && !label.starts_with(b"-") && !label.ends_with(b"-")
}

/// Decimal digits, or `0x` and hexadecimal ones, of which there may be none.
fn is_number(label: &[u8]) -> bool {
    let hexadecimal = label.strip_prefix(b"0x").or_else(|| label.strip_prefix(b"0X"));
    label.iter().all(u8::is_ascii_digit) || hexadecimal.is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ldh_and_end_in_no_number() {
        let longest = [b'a'; 63].as_slice();
        let of = |labels: &[&[u8]]| labels.join(&b'.');
        for good in [
            b"public.example".to_vec(),
            b"a".to_vec(),
            b"xn--bcher-kva.example".to_vec(),
            b"1.2.3.4a".to_vec(),
            b"1.example".to_vec(),
            b"1.0xg".to_vec(),
            b"0x1.x0".to_vec(),
            longest.to_vec(),
            of(&[longest, longest, longest, &longest[..61]]),
        ] {
            assert!(is_public_name(&good), "{}", good.escape_ascii());
        }
        for bad in [
            b"".to_vec(),
            b".".to_vec(),
            b"a.".to_vec(),
            b".a".to_vec(),
            b"a..b".to_vec(),
            b"-a.b".to_vec(),
            b"a-.b".to_vec(),
            b"a_b.example".to_vec(),
            b"*.example".to_vec(),
            b"a b".to_vec(),
            b"b\xc3\xbccher.example".to_vec(),
            b"nul\0.example".to_vec(),
            b"127.0.0.1".to_vec(),
            b"example.1".to_vec(),
            b"1".to_vec(),
            b"example.0x".to_vec(),
            b"example.0X7f".to_vec(),
            b"::1".to_vec(),
            [b'a'; 64].to_vec(),
            of(&[longest, longest, longest, &longest[..62]]),
        ] {
            assert!(!is_public_name(&bad), "{}", bad.escape_ascii());
        }
    }
}
