//! Enums whose variants have names in the database.

/// Defines an enum with the name of each variant, and a list of all variants in order.
macro_rules! named_enum {
    ($(#[$type_attribute:meta])* pub enum $type:ident {
        $($(#[$attribute:meta])* $variant:ident = $name:literal,)+
    }) => {
        $(#[$type_attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$attribute])* $variant,)+
        }

        impl $type {
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Returns the name, which is a contract.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

pub(crate) use named_enum;
