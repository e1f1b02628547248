//! What crm can be asked to do. Each command acts inside the transaction that it is given: load, decide,
//! store, record.

pub mod change_note;
pub mod convert_lead;
pub mod create_account;
pub mod create_contact;
pub mod create_lead;
pub mod create_opportunity;
pub mod delete_note;
pub mod dismiss_duplicate;
pub mod erase_person;
pub mod find_duplicates;
pub mod import_rows;
pub mod link_order;
pub mod merge_lead;
pub mod move_opportunity;
pub mod note_activity;
pub mod note_order;
pub mod patch_account;
pub mod patch_contact;
pub mod patch_lead;
pub mod patch_opportunity;
pub mod receive_import;
pub mod score_lead;
pub mod unmerge_lead;

use bhiv_auth::{Caller, Module, Reach};
use bhiv_outbox::Tx;
use serde::Serialize;
use serde_json::Value;

use crate::domain::owner::Owner;

/// For whom a command acts: it sees no more than they do, and what it makes is theirs.
#[derive(Clone, Debug)]
pub struct By {
    /// Which records they see.
    pub reach: Reach,
    /// The team that they work in.
    pub team: Option<String>,
    /// The user whose machine they are, if they are one.
    pub owner: Option<String>,
}

impl By {
    /// For crm itself, which reacts to an event.
    pub fn itself() -> Self {
        Self { reach: Reach::All, team: None, owner: None }
    }

    /// Who works on a record that they make, and which team: themselves and theirs, unless it says otherwise.
    fn owning(&self, tx: &Tx, owner: Option<String>, team: Option<String>) -> (Owner, Option<String>) {
        let owner = owner.or_else(|| self.owner.clone());
        let owner = owner.map_or_else(|| Owner::acting(tx.actor()), Owner::from);
        (owner, team.or_else(|| self.team.clone()))
    }
}

impl From<&Caller> for By {
    fn from(caller: &Caller) -> Self {
        Self { reach: caller.reach(Module::Crm), team: caller.team.clone(), owner: caller.owner.clone() }
    }
}

/// Hands a record over.
fn hand_over(
    owner: bhiv_types::Patch<String>,
    team: bhiv_types::Patch<String>,
    record: (&mut Owner, &mut Option<String>),
) {
    match owner {
        bhiv_types::Patch::Keep => {}
        bhiv_types::Patch::Clear => *record.0 = Owner::default(),
        bhiv_types::Patch::Set(user) => *record.0 = Owner::from(user),
    }
    team.apply(record.1);
}

/// Names of the fields that differ, apart from those that every change changes.
fn changed_fields(before: &impl Serialize, after: &impl Serialize) -> Vec<String> {
    let (before, after) = (serde_json::to_value(before), serde_json::to_value(after));
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) = (before, after) else {
        return Vec::new();
    };
    after
        .into_iter()
        .filter(|(name, value)| before.get(name) != Some(value))
        .map(|(name, _)| name)
        .filter(|name| name != "version" && name != "updated_at")
        .collect()
}
