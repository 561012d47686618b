//! Names, above `der`, `oid` and `text`: distinguished names and how they are compared, and general names.

pub(crate) mod compare;
mod distinguished;
pub(crate) mod general;
pub(crate) mod string;

pub use distinguished::Name;
pub(crate) use distinguished::{Attribute, check};
