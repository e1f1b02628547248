//! How the domain's values become columns.

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Jsonb;
use serde_json::Value;

use crate::domain::action::Actions;
use crate::domain::approval::ApprovalStatus;
use crate::domain::ids::{ApprovalId, FeedbackId, RecurringId, ReviewId, RunId, TaskId, WorkflowId};
use crate::domain::recurring::Blueprint;
use crate::domain::review::ReviewStatus;
use crate::domain::run::{Outcome, Plan, Steps, WaitsFor};
use crate::domain::task::{Checklist, TaskStatus};

bhiv_types::uuid_columns!(TaskId, FeedbackId, WorkflowId, ReviewId, RunId, ApprovalId, RecurringId);
bhiv_types::text_columns!(TaskStatus, Outcome, ReviewStatus, WaitsFor, ApprovalStatus);
bhiv_types::json_columns!(Checklist, Steps, Plan, Blueprint);

#[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(foreign_derive, sql_type = Jsonb)]
#[expect(dead_code, reason = "it carries the derives to the type it wraps")]
struct Column(Actions);

impl ToSql<Jsonb, Pg> for Actions {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(self)?;
        ToSql::<Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
    }
}

impl FromSql<Jsonb, Pg> for Actions {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <Value as FromSql<Jsonb, Pg>>::from_sql(value)?;
        Ok(serde_json::from_value(value)?)
    }
}
