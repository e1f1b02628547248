//! A person is forgotten: what is asked, how far it is, what comes of it.

use bhiv_events::Producer;
use bhiv_types::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::regime::Regime;

/// How far an erasure is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErasureStatus {
    /// It will begin at `erase_at`, and can be called off until then.
    Announced,
    /// A legal hold keeps it from beginning.
    Held,
    /// Every module is told; some have not answered yet.
    Running,
    /// Every module has answered.
    Completed,
    /// It was called off before it began.
    Cancelled,
}

impl State for ErasureStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Announced, &[Self::Held, Self::Running, Self::Cancelled]),
        (Self::Held, &[Self::Announced, Self::Cancelled]),
        (Self::Running, &[Self::Completed]),
        (Self::Completed, &[]),
        (Self::Cancelled, &[]),
    ];
}

/// A person is to be forgotten.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// Who, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// What else the same person is known as, for example `contact/0190...`, `user/ravi` or an e-mail address.
    #[serde(default)]
    pub also: Names,
    /// The law that it is done under; without it, that of the settings. Under DPDP it begins after 48 hours.
    pub regime: Option<Regime>,
    /// Why, in words. It must not say who the person is: it is kept.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: Option<String>,
}

/// Names of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = Vec<Name>, max_items = 50)]
pub struct Names(pub Vec<String>);

/// One of them. It documents [`Names`].
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 200)]
#[expect(dead_code, reason = "a schema only")]
pub struct Name(String);

impl NewErasure {
    /// Its other names, each once.
    pub fn others(&self) -> Names {
        let mut others = self.also.0.clone();
        others.retain(|name| *name != self.subject);
        others.sort();
        others.dedup();
        Names(others)
    }
}

/// Records of one kind that were removed, or from which everything was taken that tells who the person is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// What they are, for example `leads`.
    pub what: String,
    /// How many.
    pub count: i64,
}

/// Records of one kind that stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// What they are, for example `orders`.
    pub what: String,
    /// How many.
    pub count: i64,
    /// Why, in words.
    pub why: String,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllRemoved(pub Vec<Removed>);

/// What stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AllKept(pub Vec<Kept>);

/// How far a module is with an erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModuleState {
    /// The module, for example `crm`.
    pub module: String,
    /// When it answered; null while it has not.
    pub answered_at: Option<DateTime<Utc>>,
    /// What it removed.
    pub removed: AllRemoved,
    /// What it kept, and why it may.
    pub kept: AllKept,
}

/// The modules that answer, by their names: every one that emits events.
pub fn modules() -> impl Iterator<Item = &'static str> {
    Producer::ALL.into_iter().map(Producer::prefix)
}

/// A completed erasure, as whoever asked for it is told: the content of a signed document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// Who says so.
    pub iss: String,
    /// Id of the erasure.
    pub jti: Uuid,
    /// When it was completed, in seconds since 1970.
    pub iat: i64,
    /// Who was erased: an id that tells nothing about them any more.
    pub sub: String,
    /// The law that it was done under.
    pub regime: Regime,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When the modules were told.
    pub started_at: Option<DateTime<Utc>>,
    /// When the last one had answered.
    pub completed_at: DateTime<Utc>,
    /// What each of them removed and kept.
    pub modules: Vec<ModuleState>,
}

/// What stands for `name` once the person is erased: itself, if it is the id of a record, such as `lead/0190...`,
/// which says nothing when the record is gone; otherwise the erasure's id, and the name's `place` among the person's
/// after the first.
pub fn pseudonym(name: &str, place: usize, erasure_id: Uuid) -> String {
    let is_id = name.split_once('/').is_some_and(|(_, id)| Uuid::try_parse(id).is_ok());
    match place {
        _ if is_id => name.to_owned(),
        0 => format!("erasure/{erasure_id}"),
        _ => format!("erasure/{erasure_id}/{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_who_it_was_is_replaced() {
        let erasure = Uuid::from_u128(7);
        let id = "lead/0190aaaa-0000-7000-8000-000000000001";
        assert_eq!(pseudonym(id, 0, erasure), id);
        for name in
            ["asha@example.com", "user/ravi", "+91 98765 43210", "0190aaaa-0000-7000-8000-000000000001"]
        {
            assert_eq!(pseudonym(name, 2, erasure), format!("erasure/{erasure}/2"), "{name}");
            assert_eq!(pseudonym(name, 0, erasure), format!("erasure/{erasure}"), "{name}");
        }
    }

    #[test]
    fn names_are_told_once() {
        let also = ["b", "a", "b", "lead/1"].map(str::to_owned).to_vec();
        let new = NewErasure { subject: "lead/1".to_owned(), also: Names(also), regime: None, reason: None };
        assert_eq!(new.others().0, ["a", "b"]);
    }
}
