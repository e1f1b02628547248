use bhiv_db::{Conn, words};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::FeedbackId;
use crate::schema::feedback;

/// What a customer said about an order.
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
#[diesel(table_name = feedback, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Feedback {
    /// Its id.
    pub id: FeedbackId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it belongs to: that of its order.
    pub correlation_id: Uuid,
    /// The order.
    pub order_id: Uuid,
    /// Who said it; nobody else may change it.
    pub customer: String,
    /// 1, very bad, to 5, very good.
    pub rating: i16,
    /// In the customer's words.
    pub comment: Option<String>,
    /// What it is about, for example `speed`.
    pub categories: Vec<String>,
    /// When it was said.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which feedback a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// That about this order.
    pub order_id: Option<Uuid>,
    /// That with this rating.
    pub rating: Option<i16>,
    /// That with words in the comment that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<FeedbackId>>,
}

impl Filter {
    fn query(&self) -> feedback::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = feedback::table.into_boxed();
        if let Some(order_id) = self.order_id {
            query = query.filter(feedback::order_id.eq(order_id));
        }
        if let Some(rating) = self.rating {
            query = query.filter(feedback::rating.eq(rating));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(feedback, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(feedback::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, feedback);

/// Writes new feedback, unless its customer said something about its order before. Answers the id of what is
/// there then: its own, or that of the earlier one.
pub async fn insert_once(conn: &mut Conn, new: &Feedback) -> QueryResult<FeedbackId> {
    let insert = diesel::insert_into(feedback::table).values(new);
    // DO NOTHING would answer nothing about the row that is in the way.
    let once = insert.on_conflict((feedback::order_id, feedback::customer)).do_update();
    once.set(feedback::order_id.eq(new.order_id)).returning(feedback::id).get_result(conn).await
}

/// The feedback, if there is any.
pub async fn find(conn: &mut Conn, id: FeedbackId) -> QueryResult<Option<Feedback>> {
    feedback::table.find(id).select(Feedback::as_select()).first(conn).await.optional()
}

/// The feedback, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: FeedbackId) -> QueryResult<Option<Feedback>> {
    feedback::table.find(id).select(Feedback::as_select()).for_update().first(conn).await.optional()
}

/// Writes feedback that was changed.
pub async fn update(conn: &mut Conn, changed: &Feedback) -> QueryResult<()> {
    diesel::update(changed).set(changed).execute(conn).await.map(drop)
}

/// Up to `limit` rows of feedback, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Feedback>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(feedback::id.lt(FeedbackId(after)));
    }
    query.order(feedback::id.desc()).limit(limit).select(Feedback::as_select()).load(conn).await
}

/// How many rows of feedback a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// How many said what.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Said {
    /// The category; null for all of them together.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub category: Option<String>,
    /// The rating.
    #[diesel(sql_type = diesel::sql_types::SmallInt)]
    pub rating: i16,
    /// How many.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub count: i64,
}

/// How many gave which rating from then until then: all together, and in each category.
pub async fn counts(conn: &mut Conn, from: DateTime<Utc>, until: DateTime<Utc>) -> QueryResult<Vec<Said>> {
    let sql = "
        SELECT NULL::text AS category, rating, count(*) AS count FROM feedback
        WHERE created_at >= $1 AND created_at < $2 GROUP BY rating
        UNION ALL
        SELECT category, rating, count(*) FROM feedback, unnest(categories) AS category
        WHERE created_at >= $1 AND created_at < $2 GROUP BY category, rating
        ORDER BY 1, 2";
    diesel::sql_query(sql)
        .bind::<diesel::sql_types::Timestamptz, _>(from)
        .bind::<diesel::sql_types::Timestamptz, _>(until)
        .load(conn)
        .await
}
