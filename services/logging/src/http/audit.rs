use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Limit, Result, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::logs::{self, Opens};
use super::page::{LogCursor, LogPage};
use crate::domain::kind::LogKind;
use crate::store::entry::Filter;

/// Which audit rows, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAudit {
    /// Those about this, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 500)]
    entity: Option<String>,
    /// Those where this was done, for example `lead.create`.
    #[schema(min_length = 1, max_length = 500)]
    action: Option<String>,
    /// Those that this one did: `user/<id>`, or `service/<name>`.
    #[schema(min_length = 1, max_length = 500)]
    actor: Option<String>,
    /// Those of this user.
    #[schema(min_length = 1, max_length = 500)]
    user_id: Option<String>,
    /// Those at this time or later.
    since: Option<DateTime<Utc>>,
    /// Those before this time.
    until: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<LogCursor>,
}

pub async fn list(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<ListAudit>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<Json<LogPage>> {
    let ListAudit { entity, action, actor, user_id, since, until, limit, cursor } = query;
    let kind = Some(LogKind::Audit);
    let filter = Filter { kind, user_id, entity, actor, action, since, until, ..Filter::default() };
    Ok(Json(logs::page(&logging, &opens, &filter, limit, cursor).await?))
}
