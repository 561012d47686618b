//! Sessions as a server keeps them, damaged in the store and in the ticket.

use super::end::End;
use super::scenario::{self, Crypto};
use crate::input::Input;
use clasp::ServerName;
use clasp::crypto::Provider;
use clasp::session::TicketKeys;
use clasp_testkit::provider;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The fuzzer's bytes are what the store has under every ID; then they are a ticket.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    provider::reseed(7);
    let resumed: Vec<_> = scenario::all(Crypto::Hollow).iter().filter(|s| s.name.contains("resumed")).collect();
    let scenario = resumed[input.below(resumed.len())];
    scenario::plant(Some(input.0.to_vec()));
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = End::new(scenario.client.connect(name));
    let mut server = End::new(scenario.server.accept());
    for _ in 0..4 {
        server.feed(&core::mem::take(&mut client.out));
        server.advance();
        client.feed(&core::mem::take(&mut server.out));
        client.advance();
    }
    scenario::plant(None);
    ticket(input.0);
}

/// Only what was sealed opens, and to what it was.
fn ticket(data: &[u8]) {
    let hour = Duration::from_secs(3600);
    let secret: [u8; 32] = core::array::from_fn(|n| n as u8 ^ 0x55);
    let now: SystemTime = UNIX_EPOCH + Duration::from_secs(1_767_300_000);
    let keys = TicketKeys::shared(Provider::builtin(), &secret, hour, 2 * hour).expect("keys");
    assert!(keys.open(now, data).is_none(), "a forged ticket opens");
    let mut sealed = Vec::new();
    keys.seal(now, data, &mut sealed).expect("randomness");
    let opened = keys.open(now, &sealed);
    // A ticket has a bound.
    assert!(opened.is_some() || sealed.len() > 16 << 10);
    assert!(opened.is_none_or(|o| *o.plain == data && !o.renew));
}
