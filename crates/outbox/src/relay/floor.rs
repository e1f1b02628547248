use bhiv_db::{Conn, Error};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl as _;

/// An id below which no row is left and none can appear any more, so that reading the table's head skips the
/// dead rows that vacuum has not removed yet.
///
/// Rows get their id before they are committed, so a lower id can appear after a higher one. First the
/// sequence's last value L is read, then the snapshot's end M: every transaction that got an id up to L had
/// a number below M by then (the insert sees to it). Once all transactions below M have ended, every row up
/// to L is there or never will be; and if none is there any more, L is the floor.
#[derive(Debug, Default)]
pub(super) struct Floor {
    floor: i64,
    candidate: Option<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    id: i64,
    /// `xid8`, as text.
    snapshot_end: String,
}

#[derive(diesel::QueryableByName)]
struct LastId {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(diesel::QueryableByName)]
struct SnapshotEnd {
    #[diesel(sql_type = Text)]
    xmax: String,
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
            self.candidate = Some(candidate(conn).await?);
            return Ok(());
        };
        let Settled { settled, empty } = diesel::sql_query(
            "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $3::xid8 AS settled,
                    NOT EXISTS (SELECT FROM outbox WHERE id > $1 AND id <= $2) AS empty",
        )
        .bind::<BigInt, _>(self.floor)
        .bind::<BigInt, _>(candidate.id)
        .bind::<Text, _>(&candidate.snapshot_end)
        .get_result(conn)
        .await?;
        if settled && empty {
            self.floor = candidate.id;
            self.candidate = None;
        }
        Ok(())
    }
}

/// Two statements, in this order: the id must be older than the snapshot.
async fn candidate(conn: &mut Conn) -> Result<Candidate, Error> {
    let LastId { id } =
        diesel::sql_query("SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM outbox_id_seq")
            .get_result(conn)
            .await?;
    let SnapshotEnd { xmax } =
        diesel::sql_query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xmax")
            .get_result(conn)
            .await?;
    Ok(Candidate { id, snapshot_end: xmax })
}
