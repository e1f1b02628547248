use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::StockId;
use crate::domain::movement::MovementKind;
use crate::schema::stock_movements;

/// A change of stock. What is there is the sum of them.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = stock_movements)]
pub struct Movement {
    /// Its id.
    pub id: Uuid,
    /// Which stock.
    pub stock_id: StockId,
    /// Why it changed.
    pub kind: MovementKind,
    /// How many came, or, below zero, went.
    pub on_hand: i64,
    /// How many were promised, or, below zero, are promised no more.
    pub reserved: i64,
    /// What it was for, for example `order/0190...`.
    pub reference: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which movements a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this stock.
    pub stock_id: Option<StockId>,
    /// Those of this kind.
    pub kind: Option<MovementKind>,
    /// Those that were for this.
    pub reference: Option<String>,
}

impl Filter {
    fn query(&self) -> stock_movements::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = stock_movements::table.into_boxed();
        if let Some(stock_id) = self.stock_id {
            query = query.filter(stock_movements::stock_id.eq(stock_id));
        }
        if let Some(kind) = self.kind {
            query = query.filter(stock_movements::kind.eq(kind));
        }
        if let Some(reference) = &self.reference {
            query = query.filter(stock_movements::reference.eq(reference.clone()));
        }
        query
    }
}

/// Writes movements.
pub async fn insert(conn: &mut Conn, movements: &[Movement]) -> QueryResult<()> {
    diesel::insert_into(stock_movements::table).values(movements).execute(conn).await.map(drop)
}

/// Up to `limit` movements, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Movement>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(stock_movements::id.lt(after));
    }
    query.order(stock_movements::id.desc()).limit(limit).select(Movement::as_select()).load(conn).await
}

/// How many movements a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
