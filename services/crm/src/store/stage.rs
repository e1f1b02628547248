use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::schema::opportunity_stages;
use crate::store::opportunity::Opportunity;

/// Notes that an opportunity left the stage where it was, if it was at one, and came to where it is now.
pub async fn enter(conn: &mut Conn, opportunity: &Opportunity, at: DateTime<Utc>) -> QueryResult<()> {
    let open = opportunity_stages::table
        .filter(opportunity_stages::opportunity_id.eq(opportunity.id))
        .filter(opportunity_stages::left_at.is_null());
    diesel::update(open).set(opportunity_stages::left_at.eq(at)).execute(conn).await?;
    let entered = (
        opportunity_stages::opportunity_id.eq(opportunity.id),
        opportunity_stages::version.eq(opportunity.version),
        opportunity_stages::stage.eq(opportunity.stage),
        opportunity_stages::entered_at.eq(at),
    );
    diesel::insert_into(opportunity_stages::table).values(entered).execute(conn).await.map(drop)
}
