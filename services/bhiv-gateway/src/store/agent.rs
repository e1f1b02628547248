use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::agents;

/// A program that works with the system.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[diesel(table_name = agents, treat_none_as_default_value = false, treat_none_as_null = true)]
#[expect(clippy::struct_field_names, reason = "named as in requests")]
pub struct Agent {
    /// Its place in lists.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub id: Uuid,
    /// Grows by one with each change.
    pub version: i64,
    /// What it calls itself.
    pub agent_id: String,
    /// What kind of agent it is.
    pub agent_type: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Where it listens, if it does.
    pub endpoint: Option<String>,
    /// Who registered it: nobody else may register it again.
    pub owner: String,
    /// When it was first registered.
    pub created_at: DateTime<Utc>,
    /// When it last said something else of itself.
    pub updated_at: DateTime<Utc>,
    /// When it was last registered.
    pub last_seen_at: DateTime<Utc>,
}

/// Which agents a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this type.
    pub agent_type: Option<String>,
    /// Those that can do this.
    pub capability: Option<String>,
}

impl Filter {
    fn query(&self) -> agents::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = agents::table.into_boxed();
        if let Some(agent_type) = &self.agent_type {
            query = query.filter(agents::agent_type.eq(agent_type.clone()));
        }
        if let Some(capability) = &self.capability {
            query = query.filter(agents::capabilities.contains(vec![capability.clone()]));
        }
        query
    }
}

/// Writes an agent, unless there is one of that name. Whether it did.
pub async fn insert_once(conn: &mut Conn, agent: &Agent) -> QueryResult<bool> {
    let insert = diesel::insert_into(agents::table).values(agent);
    let written = insert.on_conflict(agents::agent_id).do_nothing().execute(conn).await?;
    Ok(written == 1)
}

/// The agent of that name, if there is one.
pub async fn find(conn: &mut Conn, agent_id: &str) -> QueryResult<Option<Agent>> {
    let named = agents::table.filter(agents::agent_id.eq(agent_id));
    named.select(Agent::as_select()).first(conn).await.optional()
}

/// The agent of that name, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, agent_id: &str) -> QueryResult<Option<Agent>> {
    let named = agents::table.filter(agents::agent_id.eq(agent_id));
    named.select(Agent::as_select()).for_update().first(conn).await.optional()
}

/// Writes an agent that was changed.
pub async fn update(conn: &mut Conn, agent: &Agent) -> QueryResult<()> {
    diesel::update(agent).set(agent).execute(conn).await.map(drop)
}

/// Removes an agent.
pub async fn delete(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::delete(agents::table.find(id)).execute(conn).await.map(drop)
}

/// Up to `limit` agents, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Agent>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(agents::id.lt(after));
    }
    query.order(agents::id.desc()).limit(limit).select(Agent::as_select()).load(conn).await
}

/// How many agents a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// How many agents there are of each type, by type.
pub async fn count_by_type(conn: &mut Conn) -> QueryResult<Vec<(String, i64)>> {
    let by_type = agents::table.group_by(agents::agent_type).order(agents::agent_type);
    by_type.select((agents::agent_type, diesel::dsl::count_star())).load(conn).await
}
