//! Row structs and every query. A row is also what the API shows of it.

pub mod check;
pub mod consent;
pub mod policy;
pub mod report;
pub mod standing;

use crate::domain::consent::{ConsentState, Evidence};
use crate::domain::policy::{PolicyErrors, Rules, Verdict};

bhiv_types::text_columns!(ConsentState, Verdict);
bhiv_types::json_columns!(Evidence, Rules, PolicyErrors);
