use actix_web::web::{Data, Json};
use bhiv_auth::require::{RlAdmin, RlRead};
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, Page, Result, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::lift_verdict::LiftVerdict;
use crate::store::verdict::{self, Verdict};

/// Which violations, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListVerdicts {
    /// Those in this, for example `order/0190...`.
    #[schema(min_length = 1, max_length = 100)]
    entity: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// A violation that compliance found: until it is lifted, or such an event about the same thing is found compliant, it
/// forbids what its kind of decision says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViolationHeard {
    /// What the event was about.
    entity: String,
    /// The event that broke a rule.
    event_type: String,
    /// The check that found it.
    check_id: Uuid,
    /// The rules that it broke, in words.
    says: Vec<String>,
    /// When rl heard of it.
    heard_at: DateTime<Utc>,
}

impl From<Verdict> for ViolationHeard {
    fn from(Verdict { entity, event_type, check_id, rules, heard_at }: Verdict) -> Self {
        let says = rules.0.into_iter().map(|rule| rule.says).collect();
        Self { entity, event_type, check_id, says, heard_at }
    }
}

/// Why a violation is to forbid nothing any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifting {
    /// In words, for the audit.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

pub async fn list(
    _: Can<RlRead>,
    ValidQuery(query): ValidQuery<ListVerdicts>,
    rl: Data<Context>,
) -> Result<Json<Page<ViolationHeard>>> {
    let ListVerdicts { entity, limit, cursor } = query;
    let mut conn = rl.read().await?;
    let found = verdict::list(&mut conn, entity.as_deref(), Cursor::id(cursor), limit.and_one()).await?;
    let total = verdict::count(&mut conn, entity.as_deref()).await?;
    let found = found.into_iter().map(ViolationHeard::from).collect();
    Ok(Json(Page::new(found, limit, total, |violation| violation.check_id)))
}

pub async fn lift(
    who: Can<RlAdmin>,
    Id(check_id): Id<Uuid>,
    Valid(lifting): Valid<Lifting>,
    rl: Data<Context>,
) -> Result<Json<ViolationHeard>> {
    let lifted = rl.run(who.origin(), LiftVerdict { check_id, reason: lifting.reason }).await?;
    Ok(Json(lifted.into()))
}
