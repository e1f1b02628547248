use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::Problem;

/// What came of an action on many records: each was done, or refused, by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bulk {
    /// How many were done.
    pub succeeded: usize,
    /// How many were refused.
    pub failed: usize,
    /// One for each record, in the order of the request.
    pub results: Vec<BulkResult>,
}

/// What came of one record.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    /// Which one.
    pub id: Uuid,
    /// The status that it would have been answered with by itself.
    pub status: u16,
    /// Why it was refused, as it would have been answered by itself; null if it was done.
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
}

impl BulkResult {
    /// Done, or refused with that.
    pub fn new(id: Uuid, result: Result<(), Problem>) -> Self {
        match result {
            Ok(()) => Self { id, status: 200, problem: None },
            Err(problem) => Self { id, status: problem.code().status, problem: Some(problem.to_value("")) },
        }
    }
}

impl FromIterator<BulkResult> for Bulk {
    fn from_iter<I: IntoIterator<Item = BulkResult>>(results: I) -> Self {
        let results: Vec<_> = results.into_iter().collect();
        let failed = results.iter().filter(|result| result.problem.is_some()).count();
        Self { succeeded: results.len() - failed, failed, results }
    }
}

/// Records that something is done with: 1 to 200, none of them twice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Ids(pub Vec<Uuid>);

impl ToSchema for Ids {}

impl PartialSchema for Ids {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(bhiv_types::private::uuid_schema())
            .min_items(Some(1))
            .max_items(Some(200))
            .unique_items(true)
            .into()
    }
}
