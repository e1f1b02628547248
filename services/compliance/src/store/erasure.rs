use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::erasure::{AllKept, AllRemoved, ErasureStatus, ModuleState, Names, modules};
use crate::domain::regime::Regime;
use crate::schema::{erasure_answers, erasure_names, erasures};

/// A person who is to be forgotten, or was.
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
#[diesel(table_name = erasures, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Erasure {
    /// Its id.
    pub id: Uuid,
    /// Grows by one with each change.
    pub version: i64,
    /// Who, for example `lead/0190...`. Once it has begun, an id that tells nothing about them.
    pub subject: String,
    /// What else they are known as. Empty once it has begun.
    pub also: Names,
    /// The law that it is done under.
    pub regime: Regime,
    /// Why, in words.
    pub reason: Option<String>,
    /// How far it is.
    pub status: ErasureStatus,
    /// When the modules are told, or were.
    pub erase_at: DateTime<Utc>,
    /// The legal hold that keeps it from beginning, if one does.
    pub hold_id: Option<Uuid>,
    /// Who asked for it.
    pub requested_by: String,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// When the modules were told.
    pub started_at: Option<DateTime<Utc>>,
    /// When the last of them had answered.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Erasure {
    /// All that the person is known as.
    pub fn names(&self) -> Vec<String> {
        std::iter::once(&self.subject).chain(&self.also.0).cloned().collect()
    }
}

/// What a module answered.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = erasure_answers)]
pub struct ErasureAnswer {
    pub erasure_id: Uuid,
    pub module: String,
    pub removed: AllRemoved,
    pub kept: AllKept,
    pub answered_at: DateTime<Utc>,
}

/// An erasure, and how far each module is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErasureProgress {
    /// The erasure.
    #[serde(flatten)]
    pub erasure: Erasure,
    /// Every module.
    pub modules: Vec<ModuleState>,
}

/// Which erasures a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this person.
    pub subject: Option<String>,
    /// Those that are so far.
    pub status: Option<ErasureStatus>,
}

impl Filter {
    fn query(&self) -> erasures::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = erasures::table.into_boxed();
        if let Some(subject) = &self.subject {
            query = query.filter(erasures::subject.eq(subject.clone()));
        }
        if let Some(status) = self.status {
            query = query.filter(erasures::status.eq(status));
        }
        query
    }
}

/// Lets one transaction at a time decide what begins and what is held. Both are rare.
pub async fn lock_all(conn: &mut Conn) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>("compliance.erasures")
        .execute(conn)
        .await
        .map(drop)
}

/// Writes a new erasure.
pub async fn insert(conn: &mut Conn, erasure: &Erasure) -> QueryResult<()> {
    diesel::insert_into(erasures::table).values(erasure).execute(conn).await?;
    diesel::sql_query(
        "INSERT INTO erasure_names (name, erasure_id)
         SELECT DISTINCT sha256(convert_to(lower(name), 'UTF8')), $1 FROM unnest($2) AS name",
    )
    .bind::<diesel::sql_types::Uuid, _>(erasure.id)
    .bind::<Array<Text>, _>(erasure.names())
    .execute(conn)
    .await
    .map(drop)
}

/// Writes an erasure that was changed. Whose it was is forgotten when it is over.
pub async fn update(conn: &mut Conn, erasure: &Erasure) -> QueryResult<()> {
    diesel::update(erasure).set(erasure).execute(conn).await?;
    if matches!(erasure.status, ErasureStatus::Completed | ErasureStatus::Cancelled) {
        let names = erasure_names::table.filter(erasure_names::erasure_id.eq(erasure.id));
        diesel::delete(names).execute(conn).await?;
    }
    Ok(())
}

/// The erasure, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Erasure>> {
    erasures::table.find(id).select(Erasure::as_select()).for_update().first(conn).await.optional()
}

/// An erasure of somebody with one of `names` that is neither complete nor called off.
pub async fn under_way(conn: &mut Conn, names: &[String]) -> QueryResult<Option<Erasure>> {
    let is_one_of =
        sql::<Bool>("erasure_names.name IN (SELECT sha256(convert_to(lower(it), 'UTF8')) FROM unnest(")
            .bind::<Array<Text>, _>(names)
            .sql(") AS it)");
    erasures::table
        .filter(erasures::id.eq_any(erasure_names::table.filter(is_one_of).select(erasure_names::erasure_id)))
        .select(Erasure::as_select())
        .first(conn)
        .await
        .optional()
}

/// Whether any is to begin by then.
pub async fn is_any_due(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<bool> {
    let due = erasures::status.eq(ErasureStatus::Announced).and(erasures::erase_at.le(now));
    diesel::select(diesel::dsl::exists(erasures::table.filter(due))).get_result(conn).await
}

/// Up to `limit` erasures that are to begin by then, locked.
pub async fn lock_due(conn: &mut Conn, now: DateTime<Utc>, limit: usize) -> QueryResult<Vec<Erasure>> {
    let due = erasures::status.eq(ErasureStatus::Announced).and(erasures::erase_at.le(now));
    erasures::table
        .filter(due)
        .order(erasures::erase_at)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Erasure::as_select())
        .for_update()
        .load(conn)
        .await
}

/// The erasures that a legal hold keeps from beginning, locked.
pub async fn lock_held(conn: &mut Conn, hold_id: Uuid) -> QueryResult<Vec<Erasure>> {
    let held = erasures::hold_id.eq(hold_id).and(erasures::status.eq(ErasureStatus::Held));
    erasures::table.filter(held).select(Erasure::as_select()).for_update().load(conn).await
}

/// Writes what a module answered, unless it answered before; says whether it did.
pub async fn answer(conn: &mut Conn, answer: &ErasureAnswer) -> QueryResult<bool> {
    let row = diesel::insert_into(erasure_answers::table).values(answer);
    Ok(row.on_conflict_do_nothing().execute(conn).await? == 1)
}

/// How far each module is.
pub async fn progress(conn: &mut Conn, erasure_id: Uuid) -> QueryResult<Vec<ModuleState>> {
    let answers: Vec<ErasureAnswer> = erasure_answers::table
        .filter(erasure_answers::erasure_id.eq(erasure_id))
        .select(ErasureAnswer::as_select())
        .load(conn)
        .await?;
    let state = |module: &str| {
        let answer = answers.iter().find(|answer| answer.module == module).cloned();
        let (removed, kept) = answer.clone().map(|answer| (answer.removed, answer.kept)).unwrap_or_default();
        let answered_at = answer.map(|answer| answer.answered_at);
        ModuleState { module: module.to_owned(), answered_at, removed, kept }
    };
    Ok(modules().map(state).collect())
}

/// The erasure and how far each module is, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<ErasureProgress>> {
    let erasure = erasures::table.find(id).select(Erasure::as_select()).first(conn).await.optional()?;
    let Some(erasure) = erasure else { return Ok(None) };
    let modules = progress(conn, id).await?;
    Ok(Some(ErasureProgress { erasure, modules }))
}

/// Up to `limit` erasures, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Erasure>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(erasures::id.lt(after));
    }
    query.order(erasures::id.desc()).limit(limit).select(Erasure::as_select()).load(conn).await
}

/// How many erasures a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
