//! Counted from opportunities and from the times that they were at each stage.

use bhiv_auth::Reach;
use bhiv_db::Conn;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Double, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// Which opportunities a report is about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Those that somebody may see.
    pub reach: Reach,
    /// Those that this user works on.
    pub owner: Option<String>,
    /// Those that this team works on.
    pub team: Option<String>,
    /// What was opened, left a stage or was decided then or later counts.
    pub from: DateTime<Utc>,
    /// And before then.
    pub until: DateTime<Utc>,
}

/// The condition that every query of the report has; `$1` to `$7` are bound by [`bound!`].
const SCOPE: &str = "($1 OR o.owner = $2 OR o.team = $3 OR (o.owner = '' AND o.team IS NULL))
    AND ($4 IS NULL OR o.owner = $4) AND ($5 IS NULL OR o.team = $5)";

macro_rules! bound {
    ($sql:expr, $scope:expr) => {{
        let (all, user, team) = match &$scope.reach {
            Reach::All => (true, String::new(), None),
            Reach::Own { user, team } => (false, user.clone(), team.clone()),
        };
        diesel::sql_query($sql)
            .bind::<Bool, _>(all)
            .bind::<Text, _>(user)
            .bind::<Nullable<Text>, _>(team)
            .bind::<Nullable<Text>, _>($scope.owner.clone())
            .bind::<Nullable<Text>, _>($scope.team.clone())
            .bind::<Timestamptz, _>($scope.from)
            .bind::<Timestamptz, _>($scope.until)
    }};
}

/// What is at a stage, in one currency.
#[derive(Clone, Debug, PartialEq, QueryableByName, Serialize, ToSchema)]
pub struct StageSum {
    /// The stage.
    #[diesel(sql_type = Text)]
    pub stage: String,
    /// ISO 4217 code.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// How many opportunities are there now, of those that were opened in the period.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// What they are worth together.
    #[diesel(sql_type = Numeric)]
    pub value: Decimal,
    /// The same, each times its probability.
    #[diesel(sql_type = Numeric)]
    pub weighted_value: Decimal,
}

/// How long opportunities stay at a stage.
#[derive(Clone, Debug, PartialEq, QueryableByName, Serialize, ToSchema)]
pub struct StageTime {
    /// The stage.
    #[diesel(sql_type = Text)]
    pub stage: String,
    /// How often one left it in the period.
    #[diesel(sql_type = BigInt)]
    pub left: i64,
    /// How long it had been there on average, in days.
    #[diesel(sql_type = Double)]
    pub mean_days: f64,
    /// How long half of them had been there at most, in days.
    #[diesel(sql_type = Double)]
    pub median_days: f64,
}

/// What was decided for one owner in one part of the period, in one currency.
#[derive(Clone, Debug, PartialEq, QueryableByName, Serialize, ToSchema)]
pub struct Decided {
    /// The first day of the week or month, UTC.
    #[diesel(sql_type = Date)]
    pub period: NaiveDate,
    /// Who worked on them; empty is nobody.
    #[diesel(sql_type = Text)]
    pub owner: String,
    /// ISO 4217 code.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// How many were won.
    #[diesel(sql_type = BigInt)]
    pub won: i64,
    /// How many were lost.
    #[diesel(sql_type = BigInt)]
    pub lost: i64,
    /// What those that were won are worth together.
    #[diesel(sql_type = Numeric)]
    pub won_value: Decimal,
    /// Won, of those that were won or lost, 0 to 1.
    #[diesel(sql_type = Double)]
    pub win_rate: f64,
}

/// What is at each stage.
pub async fn stages(conn: &mut Conn, scope: &Scope) -> QueryResult<Vec<StageSum>> {
    let sql = format!(
        "SELECT o.stage, o.currency, count(*) AS count, sum(o.value) AS value,
                round(sum(o.value * o.probability::numeric), 2) AS weighted_value
         FROM opportunities o WHERE {SCOPE} AND o.created_at >= $6 AND o.created_at < $7
         GROUP BY 1, 2
         ORDER BY array_position(ARRAY['qualification', 'proposal', 'negotiation', 'won', 'lost'], o.stage), 2"
    );
    bound!(sql, scope).load(conn).await
}

/// How long they stay at each stage.
pub async fn times(conn: &mut Conn, scope: &Scope) -> QueryResult<Vec<StageTime>> {
    let sql = format!(
        "SELECT s.stage, count(*) AS left, (avg(days))::float8 AS mean_days,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median_days
         FROM opportunity_stages s JOIN opportunities o ON o.id = s.opportunity_id
         CROSS JOIN LATERAL (SELECT (extract(epoch FROM s.left_at - s.entered_at) / 86400)::float8 AS days) t
         WHERE {SCOPE} AND s.left_at >= $6 AND s.left_at < $7
         GROUP BY 1 ORDER BY array_position(ARRAY['qualification', 'proposal', 'negotiation', 'won', 'lost'], s.stage)"
    );
    bound!(sql, scope).load(conn).await
}

/// What was decided, by `week` or `month` and by owner.
pub async fn decided(conn: &mut Conn, scope: &Scope, by: &str) -> QueryResult<Vec<Decided>> {
    let sql = format!(
        "SELECT date_trunc($8, o.closed_at AT TIME ZONE 'UTC')::date AS period, o.owner, o.currency,
                count(*) FILTER (WHERE o.stage = 'won') AS won, count(*) FILTER (WHERE o.stage = 'lost') AS lost,
                coalesce(sum(o.value) FILTER (WHERE o.stage = 'won'), 0) AS won_value,
                avg((o.stage = 'won')::int)::float8 AS win_rate
         FROM opportunities o WHERE {SCOPE} AND o.closed_at >= $6 AND o.closed_at < $7
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    bound!(sql, scope).bind::<Text, _>(by.to_owned()).load(conn).await
}
