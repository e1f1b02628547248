use actix_web::web::{Data, Json};
use bhiv_auth::require::CrmRead;
use bhiv_service::Context;
use bhiv_web::{Can, Result, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::pipeline::{self, Decided, Scope, StageSum, StageTime};

/// What the parts of a period are.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Part {
    /// Weeks, from Monday.
    Week,
    /// Months.
    #[default]
    Month,
}

/// Which part of the pipeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPipeline {
    /// Opportunities that this user works on.
    owner: Option<String>,
    /// Opportunities that this team works on.
    team: Option<String>,
    /// What was opened, left a stage, or was decided then or later; ever, unless it says otherwise.
    from: Option<DateTime<Utc>>,
    /// And before then.
    until: Option<DateTime<Utc>>,
    /// What the period is divided into; months, unless it says otherwise.
    #[serde(default)]
    by: Part,
}

/// The pipeline, counted from its rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pipeline {
    /// What was opened in the period, by where it is now.
    stages: Vec<StageSum>,
    /// How long opportunities were at a stage which they left in the period.
    time_in_stage: Vec<StageTime>,
    /// How many were won in the period.
    won: i64,
    /// How many were lost in the period.
    lost: i64,
    /// Won, of those that were won or lost, 0 to 1; null when there were none.
    win_rate: Option<f64>,
    /// What was won and lost, by parts of the period, owners and currencies.
    decided: Vec<Decided>,
}

pub async fn read(
    who: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ReadPipeline>,
    crm: Data<Context>,
) -> Result<Json<Pipeline>> {
    let ReadPipeline { owner, team, from, until, by } = query;
    let scope = Scope {
        reach: who.reach(),
        owner,
        team,
        from: from.unwrap_or(DateTime::UNIX_EPOCH),
        until: until.unwrap_or(DateTime::<Utc>::MAX_UTC),
    };
    let mut conn = crm.read().await?;
    let stages = pipeline::stages(&mut conn, &scope).await?;
    let time_in_stage = pipeline::times(&mut conn, &scope).await?;
    let decided = pipeline::decided(&mut conn, &scope, &by.to_string()).await?;
    let won = decided.iter().map(|part| part.won).sum::<i64>();
    let lost = decided.iter().map(|part| part.lost).sum::<i64>();
    let win_rate = (won + lost > 0).then(|| share(won, won + lost));
    Ok(Json(Pipeline { stages, time_in_stage, won, lost, win_rate, decided }))
}

#[expect(clippy::cast_precision_loss, reason = "counts of opportunities are far below 2^53")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}
