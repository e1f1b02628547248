//! Which causal story a record of another service belongs to, so that a request that names the record joins
//! its story: an order that of its opportunity, feedback that of its order.

use bhiv_db::Conn;
use bhiv_events::Event;
use diesel::OptionalExtension as _;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{Failure, HandleAll, Tx};

/// Remembers the story of every event's subject.
pub(crate) struct RememberStories;

impl HandleAll for RememberStories {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let mut stories: Vec<_> =
            events.iter().map(|event| (event.subject.as_str(), event.correlationid)).collect();
        // One order everywhere, and no subject twice in a statement.
        stories.sort_unstable();
        stories.dedup_by_key(|(subject, _)| *subject);
        let (subjects, correlations): (Vec<_>, Vec<_>) = stories.into_iter().unzip();
        diesel::sql_query(
            "INSERT INTO stories (entity, correlation_id) SELECT * FROM unnest($1, $2)
             ON CONFLICT DO NOTHING",
        )
        .bind::<Array<Text>, _>(subjects)
        .bind::<Array<SqlUuid>, _>(correlations)
        .execute(tx.conn())
        .await?;
        Ok(())
    }
}

#[derive(diesel::QueryableByName)]
struct Story {
    #[diesel(sql_type = SqlUuid)]
    correlation_id: Uuid,
}

/// The story of `entity`, if it was heard of.
pub(crate) async fn of(conn: &mut Conn, entity: &str) -> diesel::QueryResult<Option<Uuid>> {
    let story = diesel::sql_query("SELECT correlation_id FROM stories WHERE entity = $1")
        .bind::<Text, _>(entity)
        .get_result::<Story>(conn)
        .await
        .optional()?;
    Ok(story.map(|story| story.correlation_id))
}
