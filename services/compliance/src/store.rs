//! Row structs and every query. A row is also what the API shows of it.

pub mod check;
pub mod consent;
pub mod erasure;
pub mod forget;
pub mod hold;
pub mod policy;
pub mod report;
pub mod standing;

use crate::domain::consent::{ConsentState, Evidence};
use crate::domain::erasure::{AllKept, AllRemoved, ErasureStatus, Names};
use crate::domain::policy::{PolicyErrors, Rules, Verdict};
use crate::domain::regime::Regime;

bhiv_types::text_columns!(ConsentState, ErasureStatus, Regime, Verdict);
bhiv_types::json_columns!(AllKept, AllRemoved, Evidence, Names, PolicyErrors, Rules);
