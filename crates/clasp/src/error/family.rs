//! The macro that declares a family of errors: one row gives the variant, the alert, the rule's source and the words.

/// Declares an error family. Each row: `Variant => Alert, "source of the rule", "what it means in words";`
macro_rules! family {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident => $alert:ident, $source:literal, $words:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!($words, ". (", $source, "; alert `", stringify!($alert), "`)")] $variant,)+
        }

        impl $name {
            /// Every row of the family, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The alert this failure is told to the peer with.
            pub const fn alert(self) -> crate::code::AlertDescription {
                match self { $(Self::$variant => crate::code::AlertDescription::$alert),+ }
            }

            /// Where the rule stands.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source),+ }
            }

            /// What happened, in words.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { f.write_str(self.words()) }
        }
    };
}
pub(crate) use family;
