//! What becomes of recorded bytes in an attacker's hands: heard again with the server's own key, and altered in each place. No drawing
//! is made of what would happen; it happens, each time that the page is written.

use super::cast::Cast;
use crate::failure::Failure;
use crate::trace::{Side, Trace};
use clasp::code::ContentType;
use clasp::crypto::PrivateKey;
use clasp::keys::log::Secrets;
use clasp::passive::{Listener, ServerKeys};
use clasp::trace::{Direction, Observation, Observer, What};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What the explorer of the page is made of. The traces are in the order of the page: those over the link first.
pub(super) fn explorer(cast: &Cast, traces: &[Trace], delay_ms: u128) -> Result<Value, Failure> {
    // In the order in which the choice has them: RSA, by ID, ECDHE, by ticket, TLS 1.3, early data, another key share.
    let kinds: Vec<usize> = (0..7).collect();
    let key = PrivateKey::from_der(cast.server_key()).map_err(|_| Failure::cannot("the demo's key cannot be read"))?;
    let thief = Thief(Arc::new(key));
    let middle = traces.iter().position(|trace| trace.man_in_the_middle);
    let (rsa, ecdhe) = (traces.first(), traces.get(2));
    let (Some(rsa), Some(ecdhe)) = (rsa, ecdhe) else { return Err(Failure::cannot("the demo has no conversations")) };
    Ok(json!({
        "kinds": kinds,
        "delay": u64::try_from(delay_ms).unwrap_or_default(),
        "stolen": [[0, thief.opens(rsa)], [2, thief.opens(ecdhe)]],
        "middle": middle,
        "flip": thief.flips(rsa).map(|(record, verdicts)| json!({ "trace": 0, "record": record, "verdicts": verdicts })),
    }))
}

/// Has copied what was said, and the server's private key later.
struct Thief(Arc<PrivateKey>);

/// What the last record held, as far as it was opened.
#[derive(Default)]
struct Last(Mutex<Option<(ContentType, usize)>>);

impl Last {
    fn take(&self) -> Option<(ContentType, usize)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for Last {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Record { content, plain_len, .. } = seen.what {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((content, plain_len));
        }
    }
}

/// What becomes of a record with an altered byte.
const OPENED: u8 = 0;
const REFUSED_BY_ITS_MAC: u8 = 1;
const NO_RECORD: u8 = 2;

impl Thief {
    fn listener(&self, last: &Arc<Last>) -> Listener {
        let keys = Arc::new(ServerKeys::new([self.0.clone()]));
        Listener::new(last.clone(), Arc::new(Secrets::default())).with_server_keys(keys)
    }

    /// Which records of a conversation open with the key.
    fn opens(&self, trace: &Trace) -> Vec<bool> {
        let mut listener = self.listener(&Arc::default());
        let hear = |record: &crate::trace::Record| {
            let before = listener.unopened();
            let heard = listener.hear(SystemTime::now(), direction(record.by), &record.bytes);
            heard.is_ok() && listener.unopened() == before
        };
        trace.records.iter().map(hear).collect()
    }

    /// The client's last record with data, and what becomes of it with one bit of each byte flipped.
    fn flips(&self, trace: &Trace) -> Option<(usize, Vec<u8>)> {
        let data = ContentType::ApplicationData;
        let is_data = |record: &crate::trace::Record| record.by == Side::Client && record.content == data.to_string();
        let place = trace.records.iter().rposition(is_data)?;
        let record = trace.records.get(place)?;
        let verdict = |at: usize| {
            let last = Arc::new(Last::default());
            let mut listener = self.listener(&last);
            for before in trace.records.iter().take(place) {
                // What comes before is as it was.
                let _heard = listener.hear(SystemTime::now(), direction(before.by), &before.bytes);
            }
            last.take();
            let mut bytes = record.bytes.clone();
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
            let unopened = listener.unopened();
            let heard = listener.hear(SystemTime::now(), Direction::Sent, &bytes);
            match last.take() {
                Some((content, length)) if heard.is_ok() && listener.unopened() == unopened => {
                    if content == data && length == record.plain_length { OPENED } else { NO_RECORD }
                }
                Some(_) => REFUSED_BY_ITS_MAC,
                None => NO_RECORD,
            }
        };
        // One behind the last alters nothing: it has to open.
        let whole = verdict(record.bytes.len()) == OPENED;
        whole.then(|| (place, (0..record.bytes.len()).map(verdict).collect()))
    }
}

const fn direction(by: Side) -> Direction {
    match by {
        Side::Client => Direction::Sent,
        Side::Server => Direction::Received,
    }
}
