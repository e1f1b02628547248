use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::activities;

/// Something that happened to a lead, an opportunity or an account.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = activities)]
pub struct Activity {
    /// Its id.
    pub id: Uuid,
    /// What it happened to, for example `opportunity/0190...`.
    pub entity: String,
    /// For example `order` or `task`.
    pub kind: String,
    /// What happened, in words.
    pub summary: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Writes a new activity.
pub async fn insert(conn: &mut Conn, activity: &Activity) -> QueryResult<()> {
    diesel::insert_into(activities::table).values(activity).execute(conn).await.map(drop)
}

/// Up to `limit` activities, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    entity: &str,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Activity>> {
    let mut query = activities::table.filter(activities::entity.eq(entity.to_owned())).into_boxed();
    if let Some(after) = after {
        query = query.filter(activities::id.lt(after));
    }
    query.order(activities::id.desc()).limit(limit).select(Activity::as_select()).load(conn).await
}

/// How many activities an entity has.
pub async fn count(conn: &mut Conn, entity: &str) -> QueryResult<i64> {
    activities::table.filter(activities::entity.eq(entity)).count().get_result(conn).await
}
