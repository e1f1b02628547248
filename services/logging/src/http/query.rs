//! Which entries: what lists, counts, exports, streams and saved searches have in common.

use bhiv_web::Problem;

use crate::domain::query::TextQuery;
use crate::error::SEARCH_NOT_UNDERSTOOD;

/// A query with the filters that all have, and fields of its own after them.
macro_rules! filtered {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Events or audit rows alone.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            r#type: Option<crate::domain::kind::LogKind>,
            /// Those with this public name, for example `lead_created`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 500)]
            event_type: Option<String>,
            /// Those of this user.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 500)]
            user_id: Option<String>,
            /// Those of this task.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 500)]
            task_id: Option<String>,
            /// Those of this causal story.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            correlation_id: Option<uuid::Uuid>,
            /// Those about this, for example `lead/0190...`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 500)]
            entity: Option<String>,
            /// Those that this service emitted.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            source: Option<crate::domain::source::LogSource>,
            /// Those where this was done, for example `lead.create`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 500)]
            action: Option<String>,
            /// Those with these words: `verma -lost`, `ver*`, `"in full"`, `(a OR b) c`. Case does not count.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 200)]
            q: Option<String>,
            /// Those at this time or later.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            since: Option<chrono::DateTime<chrono::Utc>>,
            /// Those before this time.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            until: Option<chrono::DateTime<chrono::Utc>>,
            $($(#[$field_meta])* $field: $type,)*
        }

        impl $name {
            /// The filters; a problem that says where the search does not parse. It stands at `pointer`.
            fn filter(&self, pointer: &str) -> bhiv_web::Result<crate::store::entry::Filter> {
                let text = self.q.as_deref();
                Ok(crate::store::entry::Filter {
                    kind: self.r#type,
                    event_type: self.event_type.clone(),
                    user_id: self.user_id.clone(),
                    task_id: self.task_id.clone(),
                    correlation_id: self.correlation_id,
                    entity: self.entity.clone(),
                    source: self.source.map(|crate::domain::source::LogSource(producer)| producer),
                    action: self.action.clone(),
                    text: text.map(|text| crate::http::query::read(text, pointer)).transpose()?,
                    since: self.since,
                    until: self.until,
                    ..crate::store::entry::Filter::default()
                })
            }
        }
    };
}

pub(super) use filtered;

/// What a search says.
pub fn read(text: &str, pointer: &str) -> bhiv_web::Result<TextQuery> {
    TextQuery::read(text).map_err(|fault| {
        Problem::new(SEARCH_NOT_UNDERSTOOD, format!("the search does not parse {fault}"))
            .at(pointer, fault.to_string())
            .with("position", fault.position)
    })
}
