//! Between C's call and the work: no panic crosses, and what a function gives is written before it starts.

use crate::error::{Result, clasp_error};
use core::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does the work of a function that can fail. What it was about may be half done after a panic: connections keep in mind that
/// they were inside a call.
pub(crate) fn run(work: impl FnOnce() -> Result<()>) -> Option<Box<clasp_error>> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(panic) => {
            let words = panic.downcast_ref::<&str>().copied();
            let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let error = clasp_error::bug(words.unwrap_or("a panic without words"));
            // To drop it may panic again.
            core::mem::forget(panic);
            Some(error)
        }
    }
}

/// Does the work of a function that cannot fail, or gives what stands for nothing.
pub(crate) fn or<T>(nothing: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        core::mem::forget(panic);
        nothing
    })
}

/// Frees what C gives back.
pub(crate) fn free<T>(handle: Option<Box<T>>) {
    or((), || drop(handle));
}

/// What C points to.
pub(crate) fn there<T>(pointer: Option<T>, argument: &'static str) -> Result<T> {
    pointer.ok_or_else(|| clasp_error::null(argument))
}

/// Where a function puts what it gives: NULL or 0 at first, so that C never finds nothing there.
pub(crate) fn out<'a, T: Default>(
    pointer: Option<&'a mut MaybeUninit<T>>,
    argument: &'static str,
) -> Result<&'a mut T> {
    Ok(there(pointer, argument)?.write(T::default()))
}

/// Runs a function's work, and puts what it gives where C wants it; NULL or 0 stands there if it fails.
pub(crate) fn give<T: Default>(
    pointer: Option<&mut MaybeUninit<T>>,
    argument: &'static str,
    work: impl FnOnce() -> Result<T>,
) -> Option<Box<clasp_error>> {
    run(|| {
        let place = out(pointer, argument)?;
        *place = work()?;
        Ok(())
    })
}

/// UTF-8 that C has lent.
pub(crate) fn text<'a>(bytes: &'a [u8], argument: &'static str) -> Result<&'a str> {
    core::str::from_utf8(bytes).map_err(|fault| clasp_error::argument(argument, fault, "UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{clasp_code, clasp_error_code, clasp_error_words};

    #[test]
    #[allow(clippy::panic, reason = "what must not cross")]
    fn a_panic_becomes_an_error() {
        let error = run(|| panic!("number {}", 7));
        assert_eq!(clasp_error_code(error.as_deref()), clasp_code::Bug);
        let words = clasp_error_words(error.as_deref()).get("words").map(<[u8]>::to_vec);
        assert!(words.is_ok_and(|words| String::from_utf8_lossy(&words).contains("number 7")));
        assert_eq!(or(3, || panic!("{}", 7)), 3);
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("in a destructor");
            }
        }
        free(Some(Box::new(Bad)));
    }
}
