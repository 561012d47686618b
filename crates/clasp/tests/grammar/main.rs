//! The peer as a script: which messages may come where, and under which keys.
//!
//! An honest conversation over a provider without secrecy (`clasp_testkit::provider::hollow`) gives the messages of the
//! peer. Then the peer is a script: it plays them up to some wait and says something else there, under whatever
//! keys the wait has. What may come at a wait is the message that came in the honest conversation and what the grammar
//! of RFC 5246 7.3 and RFC 9846 4 has as an alternative (`Scenario::also` of the testkit).
#![cfg(feature = "legacy")]
#![allow(clippy::unwrap_used)]

mod conversation;
mod keys;
mod messages;
mod order;
