//! Row structs and every query. A row is also what the API shows of it.

pub mod applied;
pub mod check;
pub mod consent;
pub mod document;
pub mod duty;
pub mod erasure;
pub mod expiry;
pub mod forget;
pub mod heard;
pub mod hold;
pub mod notice;
pub mod pack;
pub mod policy;
pub mod purpose;
pub mod report;
pub mod standing;

use crate::domain::consent::{ConsentState, Evidence};
use crate::domain::context::Known;
use crate::domain::duty::{DutyKind, DutyStatus};
use crate::domain::erasure::{AllKept, AllRemoved, ErasureStatus, Names};
use crate::domain::pack::PackFiles;
use crate::domain::policy::flip::Flip;
use crate::domain::policy::{PolicyErrors, Rules, Verdict};
use crate::domain::purpose::{LawfulBasis, Words};
use crate::domain::regime::Regime;

bhiv_types::text_columns!(ConsentState, DutyKind, DutyStatus, ErasureStatus, LawfulBasis, Regime, Verdict);
bhiv_types::json_columns!(
    AllKept,
    AllRemoved,
    Evidence,
    Flip,
    Known,
    Names,
    PackFiles,
    PolicyErrors,
    Rules,
    Words
);
