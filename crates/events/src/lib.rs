//! The contracts between services: what an event looks like, what it is called, what it carries.
//!
//! One module per producing service. A consumer depends on this crate and never on the producer.
//! Everything here is plain data: no I/O, no clock, no database.

mod asyncapi;
mod audit;
mod catalog;
pub mod compliance;
mod consent;
pub mod core;
pub mod crm;
mod erasure;
mod event;
mod kind;
pub mod logistics;
pub mod rl;
mod sample;
pub mod task;

pub use asyncapi::{asyncapi, json_schema};
pub use audit::AuditRecorded;
pub use catalog::{Entry, catalog, find, find_named, is_reserved};
pub use consent::ConsentApplied;
pub use erasure::{Kept, PersonErased, Removed};
pub use event::{Event, dataschema};
pub use kind::{Kind, Producer, public_name};

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The data of one kind of event.
///
/// Fields may be added within a major version; a reader ignores those that it does not know.
/// Anything else is a new version beside the old one.
pub trait Contract: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Who emits it and what it is called.
    const KIND: Kind;

    /// The aggregate that changed, for example `lead/0190...`.
    fn subject(&self) -> String;

    /// A canned instance: what `bhiv events send` publishes and what tests deliver.
    fn sample() -> Self;
}

/// Ties a data type to its names and to its subject.
macro_rules! contract {
    ($data:ident = $producer:ident $prefix:literal $aggregate:literal $event:literal $version:literal,
     $kind:literal / $id:ident) => {
        impl $crate::Contract for $data {
            const KIND: $crate::Kind = $crate::Kind {
                producer: $crate::Producer::$producer,
                name: concat!($aggregate, "_", $event),
                routing_key: concat!($prefix, ".", $aggregate, ".", $event, ".", $version),
                type_: concat!("bhiv.", $prefix, ".", $aggregate, ".", $event, ".", $version),
            };

            fn subject(&self) -> String {
                format!(concat!($kind, "/{}"), self.$id)
            }

            fn sample() -> Self {
                Self::canned()
            }
        }
    };
}
pub(crate) use contract;

/// The names of what every producer emits on its own exchange.
macro_rules! of_each {
    ($producer:ident, $aggregate:literal $event:literal $version:literal) => {
        $crate::of_each!($producer, $aggregate $event $version;
            Crm "crm", Logistics "logistics", Task "task", Compliance "compliance", Rl "rl", Logging "logging",
            Core "core")
    };
    ($producer:ident, $aggregate:literal $event:literal $version:literal;
     $($each:ident $prefix:literal),*) => {
        match $producer {
            $($crate::Producer::$each => $crate::Kind {
                producer: $producer,
                name: concat!($aggregate, "_", $event),
                routing_key: concat!($prefix, ".", $aggregate, ".", $event, ".", $version),
                type_: concat!("bhiv.", $prefix, ".", $aggregate, ".", $event, ".", $version),
            },)*
        }
    };
}
pub(crate) use of_each;
