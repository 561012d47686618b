//! One end, fed the fuzzer's bytes in pieces. Its cryptography is hollow, so that the bytes may be a whole conversation.

use super::end::End;
use super::scenario::{self, Crypto, Scenario};
use crate::input::Input;
use clasp::ServerName;
use clasp_testkit::provider;

/// A client fed what a server might say.
pub fn client(data: &[u8]) {
    let mut input = Input(data);
    let scenario = choose(&mut input);
    let name = ServerName::try_from("localhost").expect("a name");
    let mut end = End::new(scenario.client.connect(name));
    if scenario.early {
        let sent = end.connection.send_early(b"early", &mut end.out);
        assert_eq!(sent.ok(), Some(5));
    }
    talk(&mut end, input);
    scenario::begin_next(scenario);
}

/// A server fed what a client might say.
pub fn server(data: &[u8]) {
    let mut input = Input(data);
    let scenario = choose(&mut input);
    talk(&mut End::new(scenario.server.accept()), input);
}

pub(super) fn choose(input: &mut Input<'_>) -> &'static Scenario {
    provider::reseed(7);
    scenario::plant(None);
    let all = scenario::all(Crypto::Hollow);
    &all[input.below(all.len())]
}

/// The second byte says in what pieces the bytes come, and whether the outside is asked between.
pub(super) fn talk(end: &mut End, mut input: Input<'_>) {
    let pieces = input.byte();
    let size = match pieces >> 4 {
        0 => usize::MAX,
        n => usize::from(n) * usize::from(n),
    };
    let prompt = pieces & 1 == 0;
    for piece in input.0.chunks(size) {
        end.feed(piece);
        if prompt {
            end.advance();
        }
        if end.connection.failure().is_some() {
            return;
        }
        end.send(b"answer");
    }
    end.advance();
    if let Err(error) = end.connection.transport_ended() {
        // An end without close_notify is told, and ends nothing but reading.
        assert!(end.connection.failure().is_some() || error.is_truncation(), "{error}");
    }
}
