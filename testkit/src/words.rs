//! What an error says.

use core::error::Error;

/// An error with all that it stems from.
pub fn words(error: &dyn Error) -> String {
    let mut all = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        all += &format!(": {error}");
        source = error.source();
    }
    all
}
