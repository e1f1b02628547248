use std::collections::BTreeMap;

use bhiv_db::Conn;
use bhiv_outbox::history;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Cursor, Limit, Page, Problem};

/// A change of a record: who, when, and what it was before and after.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// The record's version since.
    pub version: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: `user/<id>`, or `service/<name>` for a reaction.
    pub actor: String,
    /// What they did, for example `lead.update`.
    pub action: String,
    /// The HTTP request.
    pub request_id: Option<String>,
    /// The causal story.
    pub correlation_id: Uuid,
    /// The fields that differ since, by their names.
    pub changes: BTreeMap<String, FieldChange>,
}

/// What a field was and is.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct FieldChange {
    /// What it was; null when there was nothing.
    pub before: Value,
    /// What it became; null when there is nothing.
    pub after: Value,
}

/// Which part of a history.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListHistory {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// At which time a record is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// As it was then; without it, as it is.
    pub as_of: Option<DateTime<Utc>>,
}

/// The changes of `entity`, for example `lead/0190...`, the newest first.
///
/// # Errors
/// When the database fails, or the cursor is of another list.
pub async fn changes(conn: &mut Conn, entity: &str, query: ListHistory) -> Result<Page<Change>, Problem> {
    let ListHistory { limit, cursor } = query;
    let below = Cursor::place::<i64, Uuid>(cursor)?.map(|(version, _)| version);
    let changes = history::list(conn, entity, below, limit.and_one()).await?;
    let total = history::count(conn, entity).await?;
    let changes = changes.into_iter().map(Change::from).collect();
    Ok(Page::new(changes, limit, total, |change: &Change| Cursor::at(&change.version, change.correlation_id)))
}

/// The record as it was at that time.
///
/// # Errors
/// When the database fails; 404 when it was not there.
pub async fn as_of<T: DeserializeOwned>(
    conn: &mut Conn,
    entity: &str,
    at: DateTime<Utc>,
) -> Result<T, Problem> {
    let state = history::as_of(conn, entity, at).await?;
    let state = state.ok_or_else(|| Problem::not_found(format!("{entity} at {at}")))?;
    serde_json::from_value(state).map_err(|error| Problem::internal(&error))
}

impl From<history::Change> for Change {
    fn from(change: history::Change) -> Self {
        let history::Change { version, at, actor, action, request_id, correlation_id, before, after } =
            change;
        let changes = differences(fields(before), fields(after));
        Self { version, at, actor, action, request_id, correlation_id, changes }
    }
}

fn fields(state: Option<Value>) -> Map<String, Value> {
    match state {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// What differs, apart from what differs with every change.
fn differences(mut before: Map<String, Value>, after: Map<String, Value>) -> BTreeMap<String, FieldChange> {
    let mut changes = BTreeMap::new();
    for (name, after) in after {
        let before = before.remove(&name).unwrap_or_default();
        if before != after {
            changes.insert(name, FieldChange { before, after });
        }
    }
    let gone = before.into_iter().filter(|(_, value)| !value.is_null());
    changes.extend(gone.map(|(name, before)| (name, FieldChange { before, after: Value::Null })));
    changes.retain(|name, _| name != "version" && name != "updated_at");
    changes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let change = |before: Value, after: Value| differences(fields(Some(before)), fields(Some(after)));
        let told = change(
            json!({"name": "A", "phone": "1", "gone": 1, "never": null, "version": 1}),
            json!({"name": "A", "phone": null, "new": 2, "version": 2}),
        );
        let told: Vec<_> = told.iter().map(|(name, it)| (name.as_str(), &it.before, &it.after)).collect();
        let null = Value::Null;
        assert_eq!(
            told,
            [("gone", &json!(1), &null), ("new", &null, &json!(2)), ("phone", &json!("1"), &null)]
        );
    }
}
