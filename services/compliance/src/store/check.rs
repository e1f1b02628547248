use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::policy::flip::Flip;
use crate::domain::policy::{PolicyErrors, Rules, Verdict};
use crate::schema::checks;

/// The judgement of an event.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = checks)]
pub struct Check {
    /// Its id.
    pub id: Uuid,
    /// The event that was judged.
    pub event_id: Uuid,
    /// Its public name, for example `lead_created`.
    pub event_type: String,
    /// What the event was about, for example `lead/0190...`.
    pub entity: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The policies that decided it.
    pub rules: Rules,
    /// The policies that could not be evaluated, and so decided nothing.
    pub errors: PolicyErrors,
    /// The smallest change that would have led to the other verdict; null if none was found.
    pub flip: Option<Flip>,
    /// Who caused the event.
    pub actor: String,
    /// The causal story that the event belongs to.
    pub correlation_id: Uuid,
    /// When it happened.
    pub event_time: DateTime<Utc>,
    /// When it was judged.
    pub created_at: DateTime<Utc>,
}

/// Which checks a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The one of this event.
    pub event_id: Option<Uuid>,
    /// Those of events of this name.
    pub event_type: Option<String>,
    /// Those of events about this.
    pub entity: Option<String>,
    /// Those that came to this verdict.
    pub verdict: Option<Verdict>,
    /// Those of this causal story.
    pub correlation_id: Option<Uuid>,
    /// Those made at that time or later.
    pub since: Option<DateTime<Utc>>,
    /// Those made before that time.
    pub until: Option<DateTime<Utc>>,
}

impl Filter {
    fn query(&self) -> checks::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = checks::table.into_boxed();
        if let Some(event_id) = self.event_id {
            query = query.filter(checks::event_id.eq(event_id));
        }
        if let Some(event_type) = &self.event_type {
            query = query.filter(checks::event_type.eq(event_type.clone()));
        }
        if let Some(entity) = &self.entity {
            query = query.filter(checks::entity.eq(entity.clone()));
        }
        if let Some(verdict) = self.verdict {
            query = query.filter(checks::verdict.eq(verdict));
        }
        if let Some(correlation_id) = self.correlation_id {
            query = query.filter(checks::correlation_id.eq(correlation_id));
        }
        if let Some(since) = self.since {
            query = query.filter(checks::created_at.ge(since));
        }
        if let Some(until) = self.until {
            query = query.filter(checks::created_at.lt(until));
        }
        query
    }
}

/// Writes a new check, unless its event was judged before; answers whether it did.
pub async fn insert(conn: &mut Conn, check: &Check) -> QueryResult<bool> {
    let row = diesel::insert_into(checks::table).values(check);
    let inserted = row.on_conflict(checks::event_id).do_nothing().execute(conn).await?;
    Ok(inserted == 1)
}

/// The check, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Check>> {
    checks::table.find(id).select(Check::as_select()).first(conn).await.optional()
}

/// Up to `limit` checks, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Check>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(checks::id.lt(after));
    }
    query.order(checks::id.desc()).limit(limit).select(Check::as_select()).load(conn).await
}

/// How many checks a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
