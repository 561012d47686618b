//! Certificates, above `name`, `spki`, `signature` and `extensions`: what they say, and whether they are for a name or a use.

pub(crate) mod extension;
mod fields;
mod identity;
pub(crate) mod name_constraints;
mod outline;
pub(crate) mod point;
mod quirks;
pub(crate) mod server_name;
pub(crate) mod usage;

pub use fields::Certificate;
pub use identity::Identity;
pub use outline::Unreadable;
pub(crate) use quirks::Quirks;
