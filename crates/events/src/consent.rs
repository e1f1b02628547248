use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Contract, Kind, Producer, of_each};

/// A module acts by what a person said to a purpose, from here on: [`ConsentRevoked`](crate::compliance::ConsentRevoked), or
/// [`ConsentGranted`](crate::compliance::ConsentGranted) after that. Its `sequence` is that of the event. A first yes changes
/// nothing, so nobody tells of it.
///
/// The gateway and rl emit it, each on its own exchange, in the transaction in which they took note.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentApplied {
    /// The consent, as the event about it names it.
    pub consent_id: Uuid,
    /// `granted` or `revoked`.
    pub state: String,
}

impl ConsentApplied {
    /// Who acts by consent.
    pub const PRODUCERS: [Producer; 2] = [Producer::Core, Producer::Rl];

    /// Its names on the exchange of `producer`.
    pub const fn kind(producer: Producer) -> Kind {
        of_each!(producer, "consent" "applied" "v1")
    }
}

/// As the contract of one of the producers; the other differs in its names only.
impl Contract for ConsentApplied {
    const KIND: Kind = Self::kind(Producer::Core);

    fn subject(&self) -> String {
        format!("consent/{}", self.consent_id)
    }

    fn sample() -> Self {
        Self { consent_id: crate::sample::CONSENT, state: "revoked".to_owned() }
    }
}
