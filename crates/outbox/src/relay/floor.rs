use bhiv_db::{Conn, Error};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl as _;

/// An id below which no row is left and none can appear any more, so that reading the table's head skips the
/// dead rows that vacuum has not removed yet.
///
/// Rows get their id before they are committed, so a lower id can appear after a higher one. First the
/// sequence's last value L is read, then a transaction number M is drawn: every transaction that got an id up
/// to L had a number below M by then (the insert sees to it). Once all transactions below M have ended, every
/// row up to L is there or never will be; and if none is there any more, L is the floor.
///
/// The end of a snapshot will not do for M: it is one more than the last transaction that *ended*, and one with
/// that very number or a higher one may be running.
#[derive(Debug, Default)]
pub(super) struct Floor {
    floor: i64,
    candidate: Option<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    id: i64,
    /// `xid8`, as text: higher than that of every transaction that has an id up to `id`.
    transaction: String,
}

#[derive(diesel::QueryableByName)]
struct LastId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(diesel::QueryableByName)]
struct Drawn {
    #[diesel(sql_type = Text)]
    transaction: String,
}

#[derive(diesel::QueryableByName)]
struct Settled {
    #[diesel(sql_type = Bool)]
    settled: bool,
    #[diesel(sql_type = Bool)]
    empty: bool,
}

impl Floor {
    /// Rows above it are still to come.
    pub(super) fn get(&self) -> i64 {
        self.floor
    }

    /// Moves it up if that is safe.
    pub(super) async fn advance(&mut self, conn: &mut Conn) -> Result<(), Error> {
        let Some(candidate) = &self.candidate else {
            self.candidate = candidate(conn, self.floor).await?;
            return Ok(());
        };
        let Settled { settled, empty } = diesel::sql_query(
            "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $3::xid8 AS settled,
                    NOT EXISTS (SELECT FROM outbox WHERE id > $1 AND id <= $2) AS empty",
        )
        .bind::<BigInt, _>(self.floor)
        .bind::<BigInt, _>(candidate.id)
        .bind::<Text, _>(&candidate.transaction)
        .get_result(conn)
        .await?;
        if settled && empty {
            self.floor = candidate.id;
            self.candidate = None;
        }
        Ok(())
    }
}

/// Two statements, in this order: the ids must be older than the transaction. `None` when there is no new id, so
/// that nothing is drawn while nothing happens.
async fn candidate(conn: &mut Conn, floor: i64) -> Result<Option<Candidate>, Error> {
    let LastId { id } =
        diesel::sql_query("SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM outbox_id_seq")
            .get_result(conn)
            .await?;
    if id <= floor {
        return Ok(None);
    }
    let Drawn { transaction } =
        diesel::sql_query("SELECT pg_current_xact_id()::text AS transaction").get_result(conn).await?;
    Ok(Some(Candidate { id, transaction }))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicI64, Ordering};

    use bhiv_db::Migrations;
    use bhiv_testing::TestDatabase;
    use diesel_async::SimpleAsyncConnection as _;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    use uuid::Uuid;

    use super::*;
    use crate::relay::rows::{self, NewRow};

    const WRITERS: usize = 4;

    /// What happens next.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Insert(usize),
        Commit(usize),
        RollBack(usize),
        Advance,
        Publish,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..WRITERS).prop_map(Step::Insert),
            2 => (0..WRITERS).prop_map(Step::Commit),
            1 => (0..WRITERS).prop_map(Step::RollBack),
            2 => Just(Step::Advance),
            2 => Just(Step::Publish),
        ]
    }

    /// A session that writes, and what its transaction has written so far.
    struct Writer {
        conn: Conn,
        written: Vec<Uuid>,
    }

    impl Writer {
        async fn insert(&mut self, event_id: Uuid) {
            if self.written.is_empty() {
                self.conn.batch_execute("BEGIN").await.unwrap();
            }
            let row = NewRow {
                event_id,
                exchange: "bhiv.crm",
                routing_key: "crm.lead.created.v1".into(),
                subject: "lead/1".to_owned(),
                sequence: 1,
                headers: bhiv_db::JsonText::of(&bhiv_broker::Headers::new()).unwrap(),
                payload: Vec::new(),
            };
            rows::insert(&mut self.conn, &[row]).await.unwrap();
            self.written.push(event_id);
        }

        async fn end(&mut self, how: &str) -> Vec<Uuid> {
            if !self.written.is_empty() {
                self.conn.batch_execute(how).await.unwrap();
            }
            std::mem::take(&mut self.written)
        }
    }

    /// Reads, publishes and deletes as the leader does.
    async fn publish(conn: &mut Conn, floor: &Floor, published: &mut Vec<Uuid>) {
        let batch = rows::next(conn, floor.get(), 500).await.unwrap();
        let ids: Vec<_> = batch.iter().map(|row| row.id).collect();
        published.extend(batch.into_iter().map(|row| row.into_message().id));
        rows::delete(conn, &ids).await.unwrap();
    }

    #[test]
    fn nothing_that_is_committed_is_skipped_however_transactions_overlap() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let database = runtime.block_on(TestDatabase::migrated(Migrations(&[crate::MIGRATIONS])));
        let mut runner =
            TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
        let highest = AtomicI64::new(0);
        let result = runner.run(&prop::collection::vec(step(), 10..60), |steps| {
            runtime.block_on(async {
                let mut conn = database.connect().await;
                conn.batch_execute("TRUNCATE outbox RESTART IDENTITY").await.unwrap();
                let mut writers = Vec::new();
                for _ in 0..WRITERS {
                    writers.push(Writer { conn: database.connect().await, written: Vec::new() });
                }
                let mut floor = Floor::default();
                let (mut committed, mut published) = (HashSet::new(), Vec::new());
                for (number, step) in (1_u128..).zip(steps) {
                    match step {
                        Step::Insert(writer) => {
                            writers.get_mut(writer).unwrap().insert(Uuid::from_u128(number)).await;
                        }
                        Step::Commit(writer) => {
                            committed.extend(writers.get_mut(writer).unwrap().end("COMMIT").await);
                        }
                        Step::RollBack(writer) => {
                            writers.get_mut(writer).unwrap().end("ROLLBACK").await;
                        }
                        Step::Advance => floor.advance(&mut conn).await.unwrap(),
                        Step::Publish => publish(&mut conn, &floor, &mut published).await,
                    }
                }
                for writer in &mut writers {
                    committed.extend(writer.end("COMMIT").await);
                }
                publish(&mut conn, &floor, &mut published).await;
                highest.fetch_max(floor.get(), Ordering::Relaxed);
                let once: HashSet<_> = published.iter().copied().collect();
                prop_assert_eq!(once.len(), published.len(), "published twice");
                prop_assert_eq!(once, committed);
                Ok(())
            })
        });
        result.unwrap();
        assert!(highest.into_inner() > 0, "the floor never moved: nothing was tried");
    }
}
