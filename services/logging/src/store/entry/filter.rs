use bhiv_events::Producer;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use uuid::Uuid;

use crate::domain::kind::LogKind;
use crate::domain::query::TextQuery;
use crate::schema::entries;

/// Which entries a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Events or audit rows.
    pub kind: Option<LogKind>,
    /// Those with this public name.
    pub event_type: Option<String>,
    /// Those of this user.
    pub user_id: Option<String>,
    /// Those of this task.
    pub task_id: Option<String>,
    /// Those of this causal story.
    pub correlation_id: Option<Uuid>,
    /// Those about this.
    pub entity: Option<String>,
    /// Those that this service emitted.
    pub source: Option<Producer>,
    /// Those that this one did.
    pub actor: Option<String>,
    /// Those where this was done.
    pub action: Option<String>,
    /// Those with these words.
    pub text: Option<TextQuery>,
    /// Those at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Those before this time.
    pub until: Option<DateTime<Utc>>,
}

impl Filter {
    /// Whether an index has them by time: each but that of words.
    pub fn is_found_in_order(&self) -> bool {
        self.text.is_none()
    }

    /// How many conditions there are.
    fn conditions(&self) -> usize {
        let Self {
            kind,
            event_type,
            user_id,
            task_id,
            correlation_id,
            entity,
            source,
            actor,
            action,
            text,
            since,
            until,
        } = self;
        let conditions = [
            kind.is_some(),
            event_type.is_some(),
            user_id.is_some(),
            task_id.is_some(),
            correlation_id.is_some(),
            entity.is_some(),
            source.is_some(),
            actor.is_some(),
            action.is_some(),
            text.is_some(),
            since.is_some(),
            until.is_some(),
        ];
        conditions.into_iter().filter(|is_there| *is_there).count()
    }

    /// The query for them.
    pub fn query(&self) -> entries::BoxedQuery<'static, Pg> {
        let mut query = entries::table.into_boxed();
        if self.conditions() > 1 {
            // A fragment of SQL keeps the statement from staying prepared. Which index is the best depends on the values: one
            // user did a thousand times what another did, and PostgreSQL's plan for any value takes one for all.
            query = query.filter(sql::<Bool>("true"));
        }
        if let Some(kind) = self.kind {
            query = query.filter(entries::kind.eq(kind));
        }
        if let Some(event_type) = &self.event_type {
            query = query.filter(entries::event_type.eq(event_type.clone()));
        }
        if let Some(user_id) = &self.user_id {
            query = query.filter(entries::user_id.eq(user_id.clone()));
        }
        if let Some(task_id) = &self.task_id {
            query = query.filter(entries::task_id.eq(task_id.clone()));
        }
        if let Some(correlation_id) = self.correlation_id {
            query = query.filter(entries::correlation_id.eq(correlation_id));
        }
        if let Some(entity) = &self.entity {
            query = query.filter(entries::entity.eq(entity.clone()));
        }
        if let Some(source) = self.source {
            query = query.filter(entries::source.eq(source.source()));
        }
        if let Some(actor) = &self.actor {
            query = query.filter(entries::actor.eq(actor.clone()));
        }
        if let Some(action) = &self.action {
            query = query.filter(entries::action.eq(action.clone()));
        }
        if let Some(text) = &self.text {
            let words = sql::<Bool>("entries.search @@ ").bind::<Text, _>(text.text().to_owned());
            query = query.filter(words.sql("::tsquery"));
        }
        if let Some(since) = self.since {
            query = query.filter(entries::timestamp.ge(since));
        }
        if let Some(until) = self.until {
            query = query.filter(entries::timestamp.lt(until));
        }
        query
    }
}
