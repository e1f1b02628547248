use std::collections::BTreeMap;

use actix_web::web::Json;
use bhiv_auth::require::GatewayRead;
use bhiv_web::{Can, Result};
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::compose::{Asking, Gaps, Missing, Question};

/// What is counted: part, module, list, the filter that it is counted by, and the filter's values.
const COUNTED: [Counted; 7] = [
    Counted {
        part: "leads",
        module: "crm",
        path: "/crm/leads",
        by: "status",
        values: &["new", "contacted", "qualified", "converted", "lost"],
    },
    Counted {
        part: "opportunities",
        module: "crm",
        path: "/crm/opportunities",
        by: "stage",
        values: &["qualification", "proposal", "negotiation", "won", "lost"],
    },
    Counted {
        part: "orders",
        module: "logistics",
        path: "/logistics/orders",
        by: "status",
        values: &[
            "pending",
            "approved",
            "on_hold",
            "picking",
            "dispatched",
            "delivered",
            "cancelled",
            "returned",
        ],
    },
    Counted {
        part: "deliveries",
        module: "logistics",
        path: "/logistics/delivery",
        by: "status",
        values: &["scheduled", "in_transit", "delayed", "delivered", "failed"],
    },
    Counted {
        part: "tasks",
        module: "task",
        path: "/task/tasks",
        by: "status",
        values: &["pending", "in_progress", "blocked", "completed", "escalated", "cancelled"],
    },
    Counted {
        part: "feedback",
        module: "task",
        path: "/task/feedback",
        by: "rating",
        values: &["1", "2", "3", "4", "5"],
    },
    Counted {
        part: "checks",
        module: "compliance",
        path: "/compliance/checks",
        by: "verdict",
        values: &["compliant", "violation"],
    },
];

#[derive(Clone, Copy, Debug)]
struct Counted {
    part: &'static str,
    module: &'static str,
    path: &'static str,
    by: &'static str,
    values: &'static [&'static str],
}

/// The business in figures. A part that is null is named in `partial` or in `denied`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dashboard {
    /// Leads by status.
    leads: Option<Counts>,
    /// Opportunities by stage.
    opportunities: Option<Counts>,
    /// Orders by status.
    orders: Option<Counts>,
    /// Deliveries by status.
    deliveries: Option<Counts>,
    /// Tasks by status.
    tasks: Option<Counts>,
    /// Feedback by rating.
    feedback: Option<Feedback>,
    /// Judgements of events by verdict.
    checks: Option<Counts>,
    /// Decisions and what came of them, one for each kind of decision.
    #[schema(value_type = Option<Vec<Object>>)]
    decisions: Option<Value>,
    #[serde(flatten)]
    gaps: Gaps,
}

/// How many there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counts {
    /// All of them.
    total: i64,
    /// How many of each sort.
    by: BTreeMap<&'static str, i64>,
}

/// What customers said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Feedback {
    /// The mean of all ratings, 1 to 5; null without any.
    average: Option<f64>,
    #[serde(flatten)]
    counts: Counts,
}

pub async fn read(_: Can<GatewayRead>, asking: Asking) -> Result<Json<Dashboard>> {
    let [leads, opportunities, orders, deliveries, tasks, feedback, checks] =
        COUNTED.map(|counted| count(&asking, counted));
    let decisions = asking.get(Question::new("decisions", "rl", "/rl/analytics"));
    let (leads, opportunities, orders, deliveries, tasks, feedback, checks, decisions) =
        tokio::join!(leads, opportunities, orders, deliveries, tasks, feedback, checks, decisions);
    let mut gaps = Gaps::default();
    let kinds = |mut answer: Value| answer.get_mut("kinds").map(Value::take);
    Ok(Json(Dashboard {
        leads: gaps.take(leads),
        opportunities: gaps.take(opportunities),
        orders: gaps.take(orders),
        deliveries: gaps.take(deliveries),
        tasks: gaps.take(tasks),
        feedback: gaps.take(feedback).map(|counts| Feedback { average: average(&counts.by), counts }),
        checks: gaps.take(checks),
        decisions: gaps.take(decisions).and_then(kinds),
        gaps,
    }))
}

/// Each of its lists tells how long it is.
async fn count(asking: &Asking, counted: Counted) -> std::result::Result<Counts, Missing> {
    let Counted { part, module, path, by, values } = counted;
    let counts = values.iter().map(async |value| {
        let list = asking.list(Question::new(part, module, format!("{path}?{by}={value}&limit=1"))).await?;
        Ok((*value, list.total))
    });
    let by: BTreeMap<_, _> = try_join_all(counts).await?.into_iter().collect();
    Ok(Counts { total: by.values().sum(), by })
}

/// The mean of numbers of which each came so often.
#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53")]
fn average(counts: &BTreeMap<&'static str, i64>) -> Option<f64> {
    let total: i64 = counts.values().sum();
    let sum: f64 = counts.iter().filter_map(|(value, n)| Some(value.parse::<f64>().ok()? * *n as f64)).sum();
    (total > 0).then(|| sum / total as f64)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_average_counts_each_rating_as_often_as_it_came() {
        assert_eq!(average(&BTreeMap::from([("1", 1), ("5", 3)])), Some(4.0));
        assert_eq!(average(&BTreeMap::from([("1", 0), ("5", 0)])), None);
    }

    /// Nothing falls between the values, and no list refuses one.
    #[test]
    fn what_is_counted_is_all_that_the_lists_know() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs/openapi/merged.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for counted in COUNTED {
            let parameters = document["paths"][counted.path]["get"]["parameters"].as_array().unwrap();
            let filter = parameters.iter().find(|parameter| parameter["name"] == counted.by).unwrap();
            let mut schema = &filter["schema"];
            if let Some(place) = schema["$ref"].as_str() {
                schema = document.pointer(place.trim_start_matches('#')).unwrap();
            }
            let known: Vec<String> = if let Some(values) = schema["enum"].as_array() {
                values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
            } else {
                let bound = |name: &str| schema[name].as_i64().unwrap();
                (bound("minimum")..=bound("maximum")).map(|value| value.to_string()).collect()
            };
            assert_eq!(known, counted.values, "{}", counted.part);
        }
    }
}
