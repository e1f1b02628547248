//! Counted from the rows of a period, all of them as they were at one moment.

use std::collections::BTreeMap;

use bhiv_db::Conn;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{count, count_star, max, min};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::consent::ConsentState;
use crate::domain::duty::DutyStatus;
use crate::domain::period::Period;
use crate::domain::policy::Verdict;
use crate::schema::{checks, consents, duties};

/// What compliance did in a period.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AuditReport {
    /// The first day, UTC.
    pub start_date: NaiveDate,
    /// The last day, UTC.
    pub end_date: NaiveDate,
    /// Events that were judged.
    pub checks: CheckCounts,
    /// Violations by the id of the rule; one that breaks several rules counts for each.
    pub violations_by_rule: BTreeMap<String, i64>,
    /// What persons said.
    pub consents: ConsentCounts,
    /// Requests of persons and breaches that were received.
    pub duties: DutyCounts,
}

/// Requests of persons and breaches that were received in a period, as they are now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DutyCounts {
    /// All of them.
    pub received: i64,
    /// Those that were done.
    pub fulfilled: i64,
    /// Those that were refused.
    pub refused: i64,
    /// Those that are neither.
    pub open: i64,
    /// Those that were not done in time.
    pub late: i64,
}

/// Events that were judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckCounts {
    /// All of them.
    pub total: i64,
    /// Those that were compliant.
    pub compliant: i64,
    /// Those that were violations.
    pub violation: i64,
    /// By the public name of the event.
    pub by_event_type: BTreeMap<String, i64>,
    /// When the first one was judged.
    pub first_at: Option<DateTime<Utc>>,
    /// When the last one was judged.
    pub last_at: Option<DateTime<Utc>>,
}

/// What persons said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsentCounts {
    /// How often consent was granted.
    pub granted: i64,
    /// How often it was refused.
    pub refused: i64,
    /// How often it was withdrawn.
    pub withdrawn: i64,
    /// How often it ended by itself.
    pub expired: i64,
    /// How many persons spoke.
    pub subjects: i64,
}

/// The report of `start` to `end`, which are the days of `period`.
pub async fn read(
    conn: &mut Conn,
    (start_date, end_date): (NaiveDate, NaiveDate),
    period: Period,
) -> QueryResult<AuditReport> {
    conn.build_transaction()
        .read_only()
        .repeatable_read()
        .run(async |conn| counted(conn, (start_date, end_date), period).await)
        .await
}

/// As [`read`], inside the transaction of somebody else.
pub async fn counted(
    conn: &mut Conn,
    (start_date, end_date): (NaiveDate, NaiveDate),
    period: Period,
) -> QueryResult<AuditReport> {
    Ok(AuditReport {
        start_date,
        end_date,
        checks: check_counts(conn, period).await?,
        violations_by_rule: violations_by_rule(conn, period).await?,
        consents: consent_counts(conn, period).await?,
        duties: duty_counts(conn, period).await?,
    })
}

async fn duty_counts(conn: &mut Conn, Period { from, until }: Period) -> QueryResult<DutyCounts> {
    let received = duties::received_at.ge(from).and(duties::received_at.lt(until));
    let groups: Vec<(DutyStatus, i64, i64)> = duties::table
        .filter(received)
        .group_by(duties::status)
        .select((duties::status, count_star(), count(duties::overdue_at)))
        .load(conn)
        .await?;
    let mut counts = DutyCounts::default();
    for (status, count, late) in groups {
        counts.received += count;
        match status {
            DutyStatus::Fulfilled => counts.fulfilled += count,
            DutyStatus::Refused => counts.refused += count,
            DutyStatus::Open | DutyStatus::InProgress => counts.open += count,
        }
        counts.late += late;
    }
    Ok(counts)
}

async fn check_counts(conn: &mut Conn, Period { from, until }: Period) -> QueryResult<CheckCounts> {
    type Group = (String, Verdict, i64, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let groups: Vec<Group> = checks::table
        .filter(checks::created_at.ge(from).and(checks::created_at.lt(until)))
        .group_by((checks::event_type, checks::verdict))
        .select((
            checks::event_type,
            checks::verdict,
            count_star(),
            min(checks::created_at),
            max(checks::created_at),
        ))
        .load(conn)
        .await?;
    let mut counts = CheckCounts::default();
    for (event_type, verdict, count, first, last) in groups {
        counts.total += count;
        match verdict {
            Verdict::Compliant => counts.compliant += count,
            Verdict::Violation => counts.violation += count,
        }
        *counts.by_event_type.entry(event_type).or_default() += count;
        counts.first_at = [counts.first_at, first].into_iter().flatten().min();
        counts.last_at = counts.last_at.max(last);
    }
    Ok(counts)
}

async fn violations_by_rule(
    conn: &mut Conn,
    Period { from, until }: Period,
) -> QueryResult<BTreeMap<String, i64>> {
    #[derive(QueryableByName)]
    struct Group {
        #[diesel(sql_type = Text)]
        rule: String,
        #[diesel(sql_type = BigInt)]
        violations: i64,
    }
    let groups: Vec<Group> = diesel::sql_query(
        "SELECT rule ->> 'id' AS rule, count(*) AS violations
         FROM checks CROSS JOIN jsonb_array_elements(rules) AS rule
         WHERE verdict = $1 AND created_at >= $2 AND created_at < $3
         GROUP BY 1",
    )
    .bind::<Text, _>(Verdict::Violation)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(until)
    .load(conn)
    .await?;
    Ok(groups.into_iter().map(|group| (group.rule, group.violations)).collect())
}

async fn consent_counts(conn: &mut Conn, Period { from, until }: Period) -> QueryResult<ConsentCounts> {
    let spoken = consents::created_at.ge(from).and(consents::created_at.lt(until));
    let subjects = consents::table.filter(spoken).select(count(consents::subject).aggregate_distinct());
    let subjects = subjects.get_result(conn).await?;
    let groups: Vec<(ConsentState, bool, i64)> = consents::table
        .filter(spoken)
        .group_by((consents::action, consents::expired))
        .select((consents::action, consents::expired, count_star()))
        .load(conn)
        .await?;
    let mut counts = ConsentCounts { subjects, ..ConsentCounts::default() };
    for (action, expired, count) in groups {
        match if expired { ConsentState::Expired } else { action } {
            ConsentState::Granted => counts.granted = count,
            ConsentState::Refused => counts.refused = count,
            ConsentState::Withdrawn => counts.withdrawn = count,
            ConsentState::Expired => counts.expired = count,
        }
    }
    Ok(counts)
}
