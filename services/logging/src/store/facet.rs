//! Counts of entries, by their values and by time.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::entry::Filter;
use crate::schema::entries;

/// Entries that are counted, at most: the newest ones.
pub const MOST: i64 = 100_000;

/// A value of a field, and how often it is there.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct FieldValue {
    /// The field.
    pub field: String,
    /// The value.
    pub value: String,
    /// How often.
    pub count: i64,
}

/// A part of time, and how many entries are of it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Bar {
    /// Where it begins.
    pub at: DateTime<Utc>,
    /// How many.
    pub count: i64,
}

/// The 20 most frequent values of each field.
pub async fn counts(conn: &mut Conn, filter: &Filter) -> QueryResult<Vec<FieldValue>> {
    let newest = filter.query().order((entries::timestamp.desc(), entries::id.desc())).limit(MOST).select((
        entries::kind,
        entries::event_type,
        entries::source,
        entries::entity,
        entries::action,
        entries::user_id,
    ));
    Counts(newest).load(conn).await
}

/// How many entries there are in each of these parts of time.
pub async fn histogram(conn: &mut Conn, filter: &Filter, seconds: i64) -> QueryResult<Vec<Bar>> {
    Bars { of: filter.query().select(entries::timestamp), seconds }.load(conn).await
}

struct Counts<Q>(Q);

impl<Q> Query for Counts<Q> {
    type SqlType = (Text, Text, BigInt);
}

impl<Q> QueryId for Counts<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Counts<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT field, value, count FROM ( \
               SELECT field, value, count(*) AS count, \
                      row_number() OVER (PARTITION BY field ORDER BY count(*) DESC, value) AS place FROM (",
        );
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(
            ") AS newest, LATERAL (VALUES ('kind', kind), ('event_type', event_type), ('source', source), \
               ('entity', split_part(entity, '/', 1)), ('action', action), ('user_id', user_id) \
             ) AS fields (field, value) WHERE value IS NOT NULL GROUP BY field, value) AS counted \
             WHERE place <= 20 ORDER BY field, place",
        );
        Ok(())
    }
}

struct Bars<Q> {
    of: Q,
    seconds: i64,
}

impl<Q> Query for Bars<Q> {
    type SqlType = (Timestamptz, BigInt);
}

impl<Q> QueryId for Bars<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Bars<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT date_bin(make_interval(secs => ");
        out.push_bind_param::<BigInt, _>(&self.seconds)?;
        out.push_sql("), timestamp, timestamptz '1970-01-01 00:00:00Z') AS at, count(*) FROM (");
        self.of.walk_ast(out.reborrow())?;
        out.push_sql(") AS times GROUP BY at ORDER BY at");
        Ok(())
    }
}
