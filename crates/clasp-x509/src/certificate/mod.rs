//! Certificates, above `name`, `spki`, `signature` and `extension`: what they say, and whether they are for a name or a use.

pub(crate) mod extensions;
mod fields;
mod identifier;
pub(crate) mod name_constraints;
mod outline;
pub(crate) mod point;
mod quirks;
pub(crate) mod server_name;
pub(crate) mod usage;

pub use fields::Certificate;
pub use identifier::Identifier;
pub use outline::Unreadable;
pub use point::DistributionPoint;
pub(crate) use quirks::Quirks;
