use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::subject_keys;

/// The key of a subject, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = subject_keys)]
pub struct KeptKey {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub subject: String,
    /// The story in which the subject was heard of first.
    pub correlation_id: Uuid,
    /// Sealed with the master key; none once the person was erased.
    pub wrapped: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Those of these subjects.
pub async fn of_subjects(conn: &mut Conn, subjects: &[String]) -> QueryResult<Vec<KeptKey>> {
    let keys = subject_keys::table.filter(subject_keys::subject.eq_any(subjects));
    keys.select(KeptKey::as_select()).load(conn).await
}

/// Those with these ids.
pub async fn with_ids(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<KeptKey>> {
    let keys = subject_keys::table.filter(subject_keys::id.eq_any(ids));
    keys.select(KeptKey::as_select()).load(conn).await
}

/// Keeps new ones; that of a subject that has got one meanwhile stays.
pub async fn insert(conn: &mut Conn, keys: &[KeptKey]) -> QueryResult<usize> {
    diesel::insert_into(subject_keys::table).values(keys).on_conflict_do_nothing().execute(conn).await
}

/// Subjects that came up in the stories of these and are no persons themselves: their deliveries, notes, feedback.
pub async fn beside(conn: &mut Conn, subjects: &[String]) -> QueryResult<Vec<String>> {
    let (theirs, others) = diesel::alias!(subject_keys as theirs, subject_keys as others);
    let stories = theirs
        .filter(theirs.field(subject_keys::subject).eq_any(subjects))
        .select(theirs.field(subject_keys::correlation_id));
    let stories: Vec<Uuid> = stories.load(conn).await?;
    let mut beside = others.filter(others.field(subject_keys::correlation_id).eq_any(stories)).into_boxed();
    for person in ["lead/%", "contact/%", "user/%", "customer/%"] {
        beside = beside.filter(others.field(subject_keys::subject).not_like(person));
    }
    beside.select(others.field(subject_keys::subject)).load(conn).await
}

/// Destroys the keys of these subjects.
pub async fn destroy(
    conn: &mut Conn,
    subjects: &[String],
    erasure_id: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let there = subject_keys::subject.eq_any(subjects).and(subject_keys::wrapped.is_not_null());
    diesel::update(subject_keys::table.filter(there))
        .set((
            subject_keys::wrapped.eq(None::<Vec<u8>>),
            subject_keys::erased_at.eq(now),
            subject_keys::erasure_id.eq(erasure_id),
        ))
        .execute(conn)
        .await
}
