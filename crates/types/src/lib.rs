//! Values that every domain is made of, parsed once at the edge and never checked again.

mod amount;
mod columns;
mod currency;
mod email;
mod ids;
mod patch;
mod priority;
mod purpose;
mod state;

pub use amount::Amount;
pub use currency::Currency;
pub use email::Email;
pub use patch::Patch;
pub use priority::Priority;
pub use purpose::Purpose;
pub use state::{IllegalTransition, State};

/// Why a text is not the value that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

#[doc(hidden)]
pub mod private {
    use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
    use utoipa::openapi::{RefOr, Schema};
    pub use {serde, serde_json, utoipa, uuid};

    pub fn uuid_schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .into()
    }
}
