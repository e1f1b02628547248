/// Declares ids, each a type of its own around a UUID: a lead's id does not fit where an order's belongs.
///
/// ```
/// bhiv_types::ids! {
///     /// Id of a lead.
///     LeadId;
/// }
/// ```
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            $crate::private::serde::Serialize, $crate::private::serde::Deserialize,
        )]
        #[serde(crate = "bhiv_types::private::serde", transparent)]
        pub struct $name(pub $crate::private::uuid::Uuid);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$crate::private::uuid::Uuid> for $name {
            fn from(id: $crate::private::uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for $crate::private::uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl $crate::private::utoipa::ToSchema for $name {}

        impl $crate::private::utoipa::PartialSchema for $name {
            fn schema() -> $crate::private::utoipa::openapi::RefOr<$crate::private::utoipa::openapi::Schema> {
                $crate::private::uuid_schema()
            }
        }
    )+};
}
