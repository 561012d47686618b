//! Path building and checking (RFC 5280 6.1), above `certificate`, `revocation` and `roots`.

mod accepted;
mod attempts;
mod budget;
mod check;
mod constraint;
mod direct;
mod fault;
mod form;
mod names;
mod options;
mod policy;
mod rejection;
mod search;
mod status;
mod validate;
mod verify;

pub use accepted::Accepted;
pub(crate) use accepted::Standings;
pub(crate) use budget::PLAIN;
pub use direct::standing;
pub use fault::Reason;
pub use options::Options;
pub use policy::PolicyInputs;
pub use rejection::{Attempt, Finding, Origin, Rejection, Step};
pub use verify::verify;
