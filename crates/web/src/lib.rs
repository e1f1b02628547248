//! HTTP, written once for every service.
//!
//! A handler's signature says everything about it: [`Can`] names the permission, [`Valid`] and [`ValidQuery`]
//! the input, the answer's type what comes back. [`Api`] makes both the routes and their OpenAPI document of
//! that, so the two cannot differ.

mod answer;
mod api;
mod bulk;
mod caller;
mod describe;
mod health;
/// What records were: answers from their history.
pub mod history;
mod idempotency;
mod input;
mod middleware;
mod page;
mod parameter;
mod problem;
mod schema;
mod sort;
mod states;

pub use answer::{Accepted, Created, Download, EventStream, NoContent};
pub use api::{Api, Info, not_allowed};
pub use bulk::{Bulk, BulkResult, Ids};
pub use caller::{Authority, Can, Known, Public, bearer};
pub use describe::{Describe, FreeForm, Operation};
pub use health::{Check, CheckState, Health, Probe, Report, Trouble};
pub use input::{Id, MayAnswer, Picture, Segment, Table, Valid, ValidQuery, checked};
pub use middleware::{REQUEST_ID, RequestMeta, RouteName, surround};
pub use page::{Cursor, Limit, Page};
pub use problem::{Code, FieldError, Problem, codes};
pub use sort::Sort;
pub use states::Machine;

/// What a handler answers.
pub type Result<T> = std::result::Result<T, Problem>;
