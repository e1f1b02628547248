//! Ids and times of the canned samples. Together the samples tell one story, from lead to feedback.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

const fn id(last: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + last)
}

pub(crate) const LEAD: Uuid = id(1);
pub(crate) const OPPORTUNITY: Uuid = id(2);
pub(crate) const ACCOUNT: Uuid = id(3);
pub(crate) const ORDER: Uuid = id(4);
pub(crate) const DELIVERY: Uuid = id(5);
pub(crate) const TASK: Uuid = id(6);
pub(crate) const WORKFLOW: Uuid = id(7);
pub(crate) const RUN: Uuid = id(8);
pub(crate) const FEEDBACK: Uuid = id(9);
pub(crate) const CONSENT: Uuid = id(10);
pub(crate) const CHECK: Uuid = id(11);
pub(crate) const DECISION: Uuid = id(12);
pub(crate) const UNIFIED: Uuid = id(13);
pub(crate) const EVENT: Uuid = id(14);
pub(crate) const ERASURE: Uuid = id(21);
pub(crate) const DUTY: Uuid = id(22);
pub(crate) const USER: Uuid = id(15);
pub(crate) const STOCK: Uuid = id(16);
pub(crate) const CUSTOM: Uuid = id(17);
pub(crate) const CONTACT: Uuid = id(18);
pub(crate) const REVIEW: Uuid = id(19);
pub(crate) const APPROVAL: Uuid = id(20);

pub(crate) fn time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

pub(crate) fn day() -> NaiveDate {
    time().date_naive()
}

pub(crate) fn price() -> Decimal {
    Decimal::new(2_500_000, 2)
}
