//! What crm can be asked to do. Each command acts inside the transaction that it is given: load, decide,
//! store, record.

pub mod create_account;
pub mod create_lead;
pub mod create_opportunity;
pub mod link_order;
pub mod move_opportunity;
pub mod note_activity;
pub mod patch_account;
pub mod patch_lead;
pub mod patch_opportunity;
pub mod score_lead;

use serde::Serialize;
use serde_json::Value;

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
