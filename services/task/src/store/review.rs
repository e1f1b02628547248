use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{ReviewId, TaskId};
use crate::domain::performance::Work;
use crate::domain::review::ReviewStatus;
use crate::schema::reviews;

/// What somebody said of a task that was done.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = reviews, treat_none_as_default_value = false)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// 1: what was said is not changed, another review is given instead.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// The task.
    pub task_id: TaskId,
    /// Who said so.
    pub reviewer_id: String,
    /// Who had done it.
    pub assignee_id: Option<String>,
    /// What they said.
    pub status: ReviewStatus,
    /// In their words.
    pub comments: Option<String>,
    /// Whether rules were kept, 0 to 1.
    pub compliance: Option<f64>,
    /// What it took, 0 to 1.
    pub efficiency: Option<f64>,
    /// How good it is, 0 to 1.
    pub quality: Option<f64>,
    /// Whether it was done in time, 0 to 1.
    pub timeliness: Option<f64>,
    /// compliance .4, efficiency .3, quality .2, timeliness .1.
    pub dhi_score: Option<f64>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Which reviews a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this task.
    pub task_id: Option<TaskId>,
    /// Those by this user.
    pub reviewer_id: Option<String>,
    /// Those that say that.
    pub status: Option<ReviewStatus>,
}

impl Filter {
    fn query(&self) -> reviews::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = reviews::table.into_boxed();
        if let Some(task_id) = self.task_id {
            query = query.filter(reviews::task_id.eq(task_id));
        }
        if let Some(reviewer_id) = &self.reviewer_id {
            query = query.filter(reviews::reviewer_id.eq(reviewer_id.clone()));
        }
        if let Some(status) = self.status {
            query = query.filter(reviews::status.eq(status));
        }
        query
    }
}

/// Writes a new review.
pub async fn insert(conn: &mut Conn, review: &Review) -> QueryResult<()> {
    diesel::insert_into(reviews::table).values(review).execute(conn).await.map(drop)
}

/// The review, if there is one.
pub async fn find(conn: &mut Conn, id: ReviewId) -> QueryResult<Option<Review>> {
    reviews::table.find(id).select(Review::as_select()).first(conn).await.optional()
}

/// Up to `limit` reviews, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Review>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(reviews::id.lt(ReviewId(after)));
    }
    query.order(reviews::id.desc()).limit(limit).select(Review::as_select()).load(conn).await
}

/// How many reviews a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    completed: i64,
    #[diesel(sql_type = BigInt)]
    open: i64,
    #[diesel(sql_type = BigInt)]
    dated: i64,
    #[diesel(sql_type = BigInt)]
    in_time: i64,
    #[diesel(sql_type = BigInt)]
    reviewed: i64,
    #[diesel(sql_type = BigInt)]
    approved: i64,
}

/// What somebody did from then until then.
pub async fn work_of(
    conn: &mut Conn,
    employee: &str,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> QueryResult<Work> {
    let sql = "
        WITH done AS (
          SELECT id, due_date, completed_at FROM tasks
          WHERE assignee_id = $1 AND completed_at >= $2 AND completed_at < $3),
        last AS (
          SELECT DISTINCT ON (r.task_id) r.task_id, r.status FROM reviews r JOIN done ON done.id = r.task_id
          ORDER BY r.task_id, r.id DESC)
        SELECT (SELECT count(*) FROM done) AS completed,
          (SELECT count(*) FROM tasks WHERE assignee_id = $1 AND created_at < $3
             AND (status NOT IN ('completed', 'cancelled') OR completed_at >= $3)) AS open,
          (SELECT count(*) FROM done WHERE due_date IS NOT NULL) AS dated,
          (SELECT count(*) FROM done WHERE completed_at <= due_date) AS in_time,
          (SELECT count(*) FROM last) AS reviewed,
          (SELECT count(*) FROM last WHERE status = 'approved') AS approved";
    let counts: Counts = diesel::sql_query(sql)
        .bind::<Text, _>(employee)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(until)
        .get_result(conn)
        .await?;
    let Counts { completed, open, dated, in_time, reviewed, approved } = counts;
    Ok(Work { completed, open, dated, in_time, reviewed, approved })
}
