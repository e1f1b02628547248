use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Kind, Producer, of_each};

/// A module removed what it had about a person, because compliance told of
/// [`ErasureRequested`](crate::compliance::ErasureRequested). A module that had nothing says so, with empty lists.
///
/// Every producer emits it on its own exchange, in the transaction in which it removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonErased {
    /// The erasure, as [`ErasureRequested`](crate::compliance::ErasureRequested) names it.
    pub erasure_id: Uuid,
    /// Who was erased, for example `lead/0190...`.
    pub person: String,
    /// What was removed.
    pub removed: Vec<Removed>,
    /// What stays, and why it may.
    pub kept: Vec<Kept>,
}

/// Records of one kind that were removed, or from which everything was taken that tells who the person is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// What they are, for example `leads`.
    pub what: String,
    /// How many.
    pub count: i64,
}

/// Records of one kind that stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// What they are, for example `orders`.
    pub what: String,
    /// How many.
    pub count: i64,
    /// Why, in words.
    pub why: String,
}

impl PersonErased {
    /// Its names on the exchange of `producer`.
    pub const fn kind(producer: Producer) -> Kind {
        of_each!(producer, "person" "erased" "v1")
    }
}

/// As the contract of one of the producers; the others differ in their names only.
impl Contract for PersonErased {
    const KIND: Kind = Self::kind(Producer::Crm);

    fn subject(&self) -> String {
        format!("erasure/{}", self.erasure_id)
    }

    fn sample() -> Self {
        Self {
            erasure_id: crate::sample::ERASURE,
            person: format!("lead/{}", crate::sample::LEAD),
            removed: vec![Removed { what: "leads".to_owned(), count: 1 }],
            kept: vec![Kept {
                what: "orders".to_owned(),
                count: 2,
                why: "Accounts have to be kept; nothing in them tells who the person is".to_owned(),
            }],
        }
    }
}
