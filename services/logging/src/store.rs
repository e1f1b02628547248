//! Row structs and every query. A row is also what the API shows of it.

pub mod checkpoint;
pub mod entry;
pub mod facet;
pub mod opened;
pub mod partition;
pub mod record;
pub mod retention;
pub mod saved_search;
pub mod shipping;
pub mod stats;
pub mod subject_key;
pub mod tree;

use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;

bhiv_types::uuid_columns!(EntryId);
bhiv_types::text_columns!(LogKind);
