//! Row structs and every query. A row is also what the API shows of it.

pub mod entry;
pub mod stats;

use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;

bhiv_types::uuid_columns!(EntryId);
bhiv_types::text_columns!(LogKind);
