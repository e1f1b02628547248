use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::policy::PolicyText;
use crate::schema::{policies, policy_versions};

/// A rule that events are judged by.
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
#[diesel(table_name = policies)]
pub struct Policy {
    /// Its id, words that tell what it is about.
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

/// A policy as it was.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = policy_versions)]
pub struct PolicyVersion {
    /// Its id.
    pub policy_id: String,
    /// Which version.
    pub version: i64,
    /// What it said, in plain words.
    pub says: String,
    /// What it said in Cedar.
    pub cedar: String,
    /// Whether events were judged by it.
    pub enabled: bool,
    /// Who made it so.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Policy {
    /// As it is judged by.
    pub fn text(self) -> PolicyText {
        PolicyText { id: self.id, version: self.version, says: self.says, cedar: self.cedar }
    }

    /// As it is kept, beside what it becomes later.
    pub fn as_version(&self, actor: &str) -> PolicyVersion {
        PolicyVersion {
            policy_id: self.id.clone(),
            version: self.version,
            says: self.says.clone(),
            cedar: self.cedar.clone(),
            enabled: self.enabled,
            actor: actor.to_owned(),
            created_at: self.updated_at,
        }
    }
}

/// Lets one transaction at a time make a policy of that id.
pub async fn lock_id(conn: &mut Conn, id: &str) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(format!("compliance.policy {id}"))
        .execute(conn)
        .await
        .map(drop)
}

/// Writes a new policy.
pub async fn insert(conn: &mut Conn, policy: &Policy) -> QueryResult<()> {
    diesel::insert_into(policies::table).values(policy).execute(conn).await.map(drop)
}

/// Writes a policy that was changed.
pub async fn update(conn: &mut Conn, policy: &Policy) -> QueryResult<()> {
    diesel::update(policy).set(policy).execute(conn).await.map(drop)
}

/// Keeps a version. One that an operator wrote into the database by hand has its number already.
pub async fn keep(conn: &mut Conn, version: &PolicyVersion) -> QueryResult<()> {
    let row = diesel::insert_into(policy_versions::table).values(version);
    row.on_conflict_do_nothing().execute(conn).await.map(drop)
}

/// The policy, if there is one.
pub async fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Policy>> {
    policies::table.find(id).select(Policy::as_select()).first(conn).await.optional()
}

/// The policy, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: &str) -> QueryResult<Option<Policy>> {
    policies::table.find(id).select(Policy::as_select()).for_update().first(conn).await.optional()
}

/// Every version of a policy, the newest first.
pub async fn versions(conn: &mut Conn, id: &str) -> QueryResult<Vec<PolicyVersion>> {
    policy_versions::table
        .filter(policy_versions::policy_id.eq(id))
        .order(policy_versions::version.desc())
        .select(PolicyVersion::as_select())
        .load(conn)
        .await
}

/// Every policy.
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<Policy>> {
    policies::table.order(policies::id).select(Policy::as_select()).load(conn).await
}

/// The policies that events are judged by.
pub async fn enabled(conn: &mut Conn) -> QueryResult<Vec<PolicyText>> {
    let texts: Vec<(String, i64, String, String)> = policies::table
        .filter(policies::enabled)
        .order(policies::id)
        .select((policies::id, policies::version, policies::says, policies::cedar))
        .load(conn)
        .await?;
    let text = |(id, version, says, cedar)| PolicyText { id, version, says, cedar };
    Ok(texts.into_iter().map(text).collect())
}
