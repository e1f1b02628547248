use bhiv_db::{Conn, keyset, words};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::owner::Owner;
use crate::schema::activities;

/// Something that happened, or is to happen, with a lead, an opportunity, an account or a contact.
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
#[diesel(table_name = activities, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Activity {
    /// Its id.
    pub id: Uuid,
    /// Grows by one with each change.
    pub version: i64,
    /// What it is about, for example `opportunity/0190...`.
    pub entity: String,
    /// `note`, `call`, `email` or `meeting`; `order`, `delivery`, `task` or `feedback` when another module told.
    pub kind: String,
    /// What happened, in a line.
    pub summary: String,
    /// What happened, at length.
    pub body: Option<String>,
    /// Who noted it; null when another module told.
    #[schema(value_type = Option<String>)]
    pub author: Owner,
    /// When it is to be done.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// When it was noted.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which activities a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those about this record.
    pub entity: Option<String>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those that this user noted.
    pub author: Option<String>,
    /// Those that are to be done and are not, due before then.
    pub due_before: Option<DateTime<Utc>>,
    /// Those that are to be done at some time.
    pub has_due: bool,
    /// Those that are done, or those that are not.
    pub done: Option<bool>,
    /// Those that were noted then or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that were noted before then.
    pub until: Option<DateTime<Utc>>,
    /// Those with words that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<Uuid>>,
}

impl Filter {
    fn query(&self) -> activities::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = activities::table.into_boxed();
        if let Some(entity) = &self.entity {
            query = query.filter(activities::entity.eq(entity.clone()));
        }
        if let Some(kind) = &self.kind {
            query = query.filter(activities::kind.eq(kind.clone()));
        }
        if let Some(author) = &self.author {
            query = query.filter(activities::author.eq(Owner::from(author.clone())));
        }
        if let Some(before) = self.due_before {
            query = query.filter(activities::due_at.lt(before).and(activities::done_at.is_null()));
        }
        if self.has_due {
            query = query.filter(activities::due_at.is_not_null());
        }
        match self.done {
            Some(true) => query = query.filter(activities::done_at.is_not_null()),
            Some(false) => query = query.filter(activities::done_at.is_null()),
            None => {}
        }
        if let Some(from) = self.from {
            query = query.filter(activities::created_at.ge(from));
        }
        if let Some(until) = self.until {
            query = query.filter(activities::created_at.lt(until));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(activities, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(activities::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, activities);

/// Writes a new activity.
pub async fn insert(conn: &mut Conn, activity: &Activity) -> QueryResult<()> {
    diesel::insert_into(activities::table).values(activity).execute(conn).await.map(drop)
}

/// The activity, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Activity>> {
    activities::table.find(id).select(Activity::as_select()).first(conn).await.optional()
}

/// The activity, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Activity>> {
    activities::table.find(id).select(Activity::as_select()).for_update().first(conn).await.optional()
}

/// Writes an activity that was changed.
pub async fn update(conn: &mut Conn, activity: &Activity) -> QueryResult<()> {
    diesel::update(activity).set(activity).execute(conn).await.map(drop)
}

/// Takes an activity away.
pub async fn delete(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::delete(activities::table.find(id)).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were noted.
    CreatedAt(Option<(DateTime<Utc>, Uuid)>),
    /// By when they are to be done; of those that are.
    DueAt(Option<(DateTime<Utc>, Uuid)>),
}

/// Up to `limit` activities in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Activity>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => {
            keyset!(query, activities::created_at, activities::id, descending, after)
        }
        Order::DueAt(after) => keyset!(query, activities::due_at, activities::id, descending, after),
    };
    query.limit(limit).select(Activity::as_select()).load(conn).await
}

/// How many activities a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
