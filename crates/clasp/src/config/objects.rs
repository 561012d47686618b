//! Names for objects that say none of themselves: each has one of its own, which no other is ever given.

use crate::crypto::Random;
use crate::error::Result;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Bytes of a name: random, so that no other process has it either.
const NAME_LEN: usize = 16;

/// The objects of one kind that live, with their names. The [`Weak`] keeps the place in memory from being taken by another
/// object for as long as it stands here.
pub(super) struct Objects<T: ?Sized>(Mutex<Vec<(Weak<T>, [u8; NAME_LEN])>>);

impl<T: ?Sized> Objects<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The name of an object, however many hold it; one that has none yet gets one of these bytes.
    pub(super) fn name(&self, object: &Arc<T>, random: &dyn Random) -> Result<[u8; NAME_LEN]> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(other, _)| other.strong_count() > 0);
        let place = Arc::as_ptr(object).cast::<()>();
        if let Some((_, name)) = known.iter().find(|(other, _)| other.as_ptr().cast::<()>() == place) {
            return Ok(*name);
        }
        let mut name = [0; NAME_LEN];
        random.fill(&mut name)?;
        known.push((Arc::downgrade(object), name));
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Provider;

    #[test]
    fn an_object_keeps_its_name_and_no_other_is_ever_given_it() {
        static OBJECTS: Objects<[u8; 64]> = Objects::new();
        let mut seen = Vec::new();
        for _ in 0..1000 {
            // The heap gives the same place again and again.
            let object = Arc::new([0; 64]);
            let random = Provider::builtin().random;
            let name = OBJECTS.name(&object, random).unwrap();
            assert_eq!(OBJECTS.name(&object.clone(), random).unwrap(), name);
            assert!(!seen.contains(&name), "a name was given twice");
            seen.push(name);
        }
        assert!(OBJECTS.0.lock().unwrap().len() <= 1, "those that are gone are forgotten");
    }
}
