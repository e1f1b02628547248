//! What this crate's own tables know of a person.

use bhiv_db::{Conn, DieselError};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bytea, Jsonb, Text};
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

use super::words::{Words, delete_at};

/// What stands where an answer told of somebody. No command answers that.
pub(crate) const EMPTIED: &str = "[erased]";

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Jsonb)]
    output: Value,
}

/// Empties the stored answers that tell of the person; the keys stay, so that their requests are not run again.
pub(super) async fn empty_answers(conn: &mut Conn, words: &Words) -> Result<usize, DieselError> {
    let answers: Vec<Answer> = diesel::sql_query(
        "SELECT ctid::text AS place, output FROM idempotency_keys WHERE lower(output::text COLLATE \"C\") LIKE ANY($1) FOR UPDATE",
    )
    .bind::<Array<Text>, _>(words.patterns(true))
    .load(conn)
    .await?;
    let telling = answers.into_iter().filter(|answer| words.is_in_json(&answer.output));
    let places: Vec<_> = telling.map(|answer| answer.place).collect();
    diesel::sql_query("UPDATE idempotency_keys SET output = to_jsonb($1) WHERE ctid = ANY($2::tid[])")
        .bind::<Text, _>(EMPTIED)
        .bind::<Array<Text>, _>(places)
        .execute(conn)
        .await
}

#[derive(QueryableByName)]
struct Parked {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Bytea)]
    payload: Vec<u8>,
}

/// Deletes messages that could not be handled, or not be published, and tell of the person.
pub(super) async fn delete_parked(conn: &mut Conn, words: &Words) -> Result<usize, DieselError> {
    let mut deleted = 0;
    for table in ["inbox_parked", "outbox_parked"] {
        let parked: Vec<Parked> =
            diesel::sql_query(format!("SELECT ctid::text AS place, payload FROM {table} FOR UPDATE"))
                .load(conn)
                .await?;
        let telling =
            parked.into_iter().filter(|parked| words.is_in(&String::from_utf8_lossy(&parked.payload)));
        let places: Vec<_> = telling.map(|parked| parked.place).collect();
        deleted += delete_at(conn, table, &places).await?;
    }
    Ok(deleted)
}

/// Which stories the person's records belong to is known no more.
pub(super) async fn forget_stories(conn: &mut Conn, names: &[String]) -> Result<(), DieselError> {
    diesel::sql_query("DELETE FROM stories WHERE entity = ANY($1)")
        .bind::<Array<Text>, _>(names)
        .execute(conn)
        .await
        .map(drop)
}
