//! What a library shows, by its source.

/// The types that a file re-exports, and that are not among those which a test holds to something.
pub fn not_held<'a>(source: &'a str, held: &[&str]) -> Vec<&'a str> {
    let used = source.lines().filter(|line| line.starts_with("pub use "));
    let words = used.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
    words.filter(|word| word.starts_with(char::is_uppercase) && !held.contains(word)).collect()
}

/// Gives the name back, of a type that may go to another thread and be shared among several.
pub fn send_sync<T: Send + Sync>(name: &'static str) -> &'static str {
    name
}
