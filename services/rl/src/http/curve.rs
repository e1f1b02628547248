use actix_web::web::{Data, Json};
use bhiv_auth::require::RlRead;
use bhiv_service::Context;
use bhiv_web::{Can, Problem, Result, Segment, ValidQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::policy;
use crate::store::snapshot::{self, Snapshot};

/// How many points of a curve.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCurve {
    /// About so many, evenly taken; 200, unless it says otherwise.
    #[serde(default = "points")]
    #[schema(minimum = 2, maximum = 2000, default = 200)]
    points: i64,
}

fn points() -> i64 {
    200
}

/// How a policy learned.
#[derive(Debug, Serialize, ToSchema)]
pub struct LearningCurve {
    /// The kind of decision.
    kind: String,
    /// What it had become with versions, the oldest first.
    points: Vec<Snapshot>,
}

pub async fn read(
    _: Can<RlRead>,
    Segment(kind): Segment<String>,
    ValidQuery(query): ValidQuery<ReadCurve>,
    rl: Data<Context>,
) -> Result<Json<LearningCurve>> {
    let mut conn = rl.read().await?;
    if policy::find(&mut conn, &kind).await?.is_none() {
        return Err(Problem::not_found(format!("policy/{kind}")));
    }
    let points = snapshot::curve(&mut conn, &kind, query.points).await?;
    Ok(Json(LearningCurve { kind, points }))
}
