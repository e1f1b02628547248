use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::{unified_events, unified_outcomes};

/// Something that a client reported.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = unified_events, treat_none_as_default_value = false)]
pub struct Unified {
    /// Its id.
    pub id: Uuid,
    /// The event that told the modules of it.
    pub event_id: Uuid,
    /// The causal story that it began or belongs to.
    pub correlation_id: Uuid,
    /// The task it is about.
    pub task_id: String,
    /// The user it is about.
    pub user_id: String,
    /// What happened.
    pub event_type: String,
    /// Whether the user agreed to its processing.
    pub consent_flag: bool,
    /// The client's own estimate of its worth.
    pub rl_score: Option<f64>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// Whatever else the client knows.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// When it was received.
    pub created_at: DateTime<Utc>,
}

/// What a module made of it.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = unified_outcomes)]
pub struct Outcome {
    /// Id of the event that told.
    pub id: Uuid,
    /// The unified event.
    #[serde(skip)]
    #[schema(ignore)]
    pub unified_id: Uuid,
    /// Public name of the event that told, for example `event_scored`.
    pub kind: String,
    /// What it said.
    #[schema(value_type = Object)]
    pub data: Value,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
}

/// Writes a new unified event.
pub async fn insert(conn: &mut Conn, unified: &Unified) -> QueryResult<()> {
    diesel::insert_into(unified_events::table).values(unified).execute(conn).await.map(drop)
}

/// The unified event, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Unified>> {
    unified_events::table.find(id).select(Unified::as_select()).first(conn).await.optional()
}

/// The unified event that the modules were told of by the event `event_id`.
pub async fn told_by(conn: &mut Conn, event_id: Uuid) -> QueryResult<Option<Uuid>> {
    let row = unified_events::table.filter(unified_events::event_id.eq(event_id));
    row.select(unified_events::id).first(conn).await.optional()
}

/// Writes what a module made of it.
pub async fn insert_outcome(conn: &mut Conn, outcome: &Outcome) -> QueryResult<()> {
    diesel::insert_into(unified_outcomes::table).values(outcome).execute(conn).await.map(drop)
}

/// What the modules made of it so far, in the order of arrival.
pub async fn outcomes(conn: &mut Conn, unified_id: Uuid) -> QueryResult<Vec<Outcome>> {
    unified_outcomes::table
        .filter(unified_outcomes::unified_id.eq(unified_id))
        .order(unified_outcomes::created_at)
        .select(Outcome::as_select())
        .load(conn)
        .await
}
