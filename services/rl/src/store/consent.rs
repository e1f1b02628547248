use bhiv_db::Conn;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::schema::consents;

/// What a person last said to a purpose.
#[derive(Clone, Debug, PartialEq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = consents)]
pub struct Consent {
    /// Who, for example `lead/0190...`.
    pub person: String,
    /// What for.
    pub purpose: String,
    /// Orders what they said.
    pub sequence: i64,
    /// Whether they withdrew it.
    pub withdrawn: bool,
}

/// Takes note of what somebody said, unless something later is known. Answers whether another answer counts from here: a
/// first yes changes nothing.
pub async fn note(conn: &mut Conn, consent: &Consent) -> QueryResult<bool> {
    let before: Option<bool> = consents::table
        .find((&consent.person, &consent.purpose))
        .select(consents::withdrawn)
        .for_update()
        .first(conn)
        .await
        .optional()?;
    let upsert = diesel::insert_into(consents::table)
        .values(consent)
        .on_conflict((consents::person, consents::purpose))
        .do_update()
        .set(consent);
    let newer =
        diesel::query_dsl::methods::FilterDsl::filter(upsert, consents::sequence.lt(consent.sequence));
    let is_newer = newer.execute(conn).await? > 0;
    Ok(is_newer && (consent.withdrawn || before == Some(true)))
}

/// Whether any of these persons has withdrawn consent to a purpose.
pub async fn is_withdrawn(conn: &mut Conn, persons: &[String], purpose: &str) -> QueryResult<bool> {
    let withdrawn =
        consents::person.eq_any(persons).and(consents::purpose.eq(purpose)).and(consents::withdrawn);
    diesel::select(diesel::dsl::exists(consents::table.filter(withdrawn))).get_result(conn).await
}

/// Forgets what these persons said; answers how much.
pub async fn forget(conn: &mut Conn, persons: &[String]) -> QueryResult<usize> {
    diesel::delete(consents::table.filter(consents::person.eq_any(persons))).execute(conn).await
}
