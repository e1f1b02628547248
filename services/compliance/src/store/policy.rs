use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::policy::PolicyText;
use crate::schema::policies;

/// A rule that events are judged by.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = policies)]
pub struct Policy {
    /// Its id, a word that tells what it is about.
    pub id: String,
    /// Grows by one with each change.
    pub version: i64,
    /// What it says, in plain words.
    pub says: String,
    /// What it says in Cedar.
    pub cedar: String,
    /// Whether events are judged by it.
    pub enabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Every policy.
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<Policy>> {
    policies::table.order(policies::id).select(Policy::as_select()).load(conn).await
}

/// The policies that events are judged by.
pub async fn enabled(conn: &mut Conn) -> QueryResult<Vec<PolicyText>> {
    let texts: Vec<(String, String, String)> = policies::table
        .filter(policies::enabled)
        .order(policies::id)
        .select((policies::id, policies::says, policies::cedar))
        .load(conn)
        .await?;
    Ok(texts.into_iter().map(|(id, says, cedar)| PolicyText { id, says, cedar }).collect())
}
