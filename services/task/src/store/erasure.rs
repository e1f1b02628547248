//! Finding and removing what tells who a person is.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::ids::TaskId;
use crate::schema::{reviews, workflow_runs};
use crate::store::run::Run;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Runs about these events, locked.
pub async fn lock_runs(conn: &mut Conn, events: &[Uuid]) -> QueryResult<Vec<Run>> {
    let runs = workflow_runs::table.filter(workflow_runs::event_id.eq_any(events));
    runs.order(workflow_runs::id).select(Run::as_select()).for_update().load(conn).await
}

/// Forgets what the runs about these events would do, and what went wrong with it; and what people were asked for them.
/// Answers how many runs that were.
pub async fn empty_runs(conn: &mut Conn, events: &[Uuid]) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE approvals SET question = '[erased]', comment = NULL
         WHERE run_id IN (SELECT id FROM workflow_runs WHERE event_id = ANY($1))",
    )
    .bind::<Array<SqlUuid>, _>(events)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "UPDATE workflow_runs SET plan = NULL, error = NULL
         WHERE event_id = ANY($1) AND (plan IS NOT NULL OR error IS NOT NULL)",
    )
    .bind::<Array<SqlUuid>, _>(events)
    .execute(conn)
    .await
}

/// Takes the texts out of the tasks about one of these; answers which they are.
pub async fn unname_tasks(
    conn: &mut Conn,
    references: &[String],
    now: DateTime<Utc>,
) -> QueryResult<Vec<TaskId>> {
    let tasks: Vec<Id> = diesel::sql_query(
        "UPDATE tasks SET title = '[erased]', description = NULL, reference = NULL, labels = '{}', checklist = '[]',
                          version = version + 1, updated_at = $2
         WHERE id IN (SELECT id FROM tasks WHERE reference = ANY($1) ORDER BY id FOR UPDATE)
         RETURNING id",
    )
    .bind::<Array<Text>, _>(references)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(tasks.into_iter().map(|task| task.id.into()).collect())
}

/// Takes the words out of the reviews of these tasks; answers which they are.
pub async fn silence_reviews(conn: &mut Conn, tasks: &[TaskId]) -> QueryResult<Vec<Uuid>> {
    let reviews = reviews::table.filter(reviews::task_id.eq_any(tasks));
    let silent = reviews::comments.eq(None::<String>);
    diesel::update(reviews).set(silent).returning(reviews::id).get_results(conn).await
}

/// Takes these customers and their words out of what they said of orders; answers which feedback that is.
pub async fn unname_feedback(
    conn: &mut Conn,
    customers: &[String],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Uuid>> {
    let feedback: Vec<Id> = diesel::sql_query(
        "UPDATE feedback SET customer = 'erased/' || id, comment = NULL, version = version + 1, updated_at = $2
         WHERE lower(customer) IN (SELECT lower(name) FROM unnest($1) AS name) RETURNING id",
    )
    .bind::<Array<Text>, _>(customers)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(feedback.into_iter().map(|row| row.id).collect())
}

/// These users had no tasks, wrote no reviews, and were asked and answered nothing; answers in how many rows they had.
pub async fn unname_work(conn: &mut Conn, users: &[String]) -> QueryResult<usize> {
    let mut count = 0;
    for sql in [
        "UPDATE tasks SET assignee_id = NULL, version = version + 1 WHERE assignee_id = ANY($1)",
        "UPDATE reviews SET assignee_id = NULL WHERE assignee_id = ANY($1)",
        "UPDATE reviews SET reviewer_id = '[erased]', comments = NULL WHERE reviewer_id = ANY($1)",
        "UPDATE approvals SET decided_by = NULL, comment = NULL WHERE decided_by = ANY($1)",
        "UPDATE approvals SET approvers = ARRAY(SELECT name FROM unnest(approvers) AS name WHERE name <> ALL($1))
         WHERE approvers && $1",
        "UPDATE recurring_tasks SET task = task - 'assignee_id' WHERE task ->> 'assignee_id' = ANY($1)",
    ] {
        count += diesel::sql_query(sql).bind::<Array<Text>, _>(users).execute(conn).await?;
    }
    Ok(count)
}

/// How many workflows name one of these users.
pub async fn count_workflows(conn: &mut Conn, users: &[String]) -> QueryResult<usize> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let quoted: Vec<_> = users.iter().map(|user| bhiv_db::contains(&format!("\"{user}\""))).collect();
    let count = diesel::sql_query("SELECT count(*) AS count FROM workflows WHERE actions::text LIKE ANY($1)")
        .bind::<Array<Text>, _>(quoted)
        .get_result::<Count>(conn)
        .await?;
    Ok(usize::try_from(count.count).unwrap_or(usize::MAX))
}
