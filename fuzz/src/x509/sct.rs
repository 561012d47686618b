//! Lists of certificate timestamps.

use super::made::Key;
use clasp_x509::{Certificate, Logs, Sct, SctEntry, SctVerdict};

/// Reads a list and checks each timestamp against a log that signed none of them.
pub fn run(data: &[u8]) {
    let Ok(list) = Sct::read_list(data) else { return };
    assert!(list.len() <= 32);
    let mut logs = Logs::default();
    logs.add("a log", &Key::seeded(9).spki());
    let leaf = Certificate::parse(&super::leaf().der).expect("our own certificate");
    for timestamp in list {
        assert_eq!(timestamp.log().len(), 32);
        for entry in [SctEntry::Separate(&leaf), SctEntry::Embedded(&leaf, leaf.spki())] {
            let verdict =
                logs.check(&timestamp, entry, timestamp.timestamp() / 1000).expect("a certificate that is whole");
            assert!(!matches!(verdict, SctVerdict::Good(_)), "a forged timestamp is good");
        }
    }
}
