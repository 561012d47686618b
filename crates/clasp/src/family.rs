// Above `code`.
//! The macro that declares a family of errors: one row gives the variant, the alert, the rule's source and the words.

/// Declares an error family. Each row: `Variant => Alert, "source of the rule", "what it means in words";`. A row that
/// has seen something says so in its words, and gives an example: `Variant(seen: u8 = 9) => .., "the number {seen}";`
macro_rules! family {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($variant:ident $(($seen:ident: $type:ty = $example:expr))? => $alert:ident, $source:literal, $words:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!($words, ". (", $source, "; alert `", stringify!($alert), "`)")] $variant $(($type))?,)+
        }

        impl $name {
            /// Every row of the family, in the order of the table; what a row has seen is an example.
            pub const ALL: &'static [Self] = &[$(Self::$variant $(($example))?),+];

            /// The alert this failure is told to the peer with.
            pub const fn alert(self) -> crate::code::AlertDescription {
                match self { $(Self::$variant { .. } => crate::code::AlertDescription::$alert),+ }
            }

            /// Where the rule stands.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant { .. } => $source),+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match *self { $(Self::$variant $(($seen))? => write!(f, $words)),+ }
            }
        }
    };
}
pub(crate) use family;
