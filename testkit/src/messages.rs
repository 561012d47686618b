//! The conversations of [`script`](crate::script), carried as messages with levels: no records, no ChangeCipherSpec.

use crate::script::{Scenario, Sides};
use clasp::messages::{Carried, Messages};
use clasp::wire::code::HandshakeType;
use core::task::{Context, Waker};

/// The kind of the first message that is carried.
///
/// # Panics
/// If there is none.
pub fn kind(carried: &Carried) -> HandshakeType {
    HandshakeType(carried.messages[0])
}

/// The two ends, before anything is said.
///
/// # Panics
/// If the name is none.
pub fn ends(sides: &Sides) -> (Messages, Messages) {
    let client = Messages::client(&sides.client, "localhost".try_into().expect("a name"));
    (client, Messages::server(&sides.server))
}

/// Carries everything that the ends say, to the end: what was said to the client, and to the server.
///
/// # Errors
/// As the end that fails.
pub fn carry(client: &mut Messages, server: &mut Messages) -> clasp::Result<[Vec<Carried>; 2]> {
    let mut said = [Vec::new(), Vec::new()];
    let mut up = client.advance(&mut Context::from_waker(Waker::noop()))?;
    while !up.is_empty() {
        let mut down = Vec::new();
        for carried in up.drain(..) {
            said[1].push(carried.clone());
            down.extend(server.receive(carried)?);
        }
        for carried in down {
            said[0].push(carried.clone());
            up.extend(client.receive(carried)?);
        }
    }
    Ok(said)
}

/// As [`script::honest`](crate::script::honest).
///
/// # Panics
/// If the conversation fails.
pub fn honest(sides: &Sides) -> [Vec<Carried>; 2] {
    let (mut client, mut server) = ends(sides);
    let said = carry(&mut client, &mut server).expect("an honest conversation");
    assert!(client.facts().is_some() && server.facts().is_some());
    said
}

impl Scenario {
    /// As [`fresh`](Self::fresh); the conversations before are carried as messages too.
    ///
    /// # Panics
    /// If one of them fails.
    pub fn fresh_messages(&self, kept: &mut Option<Sides>) -> Sides {
        // The carrier wants an application protocol.
        self.fresh_by(kept, || self.sides_speaking(&["script"]), |sides| drop(honest(sides)))
    }
}

/// As [`script::play`](crate::script::play).
///
/// # Panics
/// If the end does not take what was said.
pub fn play(sides: &Sides, to_client: bool, said: &[Carried]) -> Messages {
    let (client, server) = ends(sides);
    let mut end = if to_client { client } else { server };
    end.advance(&mut Context::from_waker(Waker::noop())).expect("an honest conversation");
    for carried in said {
        end.receive(carried.clone()).expect("an honest conversation");
    }
    end
}
