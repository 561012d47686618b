//! A mutant, and the place in a file where some of them stand.

use std::ops::Range;
use std::path::PathBuf;

/// One change to one place, that some test should find.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// Which one is alive: counted from 1 over all files.
    pub(crate) id: u32,
    /// From the workspace's root.
    pub(crate) file: PathBuf,
    /// Counted from 1, as is `column`.
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// What it is called wherever the file moves and the lines go: the function, the kind and the text.
    pub(crate) key: String,
}

/// Part of a file that is written anew so that it can do what its mutants do.
#[derive(Debug)]
pub(crate) struct Site {
    /// In bytes.
    pub(crate) range: Range<usize>,
    pub(crate) shape: Shape,
    /// Each with what it has in place of what is written: an operator, a value.
    pub(crate) mutants: Vec<(u32, String)>,
}

/// How a site is written.
#[derive(Debug)]
pub(crate) enum Shape {
    /// At the start of a body, values are returned.
    Body,
    /// An iterator at the end of a body, of which nothing is left.
    Iterator,
    /// A truth whose opposite is the mutant.
    Flip,
    /// A comparison of two operands that can be told more than two ways.
    Compare { left: Range<usize>, right: Range<usize>, operator: String },
    /// `&&` or `||`.
    Lazy { left: Range<usize>, right: Range<usize>, and: bool },
    /// Two operands by value.
    Binary { left: Range<usize>, right: Range<usize>, operator: String },
    /// `+=` and the like.
    Assign { left: Range<usize>, right: Range<usize>, operator: String },
    /// `!` or `-`, that the mutant leaves out.
    Unary { operand: Range<usize>, operator: String },
    /// Behind a pattern without a guard: the arm is passed over.
    Arm,
    /// A guard that always, or never, holds.
    Guard,
    /// A statement that is left out.
    Statement,
}
