//! Finding and removing what tells who a person is.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{
    agents, api_keys, consents, sessions_to_end, subscriptions, unified_events, unified_outcomes, users,
    webhook_attempts, webhook_deliveries,
};

/// A user, locked.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Found {
    pub id: Uuid,
    pub email: String,
    pub name: String,
}

/// These users, and those with these e-mail addresses.
pub async fn users(conn: &mut Conn, ids: &[Uuid], emails: &[String]) -> QueryResult<Vec<Found>> {
    let wanted = users::id.eq_any(ids).or(users::email.eq_any(emails));
    users::table.filter(wanted).order(users::id).select(Found::as_select()).for_update().load(conn).await
}

/// Removes the subscriptions of these users, of their keys and of these owners, with all that is to be delivered to them
/// and was.
pub async fn remove_subscriptions(conn: &mut Conn, users: &[Uuid], owners: &[String]) -> QueryResult<usize> {
    let theirs =
        subscriptions::user_id.eq_any(users).assume_not_null().or(subscriptions::owner.eq_any(owners));
    let removed: Vec<Uuid> = diesel::delete(subscriptions::table.filter(theirs))
        .returning(subscriptions::id)
        .get_results(conn)
        .await?;
    let deliveries = webhook_deliveries::table.filter(webhook_deliveries::subscription_id.eq_any(&removed));
    diesel::delete(deliveries).execute(conn).await?;
    let attempts = webhook_attempts::table.filter(webhook_attempts::subscription_id.eq_any(&removed));
    diesel::delete(attempts).execute(conn).await?;
    Ok(removed.len())
}

/// Removes the agents of these owners.
pub async fn remove_agents(conn: &mut Conn, owners: &[String]) -> QueryResult<usize> {
    diesel::delete(agents::table.filter(agents::owner.eq_any(owners))).execute(conn).await
}

/// The sessions of these users and of their keys are to be ended.
pub async fn note_sessions(conn: &mut Conn, users: &[Uuid], now: DateTime<Utc>) -> QueryResult<()> {
    diesel::sql_query(
        "INSERT INTO sessions_to_end (user_id, keys, since)
         SELECT id::text, ARRAY(SELECT k.id FROM api_keys k WHERE k.user_id = u.id), $2 FROM unnest($1) AS u (id)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(users)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await
    .map(drop)
}

/// Removes the keys of these users.
pub async fn remove_keys(conn: &mut Conn, users: &[Uuid]) -> QueryResult<usize> {
    diesel::delete(api_keys::table.filter(api_keys::user_id.eq_any(users))).execute(conn).await
}

/// Removes these users.
pub async fn remove_users(conn: &mut Conn, users: &[Uuid]) -> QueryResult<usize> {
    diesel::delete(users::table.filter(users::id.eq_any(users))).execute(conn).await
}

/// Removes what was reported about these people, and what modules made of it.
pub async fn remove_reports(conn: &mut Conn, people: &[String]) -> QueryResult<usize> {
    let reported = unified_events::table.filter(unified_events::user_id.eq_any(people));
    let ids = reported.select(unified_events::id).for_update().load::<Uuid>(conn).await?;
    let outcomes = unified_outcomes::table.filter(unified_outcomes::unified_id.eq_any(&ids));
    diesel::delete(outcomes).execute(conn).await?;
    diesel::delete(unified_events::table.filter(unified_events::id.eq_any(&ids))).execute(conn).await
}

/// Removes what these people consented to.
pub async fn remove_consents(conn: &mut Conn, people: &[String]) -> QueryResult<usize> {
    diesel::delete(consents::table.filter(consents::person.eq_any(people))).execute(conn).await
}

/// A user whose sessions are to be ended, and the ids of their keys.
pub type ToEnd = (String, Vec<Uuid>);

/// Up to `limit` users whose sessions are to be ended.
pub async fn sessions_to_end(conn: &mut Conn, limit: i64) -> QueryResult<Vec<ToEnd>> {
    let rows = sessions_to_end::table.order(sessions_to_end::since).limit(limit);
    rows.select((sessions_to_end::user_id, sessions_to_end::keys)).load(conn).await
}

/// The sessions of a user are ended.
pub async fn sessions_ended(conn: &mut Conn, user_id: &str) -> QueryResult<()> {
    diesel::delete(sessions_to_end::table.find(user_id.to_owned())).execute(conn).await.map(drop)
}
