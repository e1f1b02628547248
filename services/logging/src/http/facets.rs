use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Problem, Result, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::query::filtered;
use crate::store::facet;

filtered! {
    /// Of which entries the values are counted.
    pub struct CountFacets {}
}

/// How often which value is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogFacets {
    /// How many entries were counted: the newest ones, up to 100,000.
    counted: i64,
    /// Whether that is all of them.
    complete: bool,
    /// The values of each field, the most frequent first, up to 20: kind, event_type, source, entity (what it is, as
    /// `lead`), action and user_id.
    facets: BTreeMap<String, Vec<LogFacet>>,
}

/// A value, and how often it is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogFacet {
    value: String,
    count: i64,
}

pub async fn read(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<CountFacets>,
    logging: Data<Context>,
) -> Result<Json<LogFacets>> {
    let filter = query.filter("?q")?;
    let counts = facet::counts(&mut *logging.read().await?, &filter).await?;
    let counted = counts.iter().filter(|count| count.field == "kind").map(|count| count.count).sum();
    let mut facets: BTreeMap<String, Vec<LogFacet>> = BTreeMap::new();
    for facet::FieldValue { field, value, count } in counts {
        facets.entry(field).or_default().push(LogFacet { value, count });
    }
    Ok(Json(LogFacets { counted, complete: counted < facet::MOST, facets }))
}

/// Width of a bar.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

impl Interval {
    fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

filtered! {
    /// Of which entries bars are drawn. `since` and `until` are needed.
    pub struct DrawHistogram {
        interval: Interval,
    }
}

/// How many entries there were when.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogHistogram {
    /// A bar for each time in which there was something, the oldest first.
    bars: Vec<LogBar>,
}

/// A bar.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogBar {
    /// Where it begins.
    at: DateTime<Utc>,
    /// How many entries.
    count: i64,
}

/// Bars, at most.
const MOST_BARS: i64 = 1_000;

pub async fn histogram(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<DrawHistogram>,
    logging: Data<Context>,
) -> Result<Json<LogHistogram>> {
    let filter = query.filter("?q")?;
    let mut problem = Problem::invalid(Vec::new());
    for (name, time) in [("?since", query.since), ("?until", query.until)] {
        if time.is_none() {
            problem = problem.at(name, "is needed");
        }
    }
    let (Some(since), Some(until)) = (query.since, query.until) else { return Err(problem) };
    let seconds = query.interval.seconds();
    if until <= since || (until - since).num_seconds() / seconds > MOST_BARS {
        let says = format!("is after since, and no more than {MOST_BARS} bars later");
        return Err(problem.at("?until", says));
    }
    let bars = facet::histogram(&mut *logging.read().await?, &filter, seconds).await?;
    let bars = bars.into_iter().map(|facet::Bar { at, count }| LogBar { at, count });
    Ok(Json(LogHistogram { bars: bars.collect() }))
}
